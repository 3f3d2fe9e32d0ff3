import type { IdSink } from '../types.ts';
import { pushId } from './id-sink.ts';
import type { PieceMatcher } from './piece-matcher.ts';

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
