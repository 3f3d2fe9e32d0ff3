import type { IdSink } from '../types.ts';
import { toUtf16Spans, Utf8Text } from './bpe-text.ts';
import type { CharsMap } from './charsmap.ts';
import { type GgufPieces, tokenTypes } from './gguf-pieces.ts';
import { encodeUnigram, type UnigramModel } from './gguf-unigram.ts';
import { keepsSpans } from './id-sink.ts';
import { longestByFirst, PieceMatcher } from './piece-matcher.ts';
import { characterBytes } from './sentencepiece-bpe.ts';

export interface T5Options {
  addsSpace: boolean;
  mergesSpaces: boolean;
  /** The vocabulary writes the space after a word instead of before it. */
  spaceBehind: boolean;
  unknownId: number;
  charsMap: CharsMap | undefined;
}

/** How much worse an unknown character is than the worst piece. */
const unknownPenalty = 10;

const mark = [0xe2, 0x96, 0x81];

/**
 * SentencePiece's unigram model: its normalization, then the most probable pieces.
 *
 * Source: llm_tokenizer_ugm_session in llama.cpp's src/llama-vocab.cpp.
 */
export class GgufT5 {
  private readonly options: T5Options;
  private readonly model: UnigramModel;
  private readonly userDefined: PieceMatcher;
  private readonly utf8 = new Utf8Text();
  /** The normalized text, and the byte of the text that each of its bytes comes from. */
  private bytes = new Uint8Array(256);
  private sources = new Uint32Array(256);
  private length = 0;

  constructor(pieces: GgufPieces, scores: ArrayLike<number> | undefined, options: T5Options) {
    this.options = options;
    const { bytes, starts, ends } = pieces.strings;
    const types = Uint8Array.from({ length: pieces.count }, (_, id) => pieces.typeOf(id));
    const scoreOf = (id: number): number => scores?.[id] ?? 0;
    let lowest = Number.MAX_VALUE;
    types.forEach((type, id) => {
      if (type === tokenTypes.normal && scoreOf(id) < lowest) lowest = scoreOf(id);
    });
    const only = (...kinds: number[]): PieceMatcher => {
      const counts = (id: number): boolean => kinds.includes(types[id]);
      const finder = {
        findHashed(hash: number, from: Uint8Array, start: number, end: number): number {
          const id = pieces.findHashed(hash, from, start, end);
          return id >= 0 && counts(id) ? id : -1;
        },
      };
      return new PieceMatcher(finder, longestByFirst(bytes, starts, ends, counts));
    };
    this.userDefined = only(tokenTypes.userDefined);
    this.model = {
      matcher: only(tokenTypes.normal, tokenTypes.userDefined, tokenTypes.unused),
      // User-defined pieces are free, so that they win.
      scoreOf: (id) => (types[id] === tokenTypes.userDefined ? 0 : scoreOf(id)),
      unknownId: options.unknownId,
      unknownScore: Math.fround(lowest - unknownPenalty),
    };
  }

  encode(text: string, shift: number, _afterSpecial: boolean, into: IdSink): void {
    const { utf8, sources } = this;
    utf8.set(text);
    this.normalize();
    const from = into.length;
    encodeUnigram(this.model, this.bytes, 0, this.length, into);
    if (!keepsSpans(into)) return;
    const starts = into.starts.subarray(from, into.length);
    const ends = into.ends.subarray(from, into.length);
    for (let i = 0; i < starts.length; i++) {
      const last = this.sources[Math.max(starts[i], ends[i] - 1)];
      starts[i] = this.sources[starts[i]] ?? sources[0];
      ends[i] = Math.min(utf8.length, last + 1);
    }
    toUtf16Spans(utf8.bytes, utf8.length, starts, ends, starts.length);
    for (let i = 0; i < starts.length; i++) {
      starts[i] += shift;
      ends[i] += shift;
    }
  }

  private push(byte: number, source: number): void {
    if (this.length === this.bytes.length) {
      const [bytes, sources] = [new Uint8Array(2 * this.length), new Uint32Array(2 * this.length)];
      bytes.set(this.bytes);
      sources.set(this.sources);
      this.bytes = bytes;
      this.sources = sources;
    }
    this.bytes[this.length] = byte;
    this.sources[this.length++] = source;
  }

  private pushMark(source: number): void {
    for (const byte of mark) this.push(byte, source);
  }

  private normalize(): void {
    const { utf8, options, userDefined } = this;
    const { bytes, length } = utf8;
    this.length = 0;
    let inWord = false;
    let hasSpace = false;
    const put = (byte: number, source: number): void => {
      if (byte === 0x20) {
        inWord = false;
        if (!options.mergesSpaces) this.pushMark(source);
        return;
      }
      if (!inWord) {
        inWord = true;
        if ((options.addsSpace && !options.spaceBehind && !hasSpace) || options.mergesSpaces) {
          this.pushMark(source);
          hasSpace = true;
        }
      }
      this.push(byte, source);
    };
    for (let at = 0; at < length; ) {
      let taken = userDefined.matchLongest(bytes, at, length) < 0 ? 0 : userDefined.end - at;
      if (taken === 0) {
        taken = options.charsMap?.find(bytes, at, length, true) ?? 0;
        if (taken > 0) {
          for (const byte of Buffer.from(options.charsMap?.textAt(options.charsMap.place) ?? ''))
            put(byte, at);
          at += taken;
          continue;
        }
        taken = Math.min(characterBytes(bytes[at]), length - at);
      }
      for (let i = 0; i < taken; i++) put(bytes[at + i], at + i);
      at += taken;
    }
    if (options.addsSpace && options.spaceBehind) this.pushMark(Math.max(0, length - 1));
  }
}
