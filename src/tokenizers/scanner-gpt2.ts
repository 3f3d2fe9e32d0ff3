import type { Scanner } from './scanner.ts';
import {
  asciiClasses,
  classOf,
  letterClasses,
  markClass,
  numberClass,
  otherClass,
  runEnd,
  spaceClass,
  whiteClasses,
  whiteWordEnd,
} from './scanner-classes.ts';

const symbolClasses = otherClass | markClass;

/**
 * The words of GPT-2 (r50k_base, p50k_base, Hugging Face's ByteLevel):
 * `'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
 *
 * Source: openai/tiktoken tiktoken_ext/openai_public.py, r50k_pat_str.
 */
export const gpt2Scanner: Scanner = {
  rule: { kind: 'gpt2' },
  scan(bytes, start, end, ends) {
    const limit = ends.length;
    let count = 0;
    let at = start;
    while (at < end && count < limit) {
      let next = at;
      const lead = bytes[at];
      // Most words are a space and ASCII letters; the zeros after the text end the loop.
      if (lead === 0x20) next++;
      const first = asciiClasses[bytes[next]];
      if ((first & letterClasses) !== 0) {
        next++;
        while ((asciiClasses[bytes[next]] & letterClasses) !== 0) next++;
        at = bytes[next] < 0x80 ? next : wordEnd(bytes, at, lead === 0x20 ? at + 1 : at, end);
      } else {
        at = lead === 0x27 ? apostropheEnd(bytes, at, end) : wordEnd(bytes, at, next, end);
      }
      ends[count++] = at;
    }
    return count;
  },
};

/** End of the word at `start`; `body` is where it goes on after an optional space. */
function wordEnd(bytes: Uint8Array, start: number, body: number, end: number): number {
  const first = body < end ? classOf(bytes, body) : spaceClass;
  const isWhite = (first & whiteClasses) !== 0;
  const isLetter = (first & letterClasses) !== 0;
  const mask = isLetter
    ? letterClasses
    : first === numberClass
      ? numberClass
      : isWhite
        ? whiteClasses
        : symbolClasses;
  const run = runEnd(bytes, isWhite ? start : body, end, mask);
  return isWhite ? whiteWordEnd(bytes, start, run, end) : run;
}

function apostropheEnd(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at + 1];
  const second = bytes[at + 2];
  if (first === 0x73 || first === 0x64 || first === 0x6d || first === 0x74) return at + 2;
  if (first === 0x6c && second === 0x6c) return at + 3;
  if ((first === 0x76 || first === 0x72) && second === 0x65) return at + 3;
  return runEnd(bytes, at, end, symbolClasses);
}
