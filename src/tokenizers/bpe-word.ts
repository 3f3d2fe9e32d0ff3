import type { TracedWord } from './bpe-explain.ts';
import { mergeLongWord } from './bpe-long-word.ts';
import type { MergeTable, PackedMerges } from './bpe-merges.ts';

/** Words up to this many symbols merge in place, in quadratic time with a tiny constant; longer ones by a heap. */
const shortSymbols = 48;

/** Above it places wait by rank: a heap of all pairs no longer fits the caches. */
const longSymbols = 4096;

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
  /** Gets the symbols of words before they merge, where they are to be explained. */
  trace: TracedWord[] | undefined;
  private ranks = new Int32Array(256);
  private previous = new Int32Array(0);
  private next = new Int32Array(0);
  private heap = new Float64Array(0);
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

  /** Takes a word's bytes without spans, and merges those that merge whatever the rest of the word does. */
  load(bytes: Uint8Array, start: number, end: number, byteIds: Int32Array, table: MergeTable): void {
    const { ids } = this;
    const { early, direct } = table;
    if (early === undefined) {
      for (let i = start; i < end; i++) ids[i - start] = byteIds[bytes[i]];
      this.count = end - start;
      return;
    }
    const { before, after } = early;
    const last = end - 1;
    let count = 0;
    let previous = -1;
    let id = byteIds[bytes[start]];
    for (let i = start; i <= last; i++) {
      // After the word come a text's zero bytes or the next word.
      const right = byteIds[bytes[i + 1]];
      if (i < last) {
        const rank = direct[(id << 8) | right];
        if (rank > 0 && (previous < 0 || rank < before[(previous << 8) | id])) {
          const beyond = byteIds[bytes[i + 2]];
          if (i + 1 === last || rank < after[(right << 8) | beyond]) {
            ids[count++] = table.mergedId(rank - 1);
            previous = right;
            id = beyond;
            i++;
            continue;
          }
        }
      }
      ids[count++] = id;
      previous = id;
      id = right;
    }
    this.count = count;
  }

  merge(table: MergeTable): void {
    this.trace?.push({ ids: Array.from(this.ids.subarray(0, this.count)), table });
    if (this.count < 2) return;
    table.expect(this.count);
    if (table.packed !== undefined) this.mergePacked(table.packed);
    else if (this.count <= shortSymbols) this.mergeInPlace(table);
    else if (this.count <= longSymbols) this.mergeByHeap(table);
    else {
      const { starts, ends, spans } = this;
      this.count = mergeLongWord(
        table,
        this.ids,
        this.ranks,
        this.count,
        spans ? { starts, ends } : undefined,
      );
    }
  }

  /** Few words come here, so it is written for starting fast: nothing is remembered. */
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
      ids[place] = merges.mergedId === undefined ? ranks[place] : merges.mergedId(ranks[place]);
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
    const { previous, next, heap } = this;
    // Rank and place in one number, so that one comparison orders them: exact below 2^53, which is a word of 4 million
    // bytes with any rank, and more than a string holds with the ranks of real vocabularies.
    const scale = 2 ** Math.ceil(Math.log2(count));
    let from = 0;
    let to = count - 1;
    for (;;) {
      for (let i = from; i < to; i = next[i]) {
        ranks[i] = table.find(ids[i], ids[next[i]]);
        if (ranks[i] >= 0) this.pushPair(ranks[i] * scale + i);
      }
      if (this.heapSize === 0) break;
      const rank = Math.floor(heap[0] / scale);
      const place = heap[0] - rank * scale;
      this.popPair();
      from = to = 0;
      // Entries of symbols that have merged since are stale.
      if (ranks[place] !== rank) continue;
      const right = next[place];
      const after = next[right];
      ids[place] = table.mergedId(rank);
      ends[place] = ends[right];
      ranks[right] = -1;
      next[place] = after;
      ranks[place] = -1;
      if (after < count) previous[after] = place;
      from = previous[place] < 0 ? place : previous[place];
      to = after < count ? after : place;
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
      this.previous = new Int32Array(2 * count);
      this.next = new Int32Array(2 * count);
      // One entry per first pair and at most two more per merge, of which there are fewer than symbols.
      this.heap = new Float64Array(6 * count);
    }
    for (let i = 0; i < count; i++) {
      this.previous[i] = i - 1;
      this.next[i] = i + 1;
    }
    this.ranks[count - 1] = -1;
    this.heapSize = 0;
  }

  private pushPair(key: number): void {
    const { heap } = this;
    let at = this.heapSize++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent] <= key) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = key;
  }

  private popPair(): void {
    const { heap } = this;
    const size = --this.heapSize;
    const key = heap[size];
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && heap[child + 1] < heap[child]) child++;
      if (key <= heap[child]) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = key;
  }
}
