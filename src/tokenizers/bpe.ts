import type { IdSink } from '../types.ts';
import {
  hashLong,
  hashOf,
  headNumbers,
  highMasks,
  keyBytes,
  lowMasks,
  mixKey,
  placeMask,
  restNumbers,
  WordCache,
} from './bpe-cache.ts';
import type { UnmergedWord } from './bpe-explain.ts';
import type { MergeTable } from './bpe-merges.ts';
import { WordMerger } from './bpe-word.ts';
import { keepsSpans, reserveIds, type SpanSink } from './id-sink.ts';
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

  /** The bytes' ids are 0 to 255 in some order. */
  readonly lowBytes: boolean;
  /** Bytes of the tokens that were met by id, 0 for others; undefined where a token may stand for unknown bytes. */
  private lengths: Int32Array | undefined;

  constructor(model: BpeModel) {
    this.model = model;
    if (!model.byteIds.includes(-1)) this.lengths = new Int32Array(1024);
    this.lowBytes = new Set(model.byteIds).size === 256 && model.byteIds.every((id) => id >>> 8 === 0);
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
        this.look(bytes);
        for (let i = 0; i < count; i++) {
          if (into.trace !== undefined || !this.recall(bytes, at, ends[i], into))
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
    this.look(bytes);
    const { wordEnds, cache, view } = this;
    const { ids } = into;
    let { slots, entries, shift, mask } = cache;
    let length = into.length;
    let at = start;
    for (let i = 0; i < count; i++) {
      const end = wordEnds[i];
      const size = end - at;
      let hash: number;
      let place = 0;
      if (size <= keyBytes) {
        const k0 = view.getInt32(at, true) & lowMasks[size];
        const k1 = view.getInt32(at + 4, true) & highMasks[size];
        hash = mixKey(k0, k1, size);
        for (let slot = hash >>> shift; slots[slot] !== 0; slot = (slot + 1) & mask) {
          const entry = slots[slot] & placeMask;
          if (entries[entry] === k0 && entries[entry + 1] === k1 && (entries[entry + 2] & 255) === size) {
            place = entry;
            break;
          }
        }
      } else {
        hash = hashLong(view, at, end);
        place = cache.findLong(view, at, end, hash);
      }
      if (place === 0) {
        into.length = length;
        this.encodeNew(bytes, at, end, hash, into);
        length = into.length;
        ({ slots, entries, shift, mask } = cache);
      } else {
        const tokens = entries[place + 2] >>> 8;
        let from = place + headNumbers + restNumbers(size);
        const last = length + tokens;
        while (length < last) ids[length++] = entries[from++];
      }
      at = end;
    }
    into.length = length;
  }

  private look(bytes: Uint8Array): void {
    if (this.viewed === bytes) return;
    this.viewed = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Appends the ids of a word that was met before, each with the place that follows from the bytes of its tokens; false for others, which are kept. */
  private recall(bytes: Uint8Array, start: number, end: number, into: SpanSink): boolean {
    const { lengths, cache, view } = this;
    if (lengths === undefined) return false;
    const hash = hashOf(view, start, end);
    const place = cache.find(view, start, end, hash);
    if (place === 0) {
      this.merger.trace = undefined;
      const { ids, count, starts, ends } = this.mergeWord(bytes, start, end, true);
      cache.add(view, start, end, hash, ids, count);
      for (let i = 0; i < count; i++) this.learnLength(ids[i], ends[i] - starts[i]);
      appendMerged(this.merger, into);
      return true;
    }
    const tokens = cache.entries[place + 2] >>> 8;
    reserveIds(into, tokens);
    const from = place + headNumbers + restNumbers(end - start);
    let at = start;
    for (let i = 0; i < tokens; i++) {
      const id = cache.entries[from + i];
      // Met without its place until now.
      const size = lengths[id] || 0;
      if (size === 0) return false;
      into.ids[into.length + i] = id;
      into.starts[into.length + i] = at;
      at += size;
      into.ends[into.length + i] = at;
    }
    if (at !== end) return false;
    into.length += tokens;
    return true;
  }

  private learnLength(id: number, size: number): void {
    let { lengths = new Int32Array() } = this;
    if (id >= lengths.length) {
      lengths = new Int32Array(2 * id + 1);
      lengths.set(this.lengths ?? []);
      this.lengths = lengths;
    }
    lengths[id] = size;
  }

  private encodeNew(bytes: Uint8Array, start: number, end: number, hash: number, into: IdSink): void {
    this.merger.trace = undefined;
    const merger = this.mergeWord(bytes, start, end, false);
    const { ids, count } = merger;
    this.cache.add(this.view, start, end, hash, ids, count);
    for (let i = 0; i < count; i++) into.ids[into.length + i] = ids[i];
    into.length += count;
  }

  /** Appends the ids of one word. */
  encodeWord(bytes: Uint8Array, start: number, end: number, into: IdSink): void {
    if (end <= start) return;
    this.merger.trace = keepsSpans(into) ? into.trace : undefined;
    appendMerged(this.mergeWord(bytes, start, end, keepsSpans(into)), into);
    if (this.lengths === undefined || !keepsSpans(into)) return;
    const { ids, starts, ends, count } = this.merger;
    for (let i = 0; i < count; i++) this.learnLength(ids[i], ends[i] - starts[i]);
  }

  /** tiktoken's shortcut leads where the merges do; ignore_merges says that there are none. */
  private wholeWordTrace(bytes: Uint8Array, start: number, end: number, whole: number): UnmergedWord {
    const { byteIds, merges } = this.model;
    if (!merges.namesRanksByIds) return { ids: [whole], table: undefined };
    return { ids: Array.from(bytes.subarray(start, end), (byte) => byteIds[byte]), table: merges, whole };
  }

  private mergeWord(bytes: Uint8Array, start: number, end: number, spans: boolean): WordMerger {
    const { byteIds, merges, unknownId, fuseUnknown } = this.model;
    const merger = this.merger;
    merger.spans = spans;
    merger.clear(end - start);
    const whole = this.model.wholeWord?.(bytes, start, end) ?? -1;
    if (whole >= 0) {
      merger.push(whole, start, end);
      merger.trace?.push(this.wholeWordTrace(bytes, start, end, whole));
      return merger;
    }
    if (!spans && this.lowBytes) {
      merger.load(bytes, start, end, byteIds, merges);
      merger.merge(merges);
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

function appendMerged({ ids, starts, ends, count }: WordMerger, into: IdSink): void {
  reserveIds(into, count);
  for (let i = 0; i < count; i++) into.ids[into.length + i] = ids[i];
  if (keepsSpans(into)) {
    for (let i = 0; i < count; i++) {
      into.starts[into.length + i] = starts[i];
      into.ends[into.length + i] = ends[i];
    }
  }
  into.length += count;
}
