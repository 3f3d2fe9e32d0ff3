import { Breath } from '../bytes/breath.ts';
import { type Cursor, cursorOf, type StreamedContent } from '../bytes/inflate.ts';
import { EmbError } from '../errors.ts';
import { claimBytes, releaseBytes } from '../kernels/arena.ts';
import { loadTextKernel, readAhead } from '../kernels/text-vectors-load.ts';
import type { ByteSource, RowBlock, RowReader } from '../types.ts';
import { describeRow } from './text-vectors-fields.ts';
import type { TextIndex } from './text-vectors-index.ts';

/** Text read, and values made, at a time: both stay in the second level cache. */
const blockBytes = 1 << 19;

/** Ids sorted at a time: an id and its place then fit the 53 bits of one number. */
const batchIds = 1 << 16;

/** The rows of a text of words and numbers, read and parsed when asked for. */
export class TextRows implements RowReader {
  readonly rows: number;
  readonly dim: number;
  readonly rounds = false;
  readonly #content: ByteSource | StreamedContent;
  readonly #index: TextIndex;

  constructor(content: ByteSource | StreamedContent, index: TextIndex) {
    this.#content = content;
    this.#index = index;
    this.rows = index.rows;
    this.dim = index.dim;
  }

  async gather(ids: Uint32Array, out: Float32Array): Promise<void> {
    for (let first = 0; first < ids.length; first += batchIds) {
      const keys = new Float64Array(Math.min(batchIds, ids.length - first));
      for (let place = 0; place < keys.length; place++) keys[place] = ids[first + place] * batchIds + place;
      await this.#gatherSorted(keys.sort(), out.subarray(first * this.dim));
    }
  }

  /** Reads rows in the order of the file. keys: id * 65,536 + place. */
  async #gatherSorted(keys: Float64Array, out: Float32Array): Promise<void> {
    const work = new Workspace(this.#index, Math.min(keys.length, this.#mostRows(blockBytes)));
    const cursor = cursorOf(this.#content);
    const breath = new Breath();
    try {
      const places: [row: number, place: number][] = [];
      let last = -1;
      for (const key of keys) {
        const row = Math.floor(key / batchIds);
        if (row !== last && !work.hasRoomFor(row)) {
          await this.#copyRows(work, cursor, places, out);
          if (breath.due) await breath.take();
        }
        // After a flush the row that came last is no longer there.
        if (row !== last || work.rows === 0) work.add(row);
        places.push([work.rows - 1, key % batchIds]);
        last = row;
      }
      await this.#copyRows(work, cursor, places, out);
    } finally {
      await cursor.close();
      work.release();
    }
  }

  async #copyRows(
    work: Workspace,
    cursor: Cursor,
    places: [number, number][],
    out: Float32Array,
  ): Promise<void> {
    const values = await work.read(cursor);
    for (const [row, place] of places) {
      out.set(values.subarray(row * this.dim, (row + 1) * this.dim), place * this.dim);
    }
    places.length = 0;
  }

  async *scan(): AsyncIterable<RowBlock> {
    const work = new Workspace(this.#index, this.#mostRows(blockBytes));
    const cursor = cursorOf(this.#content);
    const breath = new Breath();
    try {
      for (let start = 0; start < this.rows; ) {
        let row = start;
        while (row < this.rows && work.hasRoomFor(row)) work.add(row++);
        const data = await work.read(cursor);
        yield { start, rows: row - start, data };
        start = row;
        if (breath.due) await breath.take();
      }
    } finally {
      await cursor.close();
      work.release();
    }
  }

  #mostRows(bytes: number): number {
    return Math.min(this.rows, Math.max(1, Math.floor(bytes / (this.dim * 4))));
  }
}

/** Some lines, where they lie in the file, and memory for them and their values. */
class Workspace {
  readonly #index: TextIndex;
  readonly #claims: Uint8Array[];
  readonly #text: Uint8Array;
  readonly #spans: Uint32Array;
  readonly #values: Float32Array;
  readonly #mostRows: number;
  /** start, end and place, as ByteSource.readMany takes them; lines that touch are one. */
  readonly #ranges: Float64Array;
  #rangeCount = 0;
  #used = 0;
  /** Numbers of the rows that are there. */
  readonly #ids: Uint32Array;
  rows = 0;

