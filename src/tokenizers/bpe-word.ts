import type { MergeTable, PackedMerges } from './bpe-merges.ts';

/** Words up to this many symbols merge in place, in quadratic time with a tiny constant; longer ones by a heap. */
const shortSymbols = 48;

const noRank = 0xffffffff;

/**
 * Symbols of one word while they merge: lowest rank first, leftmost among equals.
 *
 * After `merge`, ids[0..count) are the word's tokens, and starts/ends their byte offsets.
 * Cost: O(n log n) for n symbols, O(n) memory, whatever the word.
 */
export class WordMerger {
  ids = new Int32Array(256);
  starts = new Int32Array(256);
  ends = new Int32Array(256);
  count = 0;
  /** Whether starts and ends are wanted; without them merging moves half as much. */
  spans = true;
  private ranks = new Int32Array(256);
  private previous = new Int32Array(0);
  private next = new Int32Array(0);
  private heapRanks = new Int32Array(0);
  private heapPlaces = new Int32Array(0);
  private heapSize = 0;

  /** Forgets the last word and makes room for `symbols` symbols. */
  clear(symbols: number): void {
    this.count = 0;
    if (symbols <= this.ids.length) return;
    const capacity = Math.max(symbols, this.ids.length * 2);
    this.ids = new Int32Array(capacity);
    this.starts = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
    this.ranks = new Int32Array(capacity);
  }

  push(id: number, start: number, end: number): void {
    this.ids[this.count] = id;
    this.starts[this.count] = start;
    this.ends[this.count++] = end;
  }

  merge(table: MergeTable): void {
    if (this.count < 2) return;
    table.expect(this.count);
    if (table.packed !== undefined) this.mergePacked(table.packed);
    else if (this.count <= shortSymbols) this.mergeInPlace(table);
    else this.mergeByHeap(table);
  }

  /** Few words come here, so it is written for starting fast: nothing is remembered, the ranks are the merged ids. */
  private mergePacked(merges: PackedMerges): void {
    const { ids, ranks } = this;
    let from = 0;
    let to = this.count - 1;
    for (;;) {
      for (let i = from; i < to; i++) ranks[i] = merges.find(ids[i], ids[i + 1]);
      let place = -1;
      for (let i = 0; i + 1 < this.count; i++) {
        if (ranks[i] >= 0 && (place < 0 || ranks[i] < ranks[place])) place = i;
      }
      if (place < 0) return;
      ids[place] = ranks[place];
      ids.copyWithin(place + 1, place + 2, this.count);
      ranks.copyWithin(place + 1, place + 2, this.count);
      this.joinSpans(place, this.count--);
      from = Math.max(0, place - 1);
      to = Math.min(place + 1, this.count - 1);
    }
  }

  private mergeInPlace(table: MergeTable): void {
    const { ids, ranks } = this;
    let last = this.count - 1;
    let from = 0;
    let to = last;
    for (;;) {
      for (let i = from; i < to; i++) ranks[i] = table.find(ids[i], ids[i + 1]);
      // As unsigned numbers, -1 (no merge) is the highest of all.
      let best = noRank;
      let place = 0;
      for (let i = 0; i < last; i++) {
        const rank = ranks[i] >>> 0;
        if (rank < best) {
          best = rank;
          place = i;
        }
      }
      if (best === noRank) break;
      ids[place] = table.mergedId(best);
      for (let i = place + 1; i < last; i++) {
        ids[i] = ids[i + 1];
        ranks[i] = ranks[i + 1];
      }
      if (this.spans) this.joinSpans(place, last + 1);
      last--;
      from = place > 0 ? place - 1 : 0;
      to = place < last ? place + 1 : last;
    }
    this.count = last + 1;
  }

  private joinSpans(place: number, count: number): void {
    this.ends[place] = this.ends[place + 1];
    this.starts.copyWithin(place + 1, place + 2, count);
    this.ends.copyWithin(place + 1, place + 2, count);
  }

  private mergeByHeap(table: MergeTable): void {
    const { ids, starts, ends, ranks } = this;
    const count = this.count;
    this.prepareLinks(count);
    const { previous, next } = this;
    for (let i = 0; i + 1 < count; i++) {
      ranks[i] = table.find(ids[i], ids[i + 1]);
      if (ranks[i] >= 0) this.pushPair(ranks[i], i);
    }
    ranks[count - 1] = -1;
    while (this.heapSize > 0) {
      const rank = this.heapRanks[0];
      const place = this.heapPlaces[0];
      this.popPair();
      // Entries of symbols that have merged since are stale.
      if (ranks[place] !== rank) continue;
      const right = next[place];
      const after = next[right];
      ids[place] = table.mergedId(rank);
      ends[place] = ends[right];
      ranks[right] = -1;
      next[place] = after;
      if (after < count) previous[after] = place;
      ranks[place] = after < count ? table.find(ids[place], ids[after]) : -1;
      if (ranks[place] >= 0) this.pushPair(ranks[place], place);
      const before = previous[place];
      if (before < 0) continue;
      ranks[before] = table.find(ids[before], ids[place]);
      if (ranks[before] >= 0) this.pushPair(ranks[before], before);
    }
    let kept = 0;
    for (let i = 0; i < count; i = next[i]) {
      ids[kept] = ids[i];
      starts[kept] = starts[i];
      ends[kept++] = ends[i];
    }
    this.count = kept;
  }

  private prepareLinks(count: number): void {
    if (this.next.length < count) {
      this.previous = new Int32Array(count);
      this.next = new Int32Array(count);
      // One entry per first pair and at most two more per merge, of which there are fewer than symbols.
      this.heapRanks = new Int32Array(3 * count);
      this.heapPlaces = new Int32Array(3 * count);
    }
    for (let i = 0; i < count; i++) {
      this.previous[i] = i - 1;
      this.next[i] = i + 1;
    }
    this.heapSize = 0;
  }

  private pushPair(rank: number, place: number): void {
    const { heapRanks, heapPlaces } = this;
    let at = this.heapSize++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heapRanks[parent];
      if (above < rank || (above === rank && heapPlaces[parent] <= place)) break;
      heapRanks[at] = above;
      heapPlaces[at] = heapPlaces[parent];
      at = parent;
    }
    heapRanks[at] = rank;
    heapPlaces[at] = place;
  }

  private popPair(): void {
    const { heapRanks, heapPlaces } = this;
    const size = --this.heapSize;
    const rank = heapRanks[size];
    const place = heapPlaces[size];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      const sibling = child + 1;
      if (
        sibling < size &&
        (heapRanks[sibling] < heapRanks[child] ||
          (heapRanks[sibling] === heapRanks[child] && heapPlaces[sibling] < heapPlaces[child]))
      ) {
        child = sibling;
      }
      const below = heapRanks[child];
      if (rank < below || (rank === below && place <= heapPlaces[child])) break;
      heapRanks[at] = below;
      heapPlaces[at] = heapPlaces[child];
      at = child;
    }
    heapRanks[at] = rank;
    heapPlaces[at] = place;
  }
}
