import type { Scanner } from './scanner.ts';
import { digitsEnd, spacesEnd } from './scanner-cl100k.ts';
import {
  asciiClasses,
  caselessClass,
  classOf,
  lowerClass,
  markClass,
  newlineClass,
  numberClass,
  otherClass,
  runEnd,
  spaceClass,
  upperClass,
  widthOf,
} from './scanner-classes.ts';
import { contractionEnd } from './scanner-contraction.ts';

/** In the pattern's upper and lower case sets alike. */
const bothClasses = caselessClass | markClass;
const lowerSet = lowerClass | bothClasses;
const upperSet = upperClass | bothClasses;
const symbolClasses = otherClass | markClass;
const prefixClasses = otherClass | markClass | spaceClass;
const maxDigits = 3;

/**
 * The words of GPT-4o, which end where a new capital begins. With U = `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`,
 * l = `[\p{Ll}\p{Lm}\p{Lo}\p{M}]` and c = `(?i:'s|'t|'re|'ve|'m|'ll|'d)?`:
 * `[^\r\n\p{L}\p{N}]?U*l+c|[^\r\n\p{L}\p{N}]?U+l*c|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`.
 *
 * Source: openai/tiktoken tiktoken_ext/openai_public.py, o200k_base.
 */
export const o200kScanner: Scanner = {
  rule: { kind: 'o200k' },
  scan(bytes, start, end, ends) {
    const limit = ends.length;
    let count = 0;
    let at = start;
    while (at < end && count < limit) {
      let next = at;
      // Most words are a space and ASCII letters; the zeros after the text end the loops.
      if (bytes[at] === 0x20) next++;
      while (asciiClasses[bytes[next]] === upperClass) next++;
      if (asciiClasses[bytes[next]] === lowerClass) {
        next++;
        while (asciiClasses[bytes[next]] === lowerClass) next++;
        at = bytes[next] === 0x27 || bytes[next] >= 0x80 ? wordEnd(bytes, at, end) : next;
      } else {
        at = wordEnd(bytes, at, end);
      }
      ends[count++] = at;
    }
    return count;
  },
};

function wordEnd(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at];
  const first = classOf(bytes, at);
  const next = at + widthOf(lead);
  if (first !== numberClass && first !== newlineClass) {
    const prefixed = (first & prefixClasses) !== 0;
    const letters = lettersEnd(bytes, at, prefixed ? next : at, end, first === markClass);
    if (letters > at) return contractionEnd(bytes, letters);
  }
  if (first === numberClass) return digitsEnd(bytes, at, end, maxDigits);
  const isSymbol = (first & symbolClasses) !== 0;
  if (isSymbol || (lead === 0x20 && next < end && (classOf(bytes, next) & symbolClasses) !== 0)) {
    return lineEnds(bytes, runEnd(bytes, next, end, symbolClasses), end);
  }
  return spacesEnd(bytes, at, end);
}

/**
 * End of the word's letters, or `start` when it has none; `body` is where they begin after an optional prefix.
 *
 * The pattern backtracks: U* gives back characters until l+ has one. That is the last one in both sets, and capitals
 * after it start the next word. A mark that was taken for the prefix may be that character.
 */
function lettersEnd(bytes: Uint8Array, start: number, body: number, end: number, markFirst: boolean): number {
  let at = body;
  let shared = -1;
  while (at < end) {
    const kind = classOf(bytes, at);
    if ((kind & upperSet) === 0) {
      if (kind === lowerClass) return runEnd(bytes, at, end, lowerSet);
      break;
    }
    at += widthOf(bytes[at]);
    if (kind !== upperClass) shared = at;
  }
  if (shared >= 0) return shared;
  if (markFirst) return body;
  return at > body ? at : start;
}

/** End of `[\r\n/]*`. */
function lineEnds(bytes: Uint8Array, at: number, end: number): number {
  let next = at;
  while (next < end && (bytes[next] === 0x0a || bytes[next] === 0x0d || bytes[next] === 0x2f)) next++;
  return next;
}
