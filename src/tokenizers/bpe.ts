import type { IdSink } from '../types.ts';
import type { MergeTable } from './bpe-merges.ts';
import { WordMerger } from './bpe-word.ts';
import { keepsSpans, pushId, reserveIds } from './id-sink.ts';
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
  private readonly wordEnds = new Int32Array(1024);

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
      for (let i = 0; i < count; i++) {
        this.encodeWord(bytes, at, ends[i], into);
        at = ends[i];
      }
    }
  }

  /** Appends the ids of one word. */
  encodeWord(bytes: Uint8Array, start: number, end: number, into: IdSink): void {
    if (end <= start) return;
    const whole = this.model.wholeWord?.(bytes, start, end) ?? -1;
    if (whole >= 0) {
      pushId(into, whole, start, end);
      return;
    }
    const merger = this.mergeWord(bytes, start, end);
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

  private mergeWord(bytes: Uint8Array, start: number, end: number): WordMerger {
    const { byteIds, merges, unknownId, fuseUnknown } = this.model;
    const merger = this.merger;
    merger.clear(end - start);
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
