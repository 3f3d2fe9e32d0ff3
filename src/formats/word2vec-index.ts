import { Breath } from '../bytes/breath.ts';
import { type Cursor, cursorOf, type StreamedContent } from '../bytes/inflate.ts';
import { EmbError } from '../errors.ts';
import { claimBytes, releaseBytes } from '../kernels/arena.ts';
import type { ByteSource } from '../types.ts';
import { RowPlaces } from './text-vectors-places.ts';
import { WordTable } from './word-list.ts';
import type { Word2vecHeader } from './word2vec-magic.ts';

/** Where the numbers of a binary word2vec file are, and its words. */
export interface Word2vecIndex {
  readonly name: string;
  readonly rows: number;
  readonly dim: number;
  /** Where the numbers of each row begin. */
  readonly places: RowPlaces;
  readonly words: WordTable;
  readonly notes: readonly string[];
}

/** Bytes of the numbers of a row. */
export const longestRow = 1 << 21;

/** Phrases have some hundred bytes; what has no space in so many is no word. */
const longestWord = 1 << 16;

/** Bytes read at a time. */
const blockBytes = 1 << 20;

const [lineFeed, space] = [10, 32];

/**
 * One pass over a binary word2vec file for its words.
 *
 * Cost: about the time of reading it; memory 12 bytes and the word a row.
 * @throws EmbError "corrupt" naming the row that the file ends in
 */
export async function indexWord2vec(
  content: ByteSource | StreamedContent,
  checkHeader: (head: Uint8Array) => Word2vecHeader,
): Promise<Word2vecIndex> {
  const buffer = claimBytes(longestWord + blockBytes);
  const cursor = cursorOf(content);
  try {
    return await new Walk(content, cursor, buffer).run(checkHeader);
  } finally {
    releaseBytes(buffer);
    await cursor.close();
  }
}

/** Goes through a file block by block; a word that a block ends in is carried to the next. */
class Walk {
  readonly #content: ByteSource | StreamedContent;
  readonly #cursor: Cursor;
  readonly #buffer: Uint8Array;
  readonly #places = new RowPlaces();
  readonly #words: WordTable;
  #dim = 0;
  /** Place in the file of the first byte of #buffer. */
  #base = -longestWord;
  /** The part of #buffer that is not taken yet. */
  #from = longestWord;
  #to = longestWord;
  #isLast = false;

  constructor(content: ByteSource | StreamedContent, cursor: Cursor, buffer: Uint8Array) {
    this.#content = content;
    this.#cursor = cursor;
    this.#buffer = buffer;
    this.#words = new WordTable(content.name);
  }

  async run(checkHeader: (head: Uint8Array) => Word2vecHeader): Promise<Word2vecIndex> {
    await this.#fill();
    const header = checkHeader(this.#buffer.subarray(this.#from, this.#to));
    this.#dim = header.dim;
    this.#from += header.byteLength;
    const breath = new Breath();
    while (this.#words.size < header.rows) {
      if (!this.#takeWord()) {
        if (this.#isLast) throw this.#ended(header);
        await this.#fill();
        if (breath.due) await breath.take();
        continue;
      }
      await this.#skip(header);
    }
    const end = this.#places.at(header.rows - 1) + 4 * header.dim;
    const { name } = this.#content;
    const rest = 'stream' in this.#content ? 0 : this.#content.byteLength - end;
    const notes = rest > 1 ? [`${rest} bytes follow the last row`] : [];
    return { name, rows: header.rows, dim: header.dim, places: this.#places, words: this.#words, notes };
  }

  /** Reads the next block behind what is left of this one. */
  async #fill(): Promise<void> {
    const rest = this.#to - this.#from;
    if (rest > longestWord) throw this.#tooLong();
    this.#buffer.copyWithin(longestWord - rest, this.#from, this.#to);
    // Blocks before the first one were empty.
    this.#base += this.#to - longestWord;
    const count = await this.#cursor.fill(this.#buffer.subarray(longestWord));
    this.#isLast = count < blockBytes;
    this.#from = longestWord - rest;
    this.#to = longestWord + count;
  }

  /** Takes the next word and its space. False when the block ends before. */
  #takeWord(): boolean {
    let start = this.#from;
    while (start < this.#to && this.#buffer[start] === lineFeed) start++;
    let end = start;
    while (end < this.#to && this.#buffer[end] !== space) end++;
    if (end - start > longestWord) throw this.#tooLong();
    if (end === this.#to) {
      this.#from = start;
      return false;
    }
    this.#words.add(this.#buffer.subarray(start, end));
    this.#places.push(this.#base + end + 1);
    this.#from = end + 1;
    if ('stream' in this.#content) this.#checkRows(this.#content.packedBytes);
    return true;
  }

  /** Passes over the numbers of a row. */
  async #skip(header: Word2vecHeader): Promise<void> {
    let left = 4 * this.#dim;
    while (left > this.#to - this.#from) {
      left -= this.#to - this.#from;
      this.#from = this.#to;
      if (this.#isLast) throw this.#ended(header);
      await this.#fill();
    }
    this.#from += left;
  }

  /** Rows of few bytes compress to almost nothing: their words must not take more memory than the file justifies. */
  #checkRows(packedBytes: number): void {
    const most = Math.max(longestWord, packedBytes);
    if (this.#words.size <= most) return;
    throw new EmbError(
      'unsupported',
      `${this.#content.name}: has more than ${most} rows, expected at most one for each of its ${packedBytes} compressed bytes`,
      'decompress it first',
    );
  }

  #ended({ rows }: Word2vecHeader): EmbError {
    const { name } = this.#content;
    return new EmbError(
      'corrupt',
      `${name}: ends at byte ${this.#base + this.#to}, in row ${this.#words.size} of ${rows}`,
      'the file may be truncated: compare its size with the published one',
    );
  }

  #tooLong(): EmbError {
    const { name } = this.#content;
    return new EmbError(
      'corrupt',
      `${name}: word of row ${this.#words.size} is longer than ${longestWord} bytes, expected a space after it`,
    );
  }
}
