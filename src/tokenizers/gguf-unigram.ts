import type { IdSink, WeighedPiece } from '../types.ts';
import { keepsSpans, pushId } from './id-sink.ts';
import type { PieceMatcher } from './piece-matcher.ts';
import { characterBytes } from './sentencepiece-bpe.ts';
import { traceWord } from './weighed-pieces.ts';

/** What Viterbi's search needs to know of a unigram vocabulary. */
export interface UnigramModel {
  matcher: PieceMatcher;
  /** Log probability of a piece. */
  scoreOf(id: number): number;
  unknownId: number;
  /** What a character that is no piece costs. */
  unknownScore: number;
}

/**
 * Appends the most probable pieces of bytes[start, end), which is UTF-8; unknown characters in a row are one token. Byte offsets go to a
 * sink with spans.
 *
 * Of equal sums the one whose last piece begins first wins.
 * Source: T. Kudo, "Subword Regularization" (2018), in the order of SentencePiece's EncodeOptimized.
 * Cost: O(text) times the longest piece, 16 bytes of memory per byte of the text.
 */
export function encodeUnigram(
  model: UnigramModel,
  bytes: Uint8Array,
  start: number,
  end: number,
  into: IdSink,
): void {
  const size = end - start;
  if (size <= 0) return;
  const best = new Float64Array(size + 1).fill(Number.NEGATIVE_INFINITY);
  const ids = new Int32Array(size + 1);
  const from = new Int32Array(size + 1);
  best[0] = 0;
  let whole = false;
  let here = 0;
  let width = 0;
  const challenge = (id: number, score: number, to: number): void => {
    if (score <= best[to]) return;
    best[to] = score;
    ids[to] = id;
    from[to] = here;
  };
  const found = (id: number, to: number): void => {
    if (to - start - here === width) whole = true;
    challenge(id, best[here] + model.scoreOf(id), to - start);
  };
  for (; here < size; here += width) {
    width = Math.min(characterBytes(bytes[start + here]), size - here);
    whole = false;
    model.matcher.matchAll(bytes, start + here, end, found);
    if (!whole) challenge(model.unknownId, best[here] + model.unknownScore, here + width);
  }
  const first = into.length;
  pushPath(model.unknownId, ids, from, start, into);
  traceWord(into, first, bytes, [start, end], () => lattice(model, bytes, start, end, best));
}

/** Every piece that stands in bytes[start, end), with the best sum up to its end by way of it. */
function lattice(
  model: UnigramModel,
  bytes: Uint8Array,
  start: number,
  end: number,
  best: Float64Array,
): Omit<WeighedPiece, 'chosen'>[] {
  const pieces: Omit<WeighedPiece, 'chosen'>[] = [];
  for (let at = start; at < end; ) {
    const after = Math.min(end, at + characterBytes(bytes[at]));
    const add = (id: number, to: number, score: number): void => {
      pieces.push({ start: at, end: to, id, score, total: best[at - start] + score });
    };
    let whole = false;
    model.matcher.matchAll(bytes, at, end, (id, to) => {
      add(id, to, model.scoreOf(id));
      if (to === after) whole = true;
    });
    if (!whole) add(model.unknownId, after, model.unknownScore);
    at = after;
  }
  return pieces;
}

/** Appends the path that ends at the last place. */
function pushPath(unknownId: number, ids: Int32Array, from: Int32Array, start: number, into: IdSink): void {
  const places: number[] = [];
  for (let at = ids.length - 1; at > 0; at = from[at]) places.push(at);
  let previous = -1;
  for (const at of places.reverse()) {
    if (ids[at] === unknownId && previous === unknownId) {
      if (keepsSpans(into)) into.ends[into.length - 1] = start + at;
    } else pushId(into, ids[at], start + from[at], start + at);
    previous = ids[at];
  }
}
