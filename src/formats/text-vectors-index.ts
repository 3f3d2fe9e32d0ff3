import { Breath } from '../bytes/breath.ts';
import { type Cursor, cursorOf, type StreamedContent } from '../bytes/inflate.ts';
import { EmbError } from '../errors.ts';
import { claimBytes, releaseBytes } from '../kernels/arena.ts';
import type { LineRecords, TextKernel } from '../kernels/text-vectors.ts';
import { loadTextKernel, readAhead } from '../kernels/text-vectors-load.ts';
import type { ByteSource } from '../types.ts';
import { endOfWord, type Preamble, readPreamble } from './text-vectors-fields.ts';
import { RowPlaces } from './text-vectors-places.ts';
import { WordTable, wordSeed } from './word-list.ts';

/** Where the lines of a text of words and numbers are, and their words. No number is read. */
export interface TextIndex {
  readonly name: string;
  readonly dim: number;
  /** Where each row's line begins, and where the last one ends. */
  readonly lines: RowPlaces;
  readonly rows: number;
  readonly words: WordTable;
  /** 1 when the file begins with "rows dim". */
  readonly headerLines: number;
  /** Bytes of the longest line, its line feed included. */
  readonly longestLine: number;
  /** The last line ends with the file, without a line feed. */
  readonly isCut: boolean;
  readonly notes: readonly string[];
}

/** Rows of 50,000 numbers and more; what has no line feed in so many bytes is no table. */
const longestRow = 1 << 20;

/** Bytes read at a time. */
const blockBytes = 1 << 20;

/** Lines recorded at a time. */
const batchLines = 1 << 14;

/** Rows that compressed content may hold whatever its size; beyond, a row takes a byte. */
const rowsAnyway = 1 << 16;

/**
 * One pass over a text of words and numbers: places of the lines, words, and that each line has its numbers.
 *
 * Cost: about the time of reading it; memory 12 bytes and the word a row.
 * @throws EmbError "corrupt" naming the first line that is no row
 */
export async function indexText(content: ByteSource | StreamedContent): Promise<TextIndex> {
  const kernel = await loadTextKernel();
  const pass = new IndexPass(content, kernel);
  try {
    return await pass.run();
  } finally {
    await pass.release();
  }
}

class IndexPass {
  readonly #name: string;
  readonly #content: ByteSource | StreamedContent;
  readonly #kernel: TextKernel;
  readonly #cursor: Cursor;
  readonly #claims: Uint8Array[] = [];
  /** The rest of a line, so that it ends where the next block begins; then the block. */
  readonly #text: Uint8Array;
  readonly #records: LineRecords;
  readonly #words: WordTable;
  readonly #lines = new RowPlaces();
  #preamble: Preamble = { dim: 0, start: 0 };
  /** Place in the file of the first byte of #text. */
  #base = -longestRow;
  #longestLine = 0;
  /** Number of the first line without anything on it. */
  #blankLine: number | undefined;
  #spacedLines = 0;
  #firstSpaced = 0;