  constructor(index: TextIndex, mostRows: number) {
    this.#index = index;
    this.#mostRows = mostRows;
    const textBytes =
      Math.max(Math.min(blockBytes, mostRows * index.longestLine), index.longestLine) + readAhead;
    this.#text = claimBytes(textBytes);
    const spans = claimBytes(mostRows * 8);
    const values = claimBytes(mostRows * index.dim * 4);
    this.#claims = [this.#text, spans, values];
    this.#spans = new Uint32Array(spans.buffer, spans.byteOffset, mostRows * 2);
    this.#values = new Float32Array(values.buffer, values.byteOffset, mostRows * index.dim);
    this.#ids = new Uint32Array(mostRows);
    this.#ranges = new Float64Array(3 * mostRows);
  }

  hasRoomFor(row: number): boolean {
    const { lines } = this.#index;
    const bytes = lines.at(row + 1) - lines.at(row);
    return this.rows < this.#mostRows && this.#used + bytes + readAhead <= this.#text.length;
  }

  /** Rows come in ascending order. */
  add(row: number): void {
    const { lines, words } = this.#index;
    const [start, end] = [lines.at(row), lines.at(row + 1)];
    const last = 3 * this.#rangeCount - 3;
    if (last >= 0 && this.#ranges[last + 1] === start) this.#ranges[last + 1] = end;
    else this.#ranges.set([start, end, this.#used], 3 * this.#rangeCount++);
    this.#spans[2 * this.rows] = this.#used + words.lengthOf(row);
    this.#spans[2 * this.rows + 1] = this.#used + end - start - 1;
    this.#ids[this.rows++] = row;
    this.#used += end - start;
  }

  /** Reads and parses the rows, and forgets them. Shape: → [rows, dim], valid until the next call. */
  async read(cursor: Cursor): Promise<Float32Array> {
    const { dim, isCut } = this.#index;
    const rows = this.rows;
    const ranges = this.#ranges.subarray(0, 3 * this.#rangeCount);
    // The last line of a file may have no line feed.
    const lacksFeed = isCut && rows > 0 && this.#ids[rows - 1] === this.#index.rows - 1;
    if (lacksFeed) ranges[ranges.length - 2]--;
    await readRanges(cursor, ranges, this.#text);
    if (lacksFeed) this.#text[this.#used - 1] = 10;
    for (let row = 0; row < rows; row++) {
      if (this.#text[this.#spans[2 * row + 1]] !== 10) throw this.#changed(row);
    }
    const kernel = await loadTextKernel();
    const done = kernel.parseRows(this.#text, this.#spans, rows, dim, this.#values);
    if (done < rows) throw this.#describe(done);
    this.rows = 0;
    this.#rangeCount = 0;
    this.#used = 0;
    return this.#values.subarray(0, rows * dim);
  }

  release(): void {
    for (const claim of this.#claims) releaseBytes(claim);
  }

  #describe(row: number): EmbError {
    const { name, headerLines, dim } = this.#index;
    const numbers = this.#text.subarray(this.#spans[2 * row], this.#spans[2 * row + 1]);
    const line = this.#ids[row] + headerLines + 1;
    return new EmbError('corrupt', `${name}: line ${line} ${describeRow(numbers, dim)}`);
  }

  #changed(row: number): EmbError {
    const { name, headerLines } = this.#index;
    const line = this.#ids[row] + headerLines + 1;
    return new EmbError(
      'corrupt',
      `${name}: line ${line} ends elsewhere than it did: the file changed while it was read`,
      'try again when nothing writes to the file',
    );
  }
}

async function readRanges(cursor: Cursor, ranges: Float64Array, text: Uint8Array): Promise<void> {
  if (ranges.length === 3 && ranges[2] === 0) {
    await cursor.read(ranges[0], ranges[1], text.subarray(0, ranges[1] - ranges[0]));
  } else {
    await cursor.readMany(ranges, text);
  }
}
