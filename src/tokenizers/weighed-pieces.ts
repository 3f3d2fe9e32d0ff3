import { EmbError } from '../errors.ts';
import type { IdSink, WeighedPiece } from '../types.ts';
import { keepsSpans } from './id-sink.ts';

/** Longest word that is explained: what is printed grows with it. */
const mostBytes = 4096;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Adds a word to the trace of a sink that has one: the pieces that might have been, and those that are the word's tokens.
 *
 * @param first place in the sink of the word's first token; its spans are offsets into `bytes`
 * @param candidates pieces that stand in bytes[start, end), by places in `bytes`; asked for only where there is a trace; absent where
 * words are looked up whole
 * @throws EmbError "range" for a word of more than 4,096 bytes that has candidates
 */
export function traceWord(
  into: IdSink,
  first: number,
  bytes: Uint8Array,
  [start, end]: readonly [number, number],
  candidates?: () => Omit<WeighedPiece, 'chosen'>[],
): void {
  if (!keepsSpans(into) || into.trace === undefined || end <= start) return;
  if (candidates !== undefined && end - start > mostBytes) {
    throw new EmbError(
      'range',
      `a word is ${end - start} bytes, expected at most ${mostBytes} to explain its pieces`,
      'give a shorter text',
    );
  }
  const pieces = (candidates?.() ?? []).map(
    (piece): WeighedPiece => ({
      ...piece,
      start: piece.start - start,
      end: piece.end - start,
      chosen: false,
    }),
  );
  const keyOf = (id: number, from: number, to: number) => `${id} ${from} ${to}`;
  const byPlace = new Map(pieces.map((piece) => [keyOf(piece.id, piece.start, piece.end), piece]));
  for (let i = first; i < into.length; i++) {
    const [id, from, to] = [into.ids[i], into.starts[i] - start, into.ends[i] - start];
    const piece = byPlace.get(keyOf(id, from, to));
    // Unknown characters and their bytes, which have one place and may be equal, are tokens that no piece stands for.
    if (piece === undefined || piece.chosen)
      pieces.push({ start: from, end: to, id, score: null, total: null, chosen: true });
    else piece.chosen = true;
  }
  pieces.sort((a, b) => a.start - b.start || a.end - b.end);
  into.trace.push({ word: decoder.decode(bytes.subarray(start, end)), pieces });
}
