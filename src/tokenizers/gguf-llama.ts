import type { IdSink } from '../types.ts';
import { toUtf16Spans, Utf8Text } from './bpe-text.ts';
import { byteTokens, type GgufPieces } from './gguf-pieces.ts';
import { keepsSpans, pushId } from './id-sink.ts';
import { noMerge, SymbolMerger } from './sentencepiece-bpe.ts';

/**
 * SentencePiece's BPE: neighbors merge whose joined piece has the highest score; what is no piece falls back to bytes.
 *
 * Source: llm_tokenizer_spm_session in llama.cpp's src/llama-vocab.cpp.
 */
export class GgufLlama {
  private readonly pieces: GgufPieces;
  private readonly addsSpace: boolean;
  private readonly unknownId: number;
  private readonly cost: (bytes: Uint8Array, start: number, middle: number, end: number) => number;
  private readonly utf8 = new Utf8Text();
  private readonly merger = new SymbolMerger();
  private fallback: Int32Array | undefined;

  constructor(
    pieces: GgufPieces,
    scores: ArrayLike<number> | undefined,
    addsSpace: boolean,
    unknownId: number,
  ) {
    this.pieces = pieces;
    this.addsSpace = addsSpace;
    this.unknownId = unknownId;
    this.cost = (bytes, start, _middle, end) => {
      const id = pieces.find(bytes, start, end);
      if (id < 0) return noMerge;
      const score = scores?.[id] ?? 0;
      // Infinite and missing scores are the last to merge, and do.
      return Number.isFinite(score) ? -score : Number.MAX_VALUE;
    };
  }

  encode(text: string, shift: number, afterSpecial: boolean, into: IdSink): void {
    const prefix = this.addsSpace && afterSpecial ? '▁' : '';
    const { utf8, merger, pieces } = this;
    utf8.set(prefix + text.replaceAll(' ', '▁'));
    merger.merge(utf8.bytes, 0, utf8.length, this.cost);
    this.fallback ??= byteTokens(pieces);
    const from = into.length;
    for (let i = 0; i < merger.count; i++) {
      const [start, end] = [merger.starts[i], merger.starts[i + 1]];
      const id = pieces.find(utf8.bytes, start, end);
      if (id >= 0) pushId(into, id, start, end);
      else for (let at = start; at < end; at++) pushId(into, this.byteId(at), at, at + 1);
    }
    placeSpans(into, from, utf8, shift - prefix.length, shift);
  }

  private byteId(at: number): number {
    const { utf8, pieces } = this;
    const id = this.fallback?.[utf8.bytes[at]] ?? -1;
    if (id >= 0) return id;
    const plain = pieces.find(utf8.bytes, at, at + 1);
    return plain >= 0 ? plain : this.unknownId;
  }
}

/** Turns the byte offsets of the ids from `from` on into UTF-16 offsets, moved by `shift` and not below `least`. */
export function placeSpans(into: IdSink, from: number, utf8: Utf8Text, shift: number, least: number): void {
  if (!keepsSpans(into)) return;
  const starts = into.starts.subarray(from, into.length);
  const ends = into.ends.subarray(from, into.length);
  toUtf16Spans(utf8.bytes, utf8.length, starts, ends, starts.length);
  for (let i = 0; i < starts.length; i++) {
    starts[i] = Math.max(least, starts[i] + shift);
    ends[i] = Math.max(least, ends[i] + shift);
  }
}
