import { type MergePairs, type NamedPairs, type PairColumns, pairsOf } from '../kernels/pair-columns.ts';
import { type EarlyMerges, findEarlyMerges } from './bpe-early.ts';

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
  /** The id that a rank's pair becomes, where ranks are places in the list; without it they are the merged ids. */
  readonly mergedId?: ((rank: number) => number) | undefined;
  /** Where in the list the pair of a rank stands, where ranks are not places themselves. */
  readonly placeOf?: ((rank: number) => number) | undefined;
  list(): MergeList;
  /** What list makes the pairs of, where it finds them by names. */
  named?(): NamedPairs;
}

/** Symbols that are merged by a packed list before it is worth a hash table: a few sentences. */
const packedSymbols = 500;

/** Symbols that are merged before early merges are worth finding: what is new in some 10 MB of English. */
const lateSymbols = 500_000;

/**
 * Open addressing table (left id, right id) → rank, and what each rank merges to.
 *
 * Of a pair that stands twice the later rank counts, as in Hugging Face's tokenizers.
 */
export class MergeTable {
  /** Where to look pairs up as long as there is no table. */
  packed: PackedMerges | undefined;
  /** Which bytes merge before all others; not while the list is packed. */
  early: EarlyMerges | undefined;
  /** Ranks are known by the ids that they make, as tiktoken has them, not by places in a list. */
  namesRanksByIds = false;
  private placeOf: ((rank: number) => number) | undefined;
  private findEarly: (() => EarlyMerges | undefined) | undefined;
  private symbols = 0;
  /** Id by rank; undefined where the rank is the id. */
  private merged: Uint32Array | undefined;
  /** Rank + 1 of every pair of ids below 256, which are the bytes of most vocabularies. */
  readonly direct = new Int32Array(65536);
  /** Eight bits of the hash of the pair in each slot, 0 where it is empty: most lookups end here, in little memory. */
  private marks = new Uint8Array(0);
  /** Slots of left, right, rank + 1. */
  private slots = new Int32Array(0);
  private shift = 0;
  private mask = 0;

  /** An empty table with room for `capacity` pairs. */
  constructor(capacity: number, merged?: Uint32Array) {
    this.merged = merged;
    this.resize(capacity);
  }

  static from(list: MergeList): MergeTable {
    const table = new MergeTable(list.merged.length, list.merged);
    for (let rank = 0; rank < list.merged.length; rank++)
      table.add(list.lefts[rank], list.rights[rank], rank);
    table.findEarly = () => findEarlyMerges(list, 'by place');
    return table;
  }

  /** A table that is only built once many pairs were looked up. */
  static fromPacked(packed: PackedMerges): MergeTable {
    const table = new MergeTable(0);
    table.packed = packed;
    table.placeOf = packed.placeOf;
    return table;
  }

  private resize(capacity: number): void {
    const bits = slotBits(capacity);
    this.shift = 32 - bits;
    this.mask = 2 ** bits - 1;
    this.marks = new Uint8Array(2 ** bits);
    this.slots = new Int32Array(3 * 2 ** bits);
  }

  add(left: number, right: number, rank: number): void {
    if (areDirect(left, right)) {
      this.direct[(left << 8) | right] = rank + 1;
      return;
    }
    const { marks, slots, mask } = this;
    const hash = mixPair(left, right);
    const mark = markOf(hash);
    let at = hash >>> this.shift;
    while (marks[at] !== 0 && (marks[at] !== mark || slots[at * 3] !== left || slots[at * 3 + 1] !== right)) {
      at = (at + 1) & mask;
    }
    marks[at] = mark;
    slots[at * 3] = left;
    slots[at * 3 + 1] = right;
    slots[at * 3 + 2] = rank + 1;
  }

  /** Rank of a pair, or -1 when it does not merge. Not while the list is packed. */
  find(left: number, right: number): number {
    if (areDirect(left, right)) return this.direct[(left << 8) | right] - 1;
    const { marks, mask } = this;
    const hash = mixPair(left, right);
    const wanted = markOf(hash);
    for (let at = hash >>> this.shift; ; at = (at + 1) & mask) {
      const mark = marks[at];
      if (mark === 0) return -1;
      if (mark !== wanted) continue;
      const { slots } = this;
      if (slots[at * 3] === left && slots[at * 3 + 1] === right) return slots[at * 3 + 2] - 1;
    }
  }

  /** All pairs with their ranks, for a kernel. */
  pairs(): MergePairs {
    const { packed } = this;
    if (packed === undefined) return pairsOf(this.columns());
    const { count, mergedId } = packed;
    const columns = () => {
      const { lefts, rights, merged } = packed.list();
      if (mergedId === undefined) return { lefts, rights, ranks: merged, merged: undefined };
      return { lefts, rights, ranks: merged.map((_, place) => place), merged };
    };
    return { count, mergedCount: mergedId === undefined ? 0 : count, columns, named: packed.named?.() };
  }

  /** All pairs of the table. */
  private columns(): PairColumns {
    const { direct, slots, marks, merged } = this;
    let count = 0;
    for (const rank of direct) if (rank > 0) count++;
    for (const mark of marks) if (mark > 0) count++;
    const [lefts, rights, ranks] = [0, 1, 2].map(() => new Uint32Array(count));
    let to = 0;
    for (let pair = 0; pair < direct.length; pair++) {
      if (direct[pair] === 0) continue;
      lefts[to] = pair >> 8;
      rights[to] = pair & 255;
      ranks[to++] = direct[pair] - 1;
    }
    for (let at = 0; at < marks.length; at++) {
      if (marks[at] === 0) continue;
      lefts[to] = slots[at * 3];
      rights[to] = slots[at * 3 + 1];
      ranks[to++] = slots[at * 3 + 2] - 1;
    }
    return { lefts, rights, ranks, merged };
  }

  /** The id that a rank's pair becomes. */
  mergedId(rank: number): number {
    if (this.packed?.mergedId !== undefined) return this.packed.mergedId(rank);
    return this.merged === undefined ? rank : this.merged[rank];
  }

  /** A rank as people know it: the place of the merge in its list, or the id in a list of ranks. */
  nameOfRank(rank: number): number {
    return this.namesRanksByIds ? this.mergedId(rank) : (this.placeOf?.(rank) ?? rank);
  }

  /** Called before so many symbols merge: builds the table once that pays. */
  expect(symbols: number): void {
    this.symbols += symbols;
    if (this.packed !== undefined && this.symbols >= packedSymbols) this.unpack(this.packed);
    if (this.findEarly !== undefined && this.symbols >= lateSymbols) {
      this.early = this.findEarly();
      this.findEarly = undefined;
    }
  }

  private unpack(packed: PackedMerges): void {
    const { count } = packed;
    const { lefts, rights, merged } = packed.list();
    const byId = packed.mergedId === undefined;
    this.packed = undefined;
    this.merged = byId ? undefined : merged;
    this.resize(count);
    for (let i = 0; i < count; i++) this.add(lefts[i], rights[i], byId ? merged[i] : i);
    this.findEarly = () => findEarlyMerges(packed.list(), byId ? 'by id' : 'by place');
  }
}

/** At most half full: most lookups are of pairs that do not merge, and end at an empty slot. */
function slotBits(capacity: number): number {
  return Math.max(4, Math.ceil(Math.log2(capacity + 1)) + 1);
}

function markOf(hash: number): number {
  return (hash & 255) | 1;
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
