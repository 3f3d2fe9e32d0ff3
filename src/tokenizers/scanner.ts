import type { WordRule } from '../kernels/bpe.ts';

/**
 * A pre-tokenizer over well-formed UTF-8: cuts a text into words that cover it without gaps.
 *
 * Scanners read up to `scannerPadding` bytes beyond `end`, which must exist and be zero (see Utf8Text).
 */
export interface Scanner {
  /** What the scanner's twin in WebAssembly goes by, where it has one. */
  readonly rule?: WordRule;
  /**
   * Writes the ends of the next words, ascending, and gives how many: at least one while start < end, at most
   * ends.length. `start` is the end of the last word (or of the text's beginning), `end` the end of the text.
   */
  scan(bytes: Uint8Array, start: number, end: number, ends: Int32Array): number;
}

/** Zero bytes that must follow a text. */
export const scannerPadding = 16;

/** The whole text is one word. */
export const wholeTextScanner: Scanner = {
  scan(_bytes, start, end, ends) {
    if (start >= end) return 0;
    ends[0] = end;
    return 1;
  },
};
