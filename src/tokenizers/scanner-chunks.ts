import type { ChunkRule } from '../kernels/chunks-model.ts';
import { isChinese } from './normalizer-bert.ts';

/** Writes starts and ends of the next chunks of bytes[start, end) and gives how many; 0 when only white space is left. */
export type ChunkScan = (bytes: Uint8Array, start: number, end: number, bounds: Int32Array) => number;

const space = 0x20;
const wordByte = 0;
const spaceByte = 1;
const punctuationByte = 2;
/** May begin an ideograph. */
const ideographByte = 3;
/** Ends a text, or is a character of it. */
const zeroByte = 4;

export function createScan(rule: ChunkRule): ChunkScan {
  return rule.kind === 'words' ? createWordScan(rule) : createSpaceScan(rule.isSafe, rule.lines);
}

/**
 * Chunks between spaces, tabs and line ends, which belong to none.
 *
 * With `apart` ASCII's punctuation and the ideographs of BERT are chunks of their own.
 */
function createWordScan(apart: { punctuation: boolean; ideographs: boolean }): ChunkScan {
  const kinds = new Uint8Array(256);
  kinds[0] = zeroByte;
  for (const byte of [0x20, 0x09, 0x0a, 0x0d]) kinds[byte] = spaceByte;
  if (apart.punctuation) {
    for (let byte = 0x21; byte < 0x7f; byte++) {
      if (/[!-/:-@[-`{-~]/.test(String.fromCharCode(byte))) kinds[byte] = punctuationByte;
    }
  }
  if (apart.ideographs) {
    for (let byte = 0xe3; byte <= 0xe9; byte++) kinds[byte] = ideographByte;
    kinds[0xef] = ideographByte;
    kinds[0xf0] = ideographByte;
  }
  return (bytes, start, end, bounds) => {
    const limit = bounds.length;
    let count = 0;
    let at = start;
    while (at < end && count < limit) {
      let kind = kinds[bytes[at]];
      if (kind === spaceByte) {
        at++;
        continue;
      }
      const from = at;
      if (kind === punctuationByte) at++;
      else {
        for (;;) {
          if (kind === wordByte) at++;
          else if (kind === ideographByte) {
            const width = bytes[at] < 0xf0 ? 3 : 4;
            if (isChinese(codeAt(bytes, at))) {
              if (at === from) at += width;
              break;
            }
            at += width;
          } else if (kind === zeroByte && at < end) at++;
          else break;
          kind = kinds[bytes[at]];
        }
      }
      bounds[count++] = from;
      bounds[count++] = at;
    }
    return count >> 1;
  };
}

/**
 * Chunks that begin with spaces: they are cut before a space that follows a character that is `safe`.
 *
 * A line end is a space, or line feeds are chunks of their own, or they are a part of words.
 */
function createSpaceScan(isSafe: (code: number) => boolean, lines: 'spaces' | 'apart' | 'inside'): ChunkScan {
  const safe = Uint8Array.from({ length: 128 }, (_, code) => (isSafe(code) ? 1 : 0));
  const isSpace = new Uint8Array(256);
  isSpace[space] = 1;
  if (lines === 'spaces') isSpace[0x0a] = isSpace[0x0d] = 1;
  const cutsLines = lines === 'apart';
  const stops = Uint8Array.from(isSpace);
  if (cutsLines) stops[0x0a] = 1;
  return (bytes, start, end, bounds) => {
    const limit = bounds.length;
    let count = 0;
    let at = start;
    while (at < end && count < limit) {
      const from = at;
      if (cutsLines && bytes[at] === 0x0a) {
        while (bytes[at] === 0x0a) at++;
        bounds[count++] = from;
        bounds[count++] = at;
        continue;
      }
      while (isSpace[bytes[at]] === 1) at++;
      for (; at < end; at++) {
        while (stops[bytes[at]] === 0 && at < end) at++;
        if (cutsLines && bytes[at] === 0x0a) break;
        const before = bytes[at - 1];
        if (before < 0x80 ? safe[before] === 1 : isSafe(codeAt(bytes, characterStart(bytes, at - 1)))) break;
      }
      if (at > end) at = end;
      bounds[count++] = from;
      bounds[count++] = at;
    }
    return count >> 1;
  };
}

function characterStart(bytes: Uint8Array, at: number): number {
  let start = at;
  while (start > 0 && (bytes[start] & 0xc0) === 0x80) start--;
  return start;
}

/** The code point of two to four bytes. */
function codeAt(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead < 0xe0) return ((lead & 0x1f) << 6) | (bytes[at + 1] & 0x3f);
  const middle = ((bytes[at + 1] & 0x3f) << 6) | (bytes[at + 2] & 0x3f);
  if (lead < 0xf0) return ((lead & 0x0f) << 12) | middle;
  return ((lead & 0x07) << 18) | (middle << 6) | (bytes[at + 3] & 0x3f);
}
