import type { ChunkModel } from '../kernels/chunks-model.ts';
import type { IdSink } from '../types.ts';
import { Utf8Text } from './bpe-text.ts';
import { DirectWords } from './direct-words.ts';
import { byteTokens, type GgufPieces } from './gguf-pieces.ts';
import { placeSpans } from './gguf-spans.ts';
import { keepsSpans, pushId } from './id-sink.ts';
import { noMerge, SymbolMerger } from './sentencepiece-bpe.ts';
import { pieceTypes } from './sentencepiece-model.ts';
import { kernelPairs, type PairedModel } from './sentencepiece-pairs.ts';
import { planSentencePiece } from './sentencepiece-plan.ts';
import { idsBetween, type SymbolRules, traceMerges, traceOf, wordsBetweenMarks } from './symbol-explain.ts';
import { ChunkEncoder } from './tokenizer-json-chunks.ts';
import type { WordModel } from './wordpiece.ts';

/** UTF-16 units, of one text or of many, after which texts are encoded chunk by chunk. */
const chunkUnits = 8192;

/**
 * SentencePiece's BPE: neighbors merge whose joined piece has the highest score; what is no piece falls back to bytes.
 *
 * Source: llm_tokenizer_spm_session in llama.cpp's src/llama-vocab.cpp.
 */
export class GgufLlama implements WordModel {
  private readonly pieces: GgufPieces;
  private readonly addsSpace: boolean;
  private readonly unknownId: number;
  private readonly scoreOf: (id: number) => number;
  private readonly cost: (bytes: Uint8Array, start: number, middle: number, end: number) => number;
  private readonly utf8 = new Utf8Text();
  private readonly merger = new SymbolMerger();
  private units = 0;
  private readyBytes: Int32Array | undefined;
  /** null: chunks of these texts are not independent. */
  private readyChunks: ChunkEncoder | null | undefined;

  constructor(
    pieces: GgufPieces,
    scores: ArrayLike<number> | undefined,
    addsSpace: boolean,
    unknownId: number,
  ) {
    this.pieces = pieces;
    this.addsSpace = addsSpace;
    this.unknownId = unknownId;
    this.scoreOf = (id) => {
      const score = scores?.[id] ?? 0;
      // Infinite and missing scores are the last to merge, and do.
      return Number.isFinite(score) ? score : -Number.MAX_VALUE;
    };
    this.cost = (bytes, start, _middle, end) => {
      const id = pieces.find(bytes, start, end);
      return id < 0 ? noMerge : -this.scoreOf(id);
    };
  }

  encode(text: string, shift: number, afterSpecial: boolean, into: IdSink): void {
    const isPrefixed = this.addsSpace && afterSpecial;
    this.units += text.length;
    const chunks = keepsSpans(into) ? undefined : this.chunks;
    if (chunks !== undefined) {
      chunks.encode(isPrefixed ? ` ${text}` : text, 0, into);
      return;
    }
    const prefix = isPrefixed ? '▁' : '';
    const { utf8 } = this;
    utf8.set(prefix + text.replaceAll(' ', '▁'));
    const from = into.length;
    this.encodeWord(utf8.bytes, 0, utf8.length, into);
    placeSpans(into, from, utf8, shift - prefix.length, shift);
  }

  encodeWord(bytes: Uint8Array, first: number, last: number, into: IdSink): void {
    const { merger, pieces } = this;
    const before = into.length;
    merger.merge(bytes, first, last, this.cost);
    for (let i = 0; i < merger.count; i++) {
      const [start, end] = [merger.starts[i], merger.starts[i + 1]];
      const id = pieces.find(bytes, start, end);
      if (id >= 0) pushId(into, id, start, end);
      else for (let at = start; at < end; at++) pushId(into, this.byteIds[bytes[at]], at, at + 1);
    }
    const trace = traceOf(into);
    if (trace === undefined) return;
    const idOf: SymbolRules['idOf'] = (text, start, end) => pieces.find(text, start, end);
    for (const word of wordsBetweenMarks(bytes, merger.starts, merger.count, false)) {
      const rules = { cost: this.cost, by: 'score', idOf } as const;
      traceMerges(trace, bytes, word, idsBetween(into, before, ...word), rules);
    }
  }

  forKernel(): ChunkModel | undefined {
    return kernelPairs(this.model, (id) => id, this.byteIds);
  }

  private get byteIds(): Int32Array {
    const { pieces, unknownId } = this;
    this.readyBytes ??= byteTokens(pieces).map((id, byte) => {
      const plain = id < 0 ? pieces.find(Uint8Array.of(byte), 0, 1) : id;
      return plain >= 0 ? plain : unknownId;
    });
    return this.readyBytes;
  }

  /** The vocabulary as SentencePiece would have it: all tokens merge, of equal ones the first. */
  private get model(): PairedModel {
    const { pieces } = this;
    const { strings, count } = pieces;
    const types = Uint8Array.from({ length: count }, (_, id) =>
      pieces.find(strings.bytes, strings.starts[id], strings.ends[id]) === id
        ? pieceTypes.normal
        : pieceTypes.control,
    );
    return {
      type: 'bpe',
      normalizer: {
        charsMap: undefined,
        addDummyPrefix: false,
        removeExtraSpaces: false,
        escapeSpaces: true,
        spaceBehind: false,
      },
      strings,
      types,
      count,
      byteFallback: true,
      index: pieces,
      scores: Float64Array.from({ length: count }, (_, id) => this.scoreOf(id)),
      unknownId: -1,
    };
  }

  /** What encodes chunk by chunk, once there was enough text to make it worth its tables. */
  private get chunks(): ChunkEncoder | undefined {
    if (this.readyChunks !== undefined || this.units < chunkUnits) return this.readyChunks ?? undefined;
    const plan = planSentencePiece(this.model);
    const utf8 = new Utf8Text();
    this.readyChunks =
      plan === undefined
        ? null
        : new ChunkEncoder(
            plan,
            (text, _shift, _first, _last, into) => {
              utf8.set(text.replaceAll(' ', '▁'));
              this.encodeWord(utf8.bytes, 0, utf8.length, into);
            },
            this,
            new DirectWords(this, plan.space, plan.learn),
            { after: 0 },
          );
    return this.readyChunks ?? undefined;
  }
}
