import { latin1, readHeader } from './text-vectors-magic.ts';

/** A first line is two numbers. */
const longestHeader = 64;

/** What the first line of a word2vec file says. */
export interface Word2vecHeader {
  rows: number;
  dim: number;
  /** Bytes of the line, its line feed included. */
  byteLength: number;
}

/** The first line "rows dim"; undefined when it is none. */
export function readWord2vecHeader(head: Uint8Array): Word2vecHeader | undefined {
  const end = head.subarray(0, longestHeader).indexOf(10);
  const header = end < 0 ? undefined : readHeader(latin1(head.subarray(0, end)));
  return header === undefined ? undefined : { ...header, byteLength: end + 1 };
}

/**
 * True when the first bytes may be those of a binary word2vec file: "rows dim", then bytes that no text has.
 *
 * Text is asked for first; a file of a few rows need not have such bytes.
 */
export function looksLikeWord2vec(head: Uint8Array, source: { readonly byteLength: number }): boolean {
  const header = readWord2vecHeader(head);
  if (header === undefined || header.rows === 0) return false;
  // A cut file keeps such bytes: its reader says best what it lacks.
  if (/[\x00-\x08\x0e-\x1f]/.test(latin1(head))) return true;
  const fits = header.byteLength + header.rows * (4 * header.dim + 1) <= source.byteLength;
  return fits && head.length >= source.byteLength;
}
