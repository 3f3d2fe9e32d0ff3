/** Pairs that merge, best first: lefts[rank] + rights[rank] → merged[rank]. */
export interface MergeList {
  lefts: Uint32Array;
  rights: Uint32Array;
  merged: Uint32Array;
}

/** Merges that can be looked up where they lie, slower than in a hash table but without building one. */
export interface PackedMerges {
  readonly count: number;
  /** Rank of a pair, or -1. */
  find(left: number, right: number): number;
  list(): MergeList;
}

/** Symbols that are merged by a packed list before it is worth a hash table: a few sentences. */
const packedSymbols = 500;

/**
 * Open addressing table (left id, right id) → rank, and what each rank merges to.
 *
 * Of a pair that stands twice the later rank counts, as in Hugging Face's tokenizers.
 */
export class MergeTable {
  /** Where to look pairs up as long as there is no table. */
  packed: PackedMerges | undefined;
  private packedSymbols = 0;
  /** Id by rank; undefined where the rank is the id. */
  private merged: Uint32Array | undefined;
  /** Rank + 1 of every pair of ids below 256, which are the bytes of most vocabularies. */
  private readonly direct = new Int32Array(65536);
  /** Slots of [left, right, rank + 1]; 0 in the third place is an empty slot. */
  private slots: Int32Array;
  private shift = 0;
  private mask = 0;

  /** An empty table with room for `capacity` pairs. */
  constructor(capacity: number, merged?: Uint32Array) {
    this.merged = merged;
    this.slots = this.emptySlots(capacity);
  }

  static from(list: MergeList): MergeTable {
    const table = new MergeTable(list.merged.length, list.merged);
    for (let rank = 0; rank < list.merged.length; rank++)
      table.add(list.lefts[rank], list.rights[rank], rank);
    return table;
  }

  /** A table whose ranks are the merged ids, and which is only built once many pairs were looked up. */
  static fromPacked(packed: PackedMerges): MergeTable {
    const table = new MergeTable(0);
    table.packed = packed;
    return table;
  }

  private emptySlots(capacity: number): Int32Array {
    // At most half full: most lookups are of pairs that do not merge, and end at an empty slot.
    const bits = Math.max(4, Math.ceil(Math.log2(capacity + 1)) + 1);
    this.shift = 32 - bits;
    this.mask = 2 ** bits - 1;
    return new Int32Array(3 * 2 ** bits);
  }

  add(left: number, right: number, rank: number): void {
    if (areDirect(left, right)) {
      this.direct[(left << 8) | right] = rank + 1;
      return;
    }
    const { slots, mask } = this;
    let at = mixPair(left, right) >>> this.shift;
    while (slots[at * 3 + 2] !== 0 && (slots[at * 3] !== left || slots[at * 3 + 1] !== right)) {
      at = (at + 1) & mask;
    }
    slots[at * 3] = left;
    slots[at * 3 + 1] = right;
    slots[at * 3 + 2] = rank + 1;
  }

  /** Rank of a pair, or -1 when it does not merge. Not while the list is packed. */
  find(left: number, right: number): number {
    if (areDirect(left, right)) return this.direct[(left << 8) | right] - 1;
    const { slots, mask } = this;
    let at = mixPair(left, right) >>> this.shift;
    for (;;) {
      const rank = slots[at * 3 + 2];
      if (rank === 0) return -1;
      if (slots[at * 3] === left && slots[at * 3 + 1] === right) return rank - 1;
      at = (at + 1) & mask;
    }
  }

  /** The id that a rank's pair becomes. */
  mergedId(rank: number): number {
    return this.merged === undefined ? rank : this.merged[rank];
  }

  /** Called before so many symbols merge: builds the table once that pays. */
  expect(symbols: number): void {
    if (this.packed === undefined) return;
    this.packedSymbols += symbols;
    if (this.packedSymbols < packedSymbols) return;
    const { count } = this.packed;
    const { lefts, rights, merged } = this.packed.list();
    this.packed = undefined;
    this.slots = this.emptySlots(count);
    for (let i = 0; i < count; i++) this.add(lefts[i], rights[i], merged[i]);
  }
}

function areDirect(left: number, right: number): boolean {
  return (left | right) >>> 8 === 0;
}

// Odd and unknown from outside, so that no vocabulary can be written whose pairs all meet in one slot.
const leftFactor = randomOdd();
const rightFactor = randomOdd();

function randomOdd(): number {
  return (Math.floor(Math.random() * 2 ** 32) | 0x10001) >>> 0;
}

function mixPair(left: number, right: number): number {
  const mixed = Math.imul(left, leftFactor) ^ Math.imul(right, rightFactor);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
}
