import { readNumber } from '../kernels/text-vectors-number.ts';
import { countNumbers, fieldsOf, latin1, readHeader, trimRow } from './text-vectors-magic.ts';

/** What the first lines of a text of words and numbers say. */
export interface Preamble {
  /** Numbers of a row. */
  dim: number;
  /** Rows that a first line "rows dim" promises. */
  promisedRows?: number;
  /** Where the first row begins. */
  start: number;
}

/** Rows that are looked at to tell how many numbers a row has. */
const sampledRows = 32;

/** Longest part of a field that an error shows. */
const shownField = 40;

/**
 * How many numbers a row has, from the first lines of a file.
 *
 * Without a first line "rows dim" it is what most of the first 32 lines have behind a word; words with spaces are few.
 * @param head the first bytes of the file, its last line whole or cut when `isWhole` is false
 */
export function readPreamble(head: Uint8Array, isWhole: boolean): Preamble | undefined {
  const lines = wholeLines(head, isWhole);
  const first = lines[0] === undefined ? undefined : readHeader(lines[0]);
  const counts = lines.slice(first === undefined ? 0 : 1, sampledRows).map(countNumbers);
  // A row of one number looks like a header: such files need one.
  if (first !== undefined && counts[0] !== undefined && counts[0] >= first.dim) {
    return { dim: first.dim, promisedRows: first.rows, start: head.indexOf(10) + 1 };
  }
  const dim = mostCommon(counts.filter((count) => count > 0));
  return first !== undefined || dim === undefined || dim < 2 ? undefined : { dim, start: 0 };
}

function wholeLines(head: Uint8Array, isWhole: boolean): string[] {
  const lines: string[] = [];
  let start = 0;
  for (let end = head.indexOf(10); end >= 0 && lines.length < sampledRows; end = head.indexOf(10, start)) {
    lines.push(latin1(head.subarray(start, end)));
    start = end + 1;
  }
  if (isWhole && start < head.length && lines.length < sampledRows) lines.push(latin1(head.subarray(start)));
  return lines;
}

function mostCommon(counts: readonly number[]): number | undefined {
  const times = new Map<number, number>();
  for (const count of counts) times.set(count, (times.get(count) ?? 0) + 1);
  let best: number | undefined;
  for (const [count, seen] of times) {
    const most = best === undefined ? 0 : (times.get(best) ?? 0);
    if (seen > most || (seen === most && best !== undefined && count < best)) best = count;
  }
  return best;
}

/**
 * Where the word of a row ends when the row has not just one separator before each number: it may have spaces.
 *
 * Returns the reason when it is no row: too few fields, or more numbers than a row has. "Windows 8.1" is a word; a word and a
 * number of three decimals or more is a row with a number too many.
 */
export function endOfWord(row: Uint8Array, dim: number): number | string {
  const line = trimRow(latin1(row));
  const fields = line.split(/[ \t]+/);
  if (fields.length <= dim) return `has ${plural(fields.length - 1, 'value')}, expected ${dim}`;
  const extra = fields.slice(1, fields.length - dim);
  if (
    extra.length > 0 &&
    extra.every((field) => /\.\d{3}|\de[+-]/i.test(field) && readNumber(field) !== undefined)
  ) {
    return `has ${plural(fields.length - 1, 'value')}, expected ${dim}`;
  }
  let end = line.length;
  for (let index = 0; index < dim; index++) {
    while (end > 0 && !isSeparator(line.charCodeAt(end - 1))) end--;
    while (end > 0 && isSeparator(line.charCodeAt(end - 1))) end--;
  }
  return end;
}

/** What is wrong with the numbers of a row that does not parse. */
export function describeRow(numbers: Uint8Array, dim: number): string {
  const fields = fieldsOf(latin1(numbers)).filter((field) => field !== '');
  const bad = fields.find((field) => readNumber(field) === undefined);
  if (bad === undefined || fields.length !== dim)
    return `has ${plural(fields.length, 'value')}, expected ${dim}`;
  const shown = Buffer.from(bad, 'latin1').toString('utf8').slice(0, shownField);
  return `has the value ${JSON.stringify(shown)}, expected a number`;
}

function isSeparator(code: number): boolean {
  return code === 32 || code === 9;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
