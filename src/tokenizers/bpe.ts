import type { IdSink } from '../types.ts';
import { keyBytes, mixKey, WordCache } from './bpe-cache.ts';
import type { MergeTable } from './bpe-merges.ts';
import { WordMerger } from './bpe-word.ts';
import { keepsSpans, reserveIds } from './id-sink.ts';
import type { Scanner } from './scanner.ts';

/** What byte pair encoding needs to know of a vocabulary. */
export interface BpeModel {
  /** Id of each of the 256 single bytes, -1 where the vocabulary lacks it. */
  byteIds: Int32Array;
  merges: MergeTable;
  /**
   * Id of a whole word that is taken as it is, without merging, or -1. Absent where merging always gives the same.
   * Hugging Face's ignore_merges; tiktoken always looks here first, which only matters for pieces that no merge reaches.
   */
  wholeWord?(bytes: Uint8Array, start: number, end: number): number;
  /** Stands for bytes without an id; without it they are dropped and their neighbors merge, as in Hugging Face's BPE. */
  unknownId?: number;
  /** Neighboring unknown bytes share one unknown token. */
  fuseUnknown?: boolean;
}

/** Which bytes of the eight from a word's start belong to it, as two little-endian numbers. */
const lowMasks = Int32Array.of(0, 0xff, 0xffff, 0xffffff, -1, -1, -1, -1, -1);
const highMasks = Int32Array.of(0, 0, 0, 0, 0, 0xff, 0xffff, 0xffffff, -1);

/**
 * Byte pair encoding of words: ids of the merges with the lowest rank, leftmost first.
 *
 * Cost: near linear in the text whatever it holds; words are cached within a fixed amount of memory.
 */
export class BpeEngine {
  readonly model: BpeModel;
  private readonly merger = new WordMerger();
  private readonly cache = new WordCache();
  private readonly wordEnds = new Int32Array(1024);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private viewed: Uint8Array | undefined;

  constructor(model: BpeModel) {
    this.model = model;
  }

  /**
   * Cuts bytes[start, end) into words and appends their ids; a sink with spans gets byte offsets into `bytes` too.
   *
   * `bytes` must go on for scannerPadding zero bytes after `end`.
   */
  encodeWords(bytes: Uint8Array, start: number, end: number, scanner: Scanner, into: IdSink): void {
    const ends = this.wordEnds;
    let at = start;
    while (at < end) {
      const count = scanner.scan(bytes, at, end, ends);
      const last = ends[count - 1];
      if (keepsSpans(into)) {
        for (let i = 0; i < count; i++) {
          this.encodeWord(bytes, at, ends[i], into);
          at = ends[i];
        }
      } else {
        // No word has more tokens than bytes.
        reserveIds(into, last - at);
        this.encodeBatch(bytes, at, count, into);
      }
      at = last;
    }
  }

  /** The first `count` words of wordEnds, through the cache; `into` has room for them. */
  private encodeBatch(bytes: Uint8Array, start: number, count: number, into: IdSink): void {
    if (this.viewed !== bytes) {
      this.viewed = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const { wordEnds, cache, view } = this;
    const { ids } = into;
    let { slots, shift, mask } = cache;
    let length = into.length;
    let at = start;
    for (let i = 0; i < count; i++) {
      const end = wordEnds[i];
      const size = end - at;
      let found = -1;
      let k0 = 0;
      let k1 = 0;
      if (size <= keyBytes) {
        k0 = view.getInt32(at, true) & lowMasks[size];
        k1 = view.getInt32(at + 4, true) & highMasks[size];
        let slot = mixKey(k0, k1, size) >>> shift;
        for (;;) {
          const place = 4 * slot;
          const meta = slots[place + 2];
          if (meta === 0) break;
          if (slots[place] === k0 && slots[place + 1] === k1 && (meta & 255) === size) {
            found = place;
            break;
          }
          slot = (slot + 1) & mask;
        }
      } else found = cache.findLong(view, at, end);
      if (found < 0) {
        into.length = length;
        this.encodeNew(bytes, at, end, k0, k1, into);
        length = into.length;
        ({ slots, shift, mask } = cache);
      } else {
        const tokens = slots[found + 2] >>> 8;
        const value = slots[found + 3];
        if (tokens === 1) ids[length++] = value;
        else {
          const kept = cache.ids;
          for (let j = 0; j < tokens; j++) ids[length++] = kept[value + j];
        }
      }
      at = end;
    }
    into.length = length;
  }

  private encodeNew(
    bytes: Uint8Array,
    start: number,
    end: number,
    k0: number,
    k1: number,
    into: IdSink,
  ): void {
    const merger = this.mergeWord(bytes, start, end, false);
    const { ids, count } = merger;
    this.cache.add(bytes, this.view, start, end, k0, k1, ids, count);
    for (let i = 0; i < count; i++) into.ids[into.length + i] = ids[i];
    into.length += count;
  }

  /** Appends the ids of one word. */
  encodeWord(bytes: Uint8Array, start: number, end: number, into: IdSink): void {
    if (end <= start) return;
    const merger = this.mergeWord(bytes, start, end, keepsSpans(into));
    reserveIds(into, merger.count);
    const { ids, starts, ends, count } = merger;
    for (let i = 0; i < count; i++) into.ids[into.length + i] = ids[i];
    if (keepsSpans(into)) {
      for (let i = 0; i < count; i++) {
        into.starts[into.length + i] = starts[i];
        into.ends[into.length + i] = ends[i];
      }
    }
    into.length += count;
  }

  private mergeWord(bytes: Uint8Array, start: number, end: number, spans: boolean): WordMerger {
    const { byteIds, merges, unknownId, fuseUnknown } = this.model;
    const merger = this.merger;
    merger.spans = spans;
    merger.clear(end - start);
    const whole = this.model.wholeWord?.(bytes, start, end) ?? -1;
    if (whole >= 0) {
      merger.push(whole, start, end);
      return merger;
    }
    let unknown = false;
    for (let i = start; i < end; i++) {
      const id = byteIds[bytes[i]];
      if (id >= 0) merger.push(id, i, i + 1);
      else if (unknownId !== undefined) {
        if (unknown && fuseUnknown) merger.ends[merger.count - 1] = i + 1;
        else merger.push(unknownId, i, i + 1);
      }
      unknown = id < 0;
    }
    merger.merge(merges);
    return merger;
  }
}
