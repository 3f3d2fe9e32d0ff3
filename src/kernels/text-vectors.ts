import { readNumber } from './text-vectors-number.ts';

/** What is kept of each line of a table of words and numbers. */
export interface LineRecords {
  /** Lines that there is room for. */
  readonly capacity: number;
  /** Where the line feed stands in the text that was searched. */
  readonly ends: Uint32Array;
  /** Bytes before the first space or tab. */
  readonly wordLengths: Uint32Array;
  /** hashWord of these bytes. */
  readonly hashes: Uint32Array;
  /** Spaces and tabs of the line. */
  readonly separators: Uint32Array;
  /** The words without anything between; as large as the text. */
  readonly words: Uint8Array;
}

/** One way to read text of words and numbers; the plain and the SIMD kernel agree to the last bit. */
export interface TextKernel {
  readonly name: 'ts' | 'simd';
  /**
   * Records the lines that end in text[from, to). Returns how many, at most records.capacity.
   *
   * @param seed where hashes begin, so that nobody can write a file whose words all have one
   */
  indexLines(text: Uint8Array, from: number, to: number, seed: number, records: LineRecords): number;
  /**
   * Reads the numbers of rows as Python's float() and NumPy do: the nearest double, rounded to float32.
   *
   * Shape: spans [rows, 2], where each row's numbers begin and where its line feed stands (a line feed must stand there) → out
   * [rows, dim]. Returns the first row that is not exactly dim numbers, or `rows`.
   */
  parseRows(text: Uint8Array, spans: Uint32Array, rows: number, dim: number, out: Float32Array): number;
}

const [tab, lineFeed, carriageReturn, space, plus, minus, point, zero] = [9, 10, 13, 32, 43, 45, 46, 48];

/** Digits whose value a double holds whatever they are. */
const exactDigits = 15;

/** Powers of ten that a double holds. */
const powers = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** FNV-1a over the bytes, from a seed. */
export function hashWord(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at], 16777619);
  return hash >>> 0;
}

/** The reference: plain TypeScript over bytes. */
export const plainText: TextKernel = {
  name: 'ts',
  indexLines(text, from, to, seed, records) {
    let lines = 0;
    let words = 0;
    let start = from;
    while (lines < records.capacity) {
      const end = text.indexOf(lineFeed, start);
      if (end < 0 || end >= to) break;
      let at = start;
      while (at < end && text[at] !== space && text[at] !== tab) records.words[words++] = text[at++];
      records.ends[lines] = end;
      records.wordLengths[lines] = at - start;
      records.hashes[lines] = hashWord(text, start, at, seed);
      let separators = 0;
      for (; at < end; at++) if (text[at] === space || text[at] === tab) separators++;
      records.separators[lines++] = separators;
      start = end + 1;
    }
    return lines;
  },
  parseRows(text, spans, rows, dim, out) {
    for (let row = 0; row < rows; row++) {
      if (!parseRow(text, spans[2 * row], spans[2 * row + 1], dim, out, row * dim)) return row;
    }
    return rows;
  },
};

/** Reads one row to out[at ...]. False when it is not exactly dim numbers. */
export function parseRow(
  text: Uint8Array,
  start: number,
  end: number,
  dim: number,
  out: Float32Array,
  at: number,
): boolean {
  let place = start;
  for (let index = 0; index < dim; index++) {
    while (text[place] === space || text[place] === tab) place++;
    const first = place;
    const negative = text[place] === minus;
    if (negative || text[place] === plus) place++;
    let digits = 0;
    let fraction = 0;
    let mantissa = 0;
    let digit = text[place] - zero;
    for (; digit >= 0 && digit <= 9; digit = text[++place] - zero) {
      mantissa = mantissa * 10 + digit;
      digits++;
    }
    if (text[place] === point) {
      const from = ++place;
      for (digit = text[place] - zero; digit >= 0 && digit <= 9; digit = text[++place] - zero) {
        mantissa = mantissa * 10 + digit;
      }
      fraction = place - from;
      digits += fraction;
    }
    const next = text[place];
    const isWhole = next === space || next === tab || next === lineFeed || next === carriageReturn;
    if (isWhole && digits > 0 && digits <= exactDigits) {
      const value = mantissa / powers[fraction];
      out[at + index] = negative ? -value : value;
    } else {
      place = fieldEnd(text, place, end);
      const value = readNumber(
        Buffer.from(text.buffer, text.byteOffset + first, place - first).toString('latin1'),
      );
      if (value === undefined) return false;
      out[at + index] = value;
    }
  }
  while (text[place] === space || text[place] === tab || text[place] === carriageReturn) place++;
  return place === end;
}

function fieldEnd(text: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && text[at] !== space && text[at] !== tab && text[at] !== carriageReturn) at++;
  return at;
}
