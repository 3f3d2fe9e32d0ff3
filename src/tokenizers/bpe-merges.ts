/** Pairs that merge, best first: lefts[rank] + rights[rank] → merged[rank]. */
export interface MergeList {
  lefts: Uint32Array;
  rights: Uint32Array;
  merged: Uint32Array;
}

/**
 * Open addressing table (left id, right id) → rank, and what each rank merges to.
 *
 * Of a pair that stands twice the later rank counts, as in Hugging Face's tokenizers.
 */
export class MergeTable {
  readonly merged: Uint32Array;
  /** Slots of [left, right, rank + 1]; 0 in the third place is an empty slot. */
  private readonly slots: Int32Array;
  private readonly shift: number;
  private readonly mask: number;

  constructor(list: MergeList) {
    const count = list.merged.length;
    const bits = Math.max(4, Math.ceil(Math.log2(count + 1)) + 1);
    this.merged = list.merged;
    this.slots = new Int32Array(3 * 2 ** bits);
    this.shift = 32 - bits;
    this.mask = 2 ** bits - 1;
    for (let rank = 0; rank < count; rank++) this.add(list.lefts[rank] | 0, list.rights[rank] | 0, rank);
  }

  private add(left: number, right: number, rank: number): void {
    const { slots, mask } = this;
    let at = mixPair(left, right) >>> this.shift;
    while (slots[at * 3 + 2] !== 0 && (slots[at * 3] !== left || slots[at * 3 + 1] !== right)) {
      at = (at + 1) & mask;
    }
    slots[at * 3] = left;
    slots[at * 3 + 1] = right;
    slots[at * 3 + 2] = rank + 1;
  }

  /** Rank of a pair, or -1 when it does not merge. */
  find(left: number, right: number): number {
    const { slots, mask } = this;
    let at = mixPair(left, right) >>> this.shift;
    for (;;) {
      const rank = slots[at * 3 + 2];
      if (rank === 0) return -1;
      if (slots[at * 3] === left && slots[at * 3 + 1] === right) return rank - 1;
      at = (at + 1) & mask;
    }
  }
}

function mixPair(left: number, right: number): number {
  const mixed = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
}
