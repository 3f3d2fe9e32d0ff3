import { EmbError } from '../errors.ts';
import type { IdSink, WeighedPiece, WeighedWord } from '../types.ts';
import { explainWords } from './bpe-explain.ts';
import { keepsSpans, type SpanSink } from './id-sink.ts';

/** Longest word that is explained: what is printed grows with it. */
const mostBytes = 4096;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Adds a word to the trace of a sink that has one: the pieces that might have been, and those that are the word's tokens.
 *
 * @param first place in the sink of the word's first token; its spans are offsets into `bytes`
 * @param candidates pieces that stand in bytes[start, end), by places in `bytes`; asked for only where there is a trace
 * @throws EmbError "range" for a word of more than 4,096 bytes
 */
export function traceWord(
  into: IdSink,
  first: number,
  bytes: Uint8Array,
  [start, end]: readonly [number, number],
  candidates: () => Omit<WeighedPiece, 'chosen'>[],
): void {
  if (!keepsSpans(into) || into.trace === undefined || end <= start) return;
  if (end - start > mostBytes) {
    throw new EmbError(
      'range',
      `a word is ${end - start} bytes, expected at most ${mostBytes} to explain its pieces`,
      'give a shorter text',
    );
  }
  const keyOf = (id: number, from: number, to: number) => `${id} ${from} ${to}`;
  const tokens = new Map<string, WeighedPiece>();
  for (let i = first; i < into.length; i++) {
    const [id, from, to] = [into.ids[i], into.starts[i] - start, into.ends[i] - start];
    tokens.set(keyOf(id, from, to), { start: from, end: to, id, score: null, total: null, chosen: true });
  }
  const pieces = candidates().map((piece): WeighedPiece => {
    const [from, to] = [piece.start - start, piece.end - start];
    const chosen = tokens.delete(keyOf(piece.id, from, to));
    return { ...piece, start: from, end: to, chosen };
  });
  // Unknown characters and their bytes are tokens that no piece stands for.
  pieces.push(...tokens.values());
  pieces.sort((a, b) => a.start - b.start || a.end - b.end);
  into.trace.push({ word: decoder.decode(bytes.subarray(start, end)), pieces });
}

/** The words that `encode` traces, with other ids. */
export function* weighedWords(
  encode: (into: SpanSink) => void,
  idOf: (id: number) => number,
): Generator<WeighedWord> {
  for (const word of explainWords(encode)) {
    if (!('pieces' in word)) continue;
    yield { ...word, pieces: word.pieces.map((piece) => ({ ...piece, id: idOf(piece.id) })) };
  }
}
