import { readNumber } from '../kernels/text-vectors-number.ts';

/** "rows dim", as word2vec and fastText begin a file. */
const header = /^[ \t]*(\d{1,15})[ \t]+(\d{1,9})[ \t\r]*$/;

/** Bytes as text with one character a byte. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** Numbers promised by a first line "rows dim"; undefined when it is none. */
export function readHeader(line: string): { rows: number; dim: number } | undefined {
  const [, rows, dim] = header.exec(line) ?? [];
  return rows === undefined || Number(dim) === 0 ? undefined : { rows: Number(rows), dim: Number(dim) };
}

/**
 * Whether the first bytes of a file read as words and numbers: word2vec, GloVe and fastText .vec have no magic number.
 *
 * Every whole line must be a word and at least two numbers, or there is a first line "rows dim". Rows of numbers alone, with a
 * fraction where the word should be, are none.
 */
export function looksLikeTextVectors(head: Uint8Array, source: { readonly byteLength: number }): boolean {
  const isWhole = head.length >= source.byteLength;
  const text = latin1(head);
  if (/[\x00-\x08\x0e-\x1b]/.test(text)) return false;
  const lines = text.split('\n');
  const cut = lines.pop() ?? '';
  if (isWhole && cut !== '') lines.push(cut);
  const first = lines[0] === undefined ? undefined : readHeader(lines[0]);
  if (first !== undefined) lines.shift();
  const rows = lines.filter((line) => line.trim() !== '').map((line) => countNumbers(line));
  const least = first?.dim ?? 2;
  if (rows.some((count) => count < least)) return false;
  // The last field of a line that is cut may be half a number.
  const begun = isWhole ? '' : cut.replace(/[^ \t]*$/, '');
  if (rows.length === 0 && countNumbers(begun) < Math.min(2, least)) return false;
  const words = [...lines, begun].filter((line) => line.trim() !== '').slice(0, 2);
  return first !== undefined || !words.every((line) => isNoWord(fieldsOf(line)[0]));
}

/** Fields between spaces and tabs; the first may be empty, those at the end are dropped. */
export function fieldsOf(line: string): string[] {
  return trimRow(line).split(/[ \t]+/);
}

/** Without separators and carriage returns at its end. A regular expression would try every run of spaces before it. */
export function trimRow(line: string): string {
  let end = line.length;
  while (end > 0 && ' \t\r'.includes(line[end - 1])) end--;
  return line.slice(0, end);
}

/** Numbers at the end of a line, without its first field, which is the word. */
export function countNumbers(line: string): number {
  const fields = fieldsOf(line);
  let first = fields.length;
  while (first > 1 && readNumber(fields[first - 1]) !== undefined) first--;
  return fields.length - first;
}

/** Nothing, or a number with a fraction or an exponent: the first column of a matrix. */
function isNoWord(field: string | undefined): boolean {
  return !field || (/[.e]/i.test(field) && /\d/.test(field) && readNumber(field) !== undefined);
}
