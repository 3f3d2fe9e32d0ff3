import { showBytes } from '../text/escape.ts';
import type { Tokenizer } from '../types.ts';

const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

const between = Buffer.from('|');
const mark = Buffer.from('␣');

/** A token's text for machines; of half a character its bytes by number. */
export function textOfBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    // Not all of it is UTF-8: those bytes are spelled as <0xE4>. A space stays one.
    const spaces = bytes.findIndex((byte) => byte !== 0x20);
    return ' '.repeat(spaces) + showBytes(bytes.subarray(spaces));
  }
}

/** Tokens side by side for a cell of a table, with | between them: spaces that one begins with are ␣, halves of characters stay apart. */
export function joinPieces(pieces: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) parts.push(between);
    let at = 0;
    for (; piece[at] === 0x20; at++) parts.push(mark);
    parts.push(piece.subarray(at));
  }
  return Buffer.concat(parts);
}

/**
 * A piece as tables show it: what it stands for where its name spells that with other letters (Ġhe, ▁the), else its name, whose
 * marks of a place in a word (##el, o</w>) tell pieces apart.
 */
export function shownPiece(tokenizer: Tokenizer, id: number): Uint8Array {
  const name = tokenizer.tokenOf(id) ?? '';
  const bytes = tokenizer.bytesOf(id);
  return bytes === undefined || name.includes(lenient.decode(bytes)) ? Buffer.from(name) : bytes;
}
