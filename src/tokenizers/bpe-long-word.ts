import type { MergeTable } from './bpe-merges.ts';

/**
 * Merges the symbols of a word of many: lowest rank first, leftmost among equals, as WordMerger does.
 *
 * Pairs wait in a list for each rank. Ids of merges are learned after their parts, so a pair that appears while a rank is merged has a
 * higher one, and all pairs of a rank can be gone through from left to right; a table where that is not so is noticed, and the rest of
 * the rank waits for the new pair.
 * Shape: ids [count], ranks [count] as scratch → how many are left; ids and, where given, ends are those of the tokens
 * Cost: near linear in count: what is sorted are ranks, and lists whose places came out of order.
 */
export function mergeLongWord(
  table: MergeTable,
  ids: Int32Array,
  ranks: Int32Array,
  count: number,
  spans?: { starts: Int32Array; ends: Int32Array },
): number {
  const previous = new Int32Array(count);
  const next = new Int32Array(count);
  const waiting = new WaitingPairs();
  for (let i = 0; i < count; i++) {
    previous[i] = i - 1;
    next[i] = i + 1;
    ranks[i] = i + 1 < count ? table.find(ids[i], ids[i + 1]) : -1;
    if (ranks[i] >= 0) waiting.add(ranks[i], i);
  }
  for (let rank = waiting.lowest(); rank >= 0; rank = waiting.lowest()) {
    const places = waiting.take(rank);
    const merged = table.mergedId(rank);
    for (let at = 0; at < places.length; at++) {
      const place = places[at];
      // Symbols that have merged since.
      if (ranks[place] !== rank) continue;
      const right = next[place];
      const after = next[right];
      ids[place] = merged;
      if (spans !== undefined) spans.ends[place] = spans.ends[right];
      ranks[right] = -1;
      next[place] = after;
      let lowest = -1;
      ranks[place] = after < count ? table.find(merged, ids[after]) : -1;
      if (after < count) previous[after] = place;
      if (ranks[place] >= 0) {
        waiting.add(ranks[place], place);
        lowest = ranks[place];
      }
      const before = previous[place];
      if (before >= 0) {
        ranks[before] = table.find(ids[before], merged);
        if (ranks[before] >= 0) {
          waiting.add(ranks[before], before);
          if (lowest < 0 || ranks[before] < lowest) lowest = ranks[before];
        }
      }
      if (lowest >= 0 && lowest <= rank) {
        for (at++; at < places.length; at++) waiting.add(rank, places[at]);
      }
    }
  }
  let kept = 0;
  for (let i = 0; i < count; i = next[i]) {
    ids[kept] = ids[i];
    if (spans !== undefined) {
      spans.starts[kept] = spans.starts[i];
      spans.ends[kept] = spans.ends[i];
    }
    kept++;
  }
  return kept;
}

/** Places of pairs by their rank, and the ranks in order. */
class WaitingPairs {
  readonly #places = new Map<number, number[]>();
  /** A heap of the ranks that have places. */
  readonly #ranks: number[] = [];

  add(rank: number, place: number): void {
    const places = this.#places.get(rank);
    if (places !== undefined) {
      places.push(place);
      return;
    }
    this.#places.set(rank, [place]);
    this.#push(rank);
  }

  /** -1 when nothing waits. */
  lowest(): number {
    return this.#ranks.length === 0 ? -1 : this.#ranks[0];
  }

  /** The places of the lowest rank from left to right, which then wait no more. */
  take(rank: number): number[] {
    const places = this.#places.get(rank) as number[];
    this.#places.delete(rank);
    this.#pop();
    for (let i = 1; i < places.length; i++)
      if (places[i] < places[i - 1]) return places.sort((a, b) => a - b);
    return places;
  }

  #push(rank: number): void {
    const heap = this.#ranks;
    let at = heap.length;
    heap.push(rank);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent] <= rank) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = rank;
  }

  #pop(): void {
    const heap = this.#ranks;
    const rank = heap.pop() as number;
    if (heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
      if (rank <= heap[child]) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = rank;
  }
}
