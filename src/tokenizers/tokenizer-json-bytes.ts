import { scannerPadding } from './scanner.ts';

/** The character that a byte-level vocabulary writes for each byte: printable Latin-1 stays, the others move to U+0100 and up. */
const unitOfByte = new Uint16Array(256);
/** The byte that a character stands for, -1 for all that are none. */
const byteOfUnit = new Int16Array(0x144).fill(-1);

// Source: bytes_to_unicode in https://github.com/openai/gpt-2/blob/master/src/encoder.py
let moved = 0x100;
for (let byte = 0; byte < 256; byte++) {
  const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
  unitOfByte[byte] = printable ? byte : moved++;
  byteOfUnit[unitOfByte[byte]] = byte;
}
const letters = Array.from(unitOfByte, (unit) => String.fromCharCode(unit));

const encoder = new TextEncoder();

/** What a byte-level piece stands for; a piece with characters outside the byte alphabet stands for itself. */
export function bytesOfPiece(piece: string): Uint8Array {
  const bytes = new Uint8Array(piece.length);
  for (let i = 0; i < piece.length; i++) {
    const byte = byteOfUnit[piece.charCodeAt(i)] ?? -1;
    if (byte < 0) return encoder.encode(piece);
    bytes[i] = byte;
  }
  return bytes;
}

/** The bytes of a text that is spelled in the byte alphabet, and the zeros that an engine needs after them. */
export function unspell(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length + scannerPadding);
  for (let i = 0; i < text.length; i++) bytes[i] = byteOfUnit[text.charCodeAt(i)];
  return bytes;
}

/** How a byte-level vocabulary writes a text: ' world' → 'Ġworld'. */
export function pieceOfText(text: string): string {
  let piece = '';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      piece += letters[unit];
      continue;
    }
    const code = text.codePointAt(i) as number;
    if (code > 0xffff) i++;
    piece += lettersOf(code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
  }
  return piece;
}

/** How the bytes of a character that is not ASCII are written. */
function lettersOf(code: number): string {
  const last = letters[0x80 | (code & 0x3f)];
  if (code < 0x800) return letters[0xc0 | (code >> 6)] + last;
  const third = letters[0x80 | ((code >> 6) & 0x3f)];
  if (code < 0x10000) return letters[0xe0 | (code >> 12)] + third + last;
  return letters[0xf0 | (code >> 18)] + letters[0x80 | ((code >> 12) & 0x3f)] + third + last;
}

/** Writes bytes[start, end) as a byte-level piece in UTF-8 and gives its length; `out` needs twice the room. */
export function writePiece(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  let to = 0;
  for (let i = start; i < end; i++) {
    const unit = unitOfByte[bytes[i]];
    if (unit < 0x80) out[to++] = unit;
    else {
      out[to++] = 0xc0 | (unit >> 6);
      out[to++] = 0x80 | (unit & 0x3f);
    }
  }
  return to;
}

/** One array of many. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
