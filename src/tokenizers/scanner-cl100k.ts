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
  widthOf,
} from './scanner-classes.ts';
import { contractionEnd } from './scanner-contraction.ts';

export interface Cl100kOptions {
  /** Digits per word: 3 in cl100k and Llama 3, 1 in Qwen2. */
  maxDigits: number;
  /** Marks are letters of words, `[\p{L}\p{M}]+`, as in Qwen3.5. */
  marksInWords?: boolean;
}

/**
 * The words of GPT-4 and its relatives:
 * `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`.
 *
 * Source: openai/tiktoken tiktoken_ext/openai_public.py, cl100k_base; tokenizer.json of Llama 3 and Qwen2.
 */
export function createCl100kScanner(options: Cl100kOptions): Scanner {
  const { maxDigits } = options;
  const words = options.marksInWords ? letterClasses | markClass : letterClasses;
  const symbols = options.marksInWords ? otherClass : otherClass | markClass;
  // What may stand before a word's letters: anything but CR, LF, letters and numbers.
  const prefixes = otherClass | markClass | spaceClass;

  function wordEnd(bytes: Uint8Array, at: number, end: number): number {
    const lead = bytes[at];
    if (lead === 0x27) {
      const contraction = contractionEnd(bytes, at);
      if (contraction > at) return contraction;
    }
    const first = classOf(bytes, at);
    const next = at + widthOf(lead);
    if (first === numberClass) return digitsEnd(bytes, at, end, maxDigits);
    const second = next < end ? classOf(bytes, next) : 0;
    const isWord = (first & words) !== 0 || ((first & prefixes) !== 0 && (second & words) !== 0);
    const isSymbols = (first & symbols) !== 0 || (lead === 0x20 && (second & symbols) !== 0);
    if (isWord || isSymbols) {
      const run = runEnd(bytes, next, end, isWord ? words : symbols);
      return isWord ? run : newlinesEnd(bytes, run);
    }
    return spacesEnd(bytes, at, end);
  }

  return {
    rule: { kind: 'cl100k', maxDigits, marksInWords: options.marksInWords === true },
    scan(bytes, start, end, ends) {
      const limit = ends.length;
      let count = 0;
      let at = start;
      while (at < end && count < limit) {
        let next = at;
        // Most words are a space and ASCII letters; the zeros after the text end the loop.
        if (bytes[at] === 0x20) next++;
        if ((asciiClasses[bytes[next]] & letterClasses) !== 0) {
          next++;
          while ((asciiClasses[bytes[next]] & letterClasses) !== 0) next++;
          at = bytes[next] < 0x80 ? next : wordEnd(bytes, at, end);
        } else {
          at = wordEnd(bytes, at, end);
        }
        ends[count++] = at;
      }
      return count;
    },
  };
}

/** End of `\p{N}{1,max}`. */
export function digitsEnd(bytes: Uint8Array, at: number, end: number, max: number): number {
  let next = at;
  for (let i = 0; i < max && next < end && classOf(bytes, next) === numberClass; i++)
    next += widthOf(bytes[next]);
  return next;
}

/** End of `[\r\n]*`; the zeros after the text end it. */
function newlinesEnd(bytes: Uint8Array, at: number): number {
  let next = at;
  while (bytes[next] === 0x0a || bytes[next] === 0x0d) next++;
  return next;
}

/** End of `\s*[\r\n]+|\s+(?!\S)|\s+`. */
export function spacesEnd(bytes: Uint8Array, at: number, end: number): number {
  const run = runEnd(bytes, at, end, whiteClasses);
  for (let last = run - 1; last >= at; last--) {
    if (bytes[last] === 0x0a || bytes[last] === 0x0d) return last + 1;
  }
  return whiteWordEnd(bytes, at, run, end);
}