  constructor(content: ByteSource | StreamedContent, kernel: TextKernel) {
    this.#name = content.name;
    this.#content = content;
    this.#kernel = kernel;
    this.#cursor = cursorOf(content);
    this.#words = new WordTable(content.name);
    this.#text = this.#claim(longestRow + blockBytes + readAhead);
    this.#records = {
      capacity: batchLines,
      ends: this.#claimUints(),
      wordLengths: this.#claimUints(),
      hashes: this.#claimUints(),
      separators: this.#claimUints(),
      words: this.#claim(longestRow + blockBytes),
    };
  }

  async run(): Promise<TextIndex> {
    const block = this.#text.subarray(longestRow, longestRow + blockBytes);
    const breath = new Breath();
    let from = longestRow;
    let isCut = false;
    for (let isFirst = true, isLast = false; !isLast; isFirst = false) {
      const count = await this.#cursor.fill(block);
      let to = longestRow + count;
      isLast = count < blockBytes;
      if (isFirst) from += this.#begin(block.subarray(0, count), isLast);
      if (isLast && to > from && this.#text[to - 1] !== 10) {
        isCut = true;
        this.#text[to++] = 10;
      }
      from = this.#recordLines(from, to);
      if (to - from > longestRow) throw this.#tooLong();
      this.#text.copyWithin(longestRow - (to - from), from, to);
      from = longestRow - (to - from);
      this.#base += blockBytes;
      if (isFirst) this.#reserve();
      if (breath.due) await breath.take();
    }
    return this.#finish(isCut);
  }

  async release(): Promise<void> {
    for (const claim of this.#claims) releaseBytes(claim);
    await this.#cursor.close();
  }

  /** Reads the first lines. Returns where rows begin. */
  #begin(head: Uint8Array, isWhole: boolean): number {
    const preamble = readPreamble(head, isWhole);
    if (preamble === undefined) {
      if (!isWhole && head.indexOf(10) < 0) throw this.#tooLong();
      throw new EmbError(
        'corrupt',
        `${this.#name}: first lines are no rows of a word and numbers, expected word vectors as text`,
      );
    }
    this.#preamble = preamble;
    this.#lines.push(preamble.start);
    return preamble.start;
  }

  /** Makes room at once for as many rows as the rest of the file has when they are as long as those of its beginning. */
  #reserve(): void {
    const seen = this.#words.size;
    if ('stream' in this.#content || seen === 0) return;
    const rows = Math.ceil((this.#content.byteLength / this.#lines.at(seen)) * seen * 1.02);
    this.#words.reserve(rows, Math.ceil((this.#words.byteLength / seen) * rows));
    this.#lines.reserve(rows + 1);
  }

  /** Takes the lines that end in #text[from, to). Returns where the first one begins that does not. */
  #recordLines(from: number, to: number): number {
    let at = from;
    for (;;) {
      const found = this.#kernel.indexLines(this.#text, at, to, wordSeed, this.#records);
      this.#takeLines(found, at);
      if (found > 0) at = this.#records.ends[found - 1] + 1;
      if (found < batchLines) return at;
    }
  }

  #takeLines(found: number, from: number): void {
    const { ends, separators, wordLengths } = this.#records;
    const { dim } = this.#preamble;
    const text = this.#text;
    let start = from;
    let run = 0;
    let runWords = 0;
    let words = 0;
    let longest = this.#longestLine;
    for (let line = 0; line < found; line++) {
      const end = ends[line];
      if (end - start >= longest) longest = end - start + 1;
      // The byte before the line feed ends a number, as a rule.
      const isPlain = separators[line] === dim && text[end - 1] > 32 && end > start;
      if (!(isPlain || this.#isPlain(end, separators[line])) || this.#blankLine !== undefined) {
        this.#takeRun(run, line, runWords, words);
        this.#takeOdd(start, end);
        run = line + 1;
        runWords = words + wordLengths[line];
      }
      words += wordLengths[line];
      start = end + 1;
    }
    this.#longestLine = longest;
    this.#takeRun(run, found, runWords, words);
    this.#checkRows();
  }

  /** True for a line with one separator before each number and perhaps one behind the last, perhaps a carriage return. */
  #isPlain(end: number, separators: number): boolean {
    const last = this.#text[end - 1] === 13 ? this.#text[end - 2] : this.#text[end - 1];
    const isSeparated = last === 32 || last === 9;
    return separators === this.#preamble.dim + (isSeparated ? 1 : 0) && last !== 10;
  }

  /** Appends lines of a word and one separator before each number. */
  #takeRun(from: number, to: number, wordsFrom: number, wordsTo: number): void {
    if (from === to) return;
    const { ends, wordLengths, hashes, words } = this.#records;
    this.#words.append(
      words.subarray(wordsFrom, wordsTo),
      wordLengths.subarray(from, to),
      hashes.subarray(from, to),
    );
    this.#lines.append(ends, from, to, this.#base + 1);
  }

  /** A line without numbers, or of another number of separators: blank, a word with spaces, or no row. */
  #takeOdd(start: number, end: number): void {
    const row = this.#text.subarray(start, end);
    if (row.every((byte) => byte === 32 || byte === 9 || byte === 13)) {
      this.#blankLine ??= this.#lineNumber;
      return;
    }
    if (this.#blankLine !== undefined) {
      throw new EmbError(
        'corrupt',
        `${this.#name}: line ${this.#blankLine} is empty, expected a word and numbers`,
      );
    }
    const wordEnd = endOfWord(row, this.#preamble.dim);
    if (typeof wordEnd === 'string') {
      throw new EmbError(
        'corrupt',
        `${this.#name}: line ${this.#lineNumber} ${wordEnd}`,
        'the file may be truncated: compare its size with the published one',
      );
    }
    const word = row.subarray(0, wordEnd);
    if (word.includes(32) || word.includes(9)) {
      if (this.#spacedLines++ === 0) this.#firstSpaced = this.#lineNumber;
    }
    this.#words.add(word);
    this.#lines.push(this.#base + end + 1);
  }

  /** Of the line that comes next. */
  get #lineNumber(): number {
    return this.#words.size + this.#headerLines + 1;
  }

  get #headerLines(): number {
    return this.#preamble.promisedRows === undefined ? 0 : 1;
  }

  /** Rows of few bytes compress to almost nothing: their places must not take more memory than the file justifies. */
  #checkRows(): void {
    if (!('stream' in this.#content)) return;
    const most = Math.max(rowsAnyway, this.#content.packedBytes);
    if (this.#words.size > most) {
      throw new EmbError(
        'unsupported',
        `${this.#name}: has more than ${most} rows, expected at most one for each of its ${this.#content.packedBytes} compressed bytes`,
        'decompress it first',
      );
    }
  }

  #finish(isCut: boolean): TextIndex {
    const { dim, promisedRows } = this.#preamble;
    const rows = this.#words.size;
    if (rows === 0)
      throw new EmbError('corrupt', `${this.#name}: has no rows, expected a word and ${dim} numbers`);
    const notes: string[] = [];
    if (promisedRows !== undefined && promisedRows !== rows) {
      notes.push(`first line says ${promisedRows} rows, file has ${rows}`);
    }
    if (this.#spacedLines > 0) {
      const count = this.#spacedLines === 1 ? '1 word has' : `${this.#spacedLines} words have`;
      notes.push(`${count} spaces, the first on line ${this.#firstSpaced}`);
    }
    return {
      name: this.#name,
      dim,
      rows,
      lines: this.#lines,
      words: this.#words,
      headerLines: this.#headerLines,
      longestLine: this.#longestLine,
      isCut: isCut && this.#blankLine === undefined,
      notes,
    };
  }

  #tooLong(): EmbError {
    return new EmbError(
      'corrupt',
      `${this.#name}: line ${this.#lineNumber} is longer than ${longestRow} bytes, expected a word and its numbers`,
    );
  }

  #claim(bytes: number): Uint8Array {
    const claim = claimBytes(bytes);
    this.#claims.push(claim);
    return claim;
  }

  #claimUints(): Uint32Array {
    const { buffer, byteOffset } = this.#claim(batchLines * 4);
    return new Uint32Array(buffer, byteOffset, batchLines);
  }
}
