import type { IdSink, WeighedPiece } from '../types.ts';
import { pushId } from './id-sink.ts';
import type { PieceMatcher } from './piece-matcher.ts';
import { traceWord } from './weighed-pieces.ts';

/** What WordPiece needs to know of a vocabulary. */
export interface WordPieceModel {
  /** Pieces that a word begins with. */
  first: PieceMatcher;
  /** Pieces that it goes on with, without the mark (##) that the vocabulary gives them. */
  next: PieceMatcher;
  /** Stands for a word that is no row of pieces. */
  unknownId: number;
}

/**
 * Appends the pieces of the word bytes[start, end), the longest first, or the unknown token for all of it; byte offsets go to a sink
 * with spans.
 *
 * Source: section 3 of "Google's Neural Machine Translation System" (Wu et al. 2016), as BERT does it.
 * Cost: O(word) times the longest piece.
 */
export function encodeWordPieces(
  model: WordPieceModel,
  bytes: Uint8Array,
  start: number,
  end: number,
  into: IdSink,
): void {
  const before = into.length;
  cutWord(model, bytes, start, end, into);
  traceWord(into, before, bytes, [start, end], () => triedPieces(model, bytes, start, end));
}

function cutWord(model: WordPieceModel, bytes: Uint8Array, start: number, end: number, into: IdSink): void {
  const before = into.length;
  for (let at = start; at < end; ) {
    const matcher = at === start ? model.first : model.next;
    const id = matcher.matchLongest(bytes, at, end);
    if (id < 0) {
      into.length = before;
      pushId(into, model.unknownId, start, end);
      return;
    }
    pushId(into, id, at, matcher.end);
    at = matcher.end;
  }
}

/** Every piece that the word, or what was left of it, begins with: the longest is taken each time. */
function triedPieces(
  model: WordPieceModel,
  bytes: Uint8Array,
  start: number,
  end: number,
): Omit<WeighedPiece, 'chosen'>[] {
  const tried: Omit<WeighedPiece, 'chosen'>[] = [];
  for (let at = start; at < end; ) {
    let longest = -1;
    const found = (id: number, to: number): void => {
      tried.push({ start: at, end: to, id, score: null, total: null });
      longest = to;
    };
    (at === start ? model.first : model.next).matchAll(bytes, at, end, found);
    if (longest < 0) break;
    at = longest;
  }
  return tried;
}
