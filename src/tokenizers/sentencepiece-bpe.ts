/** Pair of symbols that do not merge. */
export const noMerge = Number.POSITIVE_INFINITY;

/**
 * What a pair of neighbors in bytes costs: [start, middle) and [middle, end). The lowest merges first, the leftmost of equal ones;
 * noMerge never does. For SentencePiece the cost is minus the score of the joined piece, for BPE the rank.
 */
export type PairCost = (bytes: Uint8Array, start: number, middle: number, end: number) => number;

/**
 * Merges neighboring characters of a text, the cheapest pair first, as SentencePiece's BPE and llama.cpp do.
 *
 * Symbols are stretches of the bytes: pieces need no ids while they merge.
 * Source: llm_tokenizer_spm_session and llm_tokenizer_bpe_session in llama.cpp's src/llama-vocab.cpp.
 * Cost: O(n log n) for n characters, and the costs of up to 3 n pairs.
 */
export class SymbolMerger {
  /** After `merge`: symbol i is bytes[starts[i], starts[i + 1]), and `count` of them. */
  starts = new Int32Array(64);
  count = 0;
  private previous = new Int32Array(64);
  private next = new Int32Array(64);
  /** Pairs that were found: their left symbol, where they end, and what they cost. */
  private lefts = new Int32Array(192);
  private ends = new Int32Array(192);
  private costs = new Float64Array(192);
  private pairs = 0;
  /** Pairs in heap order. */
  private heap = new Int32Array(192);
  private heapSize = 0;

  /** Cuts bytes[start, end), which is UTF-8, into characters and merges them. */
  merge(bytes: Uint8Array, start: number, end: number, cost: PairCost): void {
    this.makeRoom(end - start);
    let count = 0;
    for (let at = start; at < end; at = Math.min(end, at + characterBytes(bytes[at])))
      this.starts[count++] = at;
    this.starts[count] = end;
    const { previous, next, starts } = this;
    this.pairs = 0;
    this.heapSize = 0;
    for (let i = 0; i < count; i++) {
      previous[i] = i - 1;
      next[i] = i + 1;
    }
    for (let i = 1; i < count; i++) this.add(bytes, i - 1, i, cost);
    while (this.heapSize > 0) {
      const pair = this.pop();
      const left = this.lefts[pair];
      const right = next[left];
      // Stale when a symbol of it has merged since: it then ends elsewhere, or begins with nothing.
      if (right < 0 || right >= count || starts[next[right]] !== this.ends[pair]) continue;
      const after = next[right];
      next[left] = after;
      next[right] = -1;
      if (after < count) previous[after] = left;
      if (previous[left] >= 0) this.add(bytes, previous[left], left, cost);
      if (after < count) this.add(bytes, left, after, cost);
    }
    let kept = 0;
    for (let i = 0; i < count; i = next[i]) starts[kept++] = starts[i];
    starts[kept] = end;
    this.count = kept;
  }

  private makeRoom(symbols: number): void {
    if (symbols < this.starts.length) return;
    const capacity = Math.max(symbols + 1, 2 * this.starts.length);
    this.starts = new Int32Array(capacity);
    this.previous = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
    // One pair per neighbors and at most two more per merge, of which there are fewer than symbols.
    this.lefts = new Int32Array(3 * capacity);
    this.ends = new Int32Array(3 * capacity);
    this.costs = new Float64Array(3 * capacity);
    this.heap = new Int32Array(3 * capacity);
  }

  private add(bytes: Uint8Array, left: number, right: number, cost: PairCost): void {
    const { starts, next } = this;
    const end = starts[next[right]];
    const price = cost(bytes, starts[left], starts[right], end);
    if (price === noMerge) return;
    const pair = this.pairs++;
    this.lefts[pair] = left;
    this.ends[pair] = end;
    this.costs[pair] = price;
    const { heap } = this;
    let at = this.heapSize++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.isBefore(pair, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = pair;
  }

  private pop(): number {
    const { heap } = this;
    const top = heap[0];
    const last = heap[--this.heapSize];
    const size = this.heapSize;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && this.isBefore(heap[child + 1], heap[child])) child++;
      if (!this.isBefore(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return top;
  }

  private isBefore(a: number, b: number): boolean {
    const difference = this.costs[a] - this.costs[b];
    return difference < 0 || (difference === 0 && this.lefts[a] < this.lefts[b]);
  }
}

/** Bytes of the character that begins with this byte; 1 for one that begins none. */
export function characterBytes(lead: number): number {
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
