import type { IdSink, WeighedPiece } from '../types.ts';
import { Utf8Text } from './bpe-text.ts';
import { byteTokens, type GgufPieces, tokenTypes } from './gguf-pieces.ts';
import { placeSpans } from './gguf-spans.ts';
import { pushId } from './id-sink.ts';
import { longestByFirst, PieceMatcher } from './piece-matcher.ts';
import { characterBytes } from './sentencepiece-bpe.ts';
import { traceWord } from './weighed-pieces.ts';

/** Scores are whole ten thousandths; a character that is no token has this one. */
const scoreScale = 1e4;
const unknownScore = -10_000_000;
const invalidScore = -20_000_000;

/**
 * PLaMo 2's unigram model: the cuts with the highest sum of rounded scores, found from the end of the text, in bytes where no token fits.
 *
 * Source: llm_tokenizer_plamo2 in llama.cpp's src/llama-vocab.cpp.
 */
export class GgufPlamo2 {
  private readonly matcher: PieceMatcher;
  private readonly scores: Float64Array;
  private readonly byteIds: Int32Array;
  private readonly utf8 = new Utf8Text();

  constructor(pieces: GgufPieces, scores: ArrayLike<number> | undefined) {
    const { bytes, starts, ends } = pieces.strings;
    this.scores = Float64Array.from({ length: pieces.count }, (_, id) => {
      const score = scores?.[id] ?? 0;
      return Number.isFinite(score)
        ? Math.sign(score) * Math.round(Math.abs(score) * scoreScale)
        : invalidScore;
    });
    const counts = (id: number): boolean => pieces.typeOf(id) !== tokenTypes.byte;
    const finder = {
      findHashed(hash: number, from: Uint8Array, start: number, end: number): number {
        const id = pieces.findHashed(hash, from, start, end);
        return id >= 0 && counts(id) ? id : -1;
      },
    };
    this.matcher = new PieceMatcher(finder, longestByFirst(bytes, starts, ends, counts));
    this.byteIds = byteTokens(pieces);
  }

  encode(text: string, shift: number, _afterSpecial: boolean, into: IdSink): void {
    const { utf8, matcher, scores } = this;
    // A byte order mark is not of the text.
    const skipped = text.startsWith('\ufeff') ? 1 : 0;
    utf8.set(text.slice(skipped));
    const { bytes, length } = utf8;
    const costs = new Float64Array(length + 1).fill(2 ** 60);
    const ids = new Int32Array(length + 1);
    const next = new Int32Array(length + 1);
    costs[length] = 0;
    for (let at = length - 1; at >= 0; at--) {
      if ((bytes[at] & 0xc0) === 0x80) continue;
      const here = at;
      const take = (id: number, score: number, end: number): void => {
        // Longer pieces come later and win at the same cost.
        if (score <= invalidScore || costs[end] - score > costs[here]) return;
        costs[here] = costs[end] - score;
        ids[here] = id;
        next[here] = end;
      };
      take(-1, unknownScore, Math.min(length, at + characterBytes(bytes[at])));
      matcher.matchAll(bytes, at, length, (id, end) => take(id, scores[id], end));
    }
    const from = into.length;
    for (let at = 0; at < length; at = next[at]) {
      if (ids[at] >= 0) pushId(into, ids[at], at, next[at]);
      else for (let i = at; i < next[at]; i++) pushId(into, Math.max(0, this.byteIds[bytes[i]]), i, i + 1);
    }
    traceWord(into, from, bytes, [0, length], () => this.lattice(costs));
    placeSpans(into, from, utf8, shift + skipped, shift);
  }

  /** Every token that stands in the text, with the best sum from its start to the end of the text by way of it. */
  private lattice(costs: Float64Array): Omit<WeighedPiece, 'chosen'>[] {
    const { matcher, scores } = this;
    const { bytes, length } = this.utf8;
    const pieces: Omit<WeighedPiece, 'chosen'>[] = [];
    for (let at = 0; at < length; at = Math.min(length, at + characterBytes(bytes[at]))) {
      const start = at;
      matcher.matchAll(bytes, start, length, (id, end) => {
        if (scores[id] <= invalidScore) return;
        const [score, total] = [scores[id] / scoreScale, (scores[id] - costs[end]) / scoreScale];
        pieces.push({ start, end, id, score, total });
      });
    }
    return pieces;
  }
}
