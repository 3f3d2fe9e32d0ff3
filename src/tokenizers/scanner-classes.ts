import { classRuns } from './scanner-runs.ts';

/** Character classes as bits, so that a set of classes is a mask. Every character has exactly one. */
export const otherClass = 1;
/** \p{Lu} and \p{Lt}. */
export const upperClass = 2;
/** \p{Ll} */
export const lowerClass = 4;
/** \p{Lm} and \p{Lo}. */
export const caselessClass = 8;
/** \p{M} */
export const markClass = 16;
/** \p{N} */
export const numberClass = 32;
/** \p{White_Space} but for CR and LF: with U+0085 and without U+FEFF, unlike JavaScript's \s. */
export const spaceClass = 64;
/** CR and LF. */
export const newlineClass = 128;

/** \p{L} */
export const letterClasses = upperClass | lowerClass | caselessClass;
/** What the patterns' \s matches. */
export const whiteClasses = spaceClass | newlineClass;

/** Class of every byte below 0x80; 0 for bytes of longer characters. */
export const asciiClasses = new Uint8Array(256);
for (let code = 0; code < 128; code++) asciiClasses[code] = classOfAscii(code);

function classOfAscii(code: number): number {
  if (code >= 0x61 && code <= 0x7a) return lowerClass;
  if (code >= 0x41 && code <= 0x5a) return upperClass;
  if (code >= 0x30 && code <= 0x39) return numberClass;
  if (code === 0x0a || code === 0x0d) return newlineClass;
  if (code === 0x20 || (code >= 0x09 && code <= 0x0c)) return spaceClass;
  return otherClass;
}

/**
 * Writes class ^ otherClass of every code point into 0x110000 zeros: those of "other" characters stay, and so do their pages.
 *
 * Cost: half a millisecond.
 */
export function unpackClasses(into: Uint8Array): void {
  const runs = Buffer.from(classRuns, 'base64');
  let code = 0;
  for (let i = 0; i < runs.length; ) {
    let byte = runs[i++];
    const bit = 1 << (byte & 7);
    let length = (byte >> 3) & 15;
    for (let shift = 4; byte > 127; shift += 7) {
      byte = runs[i++];
      length |= (byte & 127) << shift;
    }
    if (bit !== otherClass) into.fill(bit ^ otherClass, code, code + length);
    code += length;
  }
}

let classes = new Uint8Array(0);

/** Class of the character of more than one byte that starts at `at`; malformed bytes are "other". */
export function classAt(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  let code: number;
  if (lead < 0xe0) code = ((lead & 0x1f) << 6) | (bytes[at + 1] & 0x3f);
  else if (lead < 0xf0) code = ((lead & 0x0f) << 12) | ((bytes[at + 1] & 0x3f) << 6) | (bytes[at + 2] & 0x3f);
  else {
    code =
      ((lead & 0x07) << 18) |
      ((bytes[at + 1] & 0x3f) << 12) |
      ((bytes[at + 2] & 0x3f) << 6) |
      (bytes[at + 3] & 0x3f);
    if (code > 0x10ffff) return otherClass;
  }
  if (classes.length === 0) {
    classes = new Uint8Array(0x110000);
    unpackClasses(classes);
  }
  return classes[code] ^ otherClass;
}

/** Bytes of the character that starts with `lead`. */
export function widthOf(lead: number): number {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** Class of the character at `at`, whatever its width. */
export function classOf(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  return lead < 0x80 ? asciiClasses[lead] : classAt(bytes, at);
}

/** End of the run of characters whose classes are in `mask`, from `at` on. */
export function runEnd(bytes: Uint8Array, at: number, end: number, mask: number): number {
  let i = at;
  while (i < end) {
    const lead = bytes[i];
    if (lead < 0x80) {
      if ((asciiClasses[lead] & mask) === 0) return i;
      i++;
    } else {
      if ((classAt(bytes, i) & mask) === 0) return i;
      i += widthOf(lead);
    }
  }
  return Math.min(i, end);
}

/**
 * End of what `\s+(?!\S)|\s+` matches in a run of white space bytes[start, runEnd): all of it before the end of the
 * text, otherwise all but its last character, which may belong to the next word.
 */
export function whiteWordEnd(bytes: Uint8Array, start: number, runEnd: number, end: number): number {
  if (runEnd === end) return runEnd;
  let last = runEnd - 1;
  while (last > start && (bytes[last] & 0xc0) === 0x80) last--;
  return last > start ? last : runEnd;
}
