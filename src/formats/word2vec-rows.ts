import { Breath } from '../bytes/breath.ts';
import { cursorOf, type StreamedContent } from '../bytes/inflate.ts';
import { claimBytes, releaseBytes } from '../kernels/arena.ts';
import type { ByteSource, RowBlock, RowReader } from '../types.ts';
import type { Word2vecIndex } from './word2vec-index.ts';

/** Bytes read at a time. */
const blockBytes = 1 << 20;

/** Ids sorted at a time: an id and its place then fit the 53 bits of one number. */
const batchIds = 1 << 16;

/** The rows of a binary word2vec file: float32 at places that no rule gives, since words stand between. */
export class Word2vecRows implements RowReader {
  readonly rows: number;
  readonly dim: number;
  readonly rounds = false;
  readonly #content: ByteSource | StreamedContent;
  readonly #index: Word2vecIndex;

  constructor(content: ByteSource | StreamedContent, index: Word2vecIndex) {
    this.#content = content;
    this.#index = index;
    this.rows = index.rows;
    this.dim = index.dim;
  }

  async gather(ids: Uint32Array, out: Float32Array): Promise<void> {
    const rowBytes = this.dim * 4;
    const bytes = new Uint8Array(out.buffer, out.byteOffset, ids.length * rowBytes);
    const breath = new Breath();
    for (let first = 0; first < ids.length; first += batchIds) {
      const cursor = cursorOf(this.#content);
      try {
        const keys = new Float64Array(Math.min(batchIds, ids.length - first));
        for (let place = 0; place < keys.length; place++) keys[place] = ids[first + place] * batchIds + place;
        const spans: number[] = [];
        const copies: [place: number, from: number][] = [];
        let last = -1;
        for (const key of keys.sort()) {
          const row = Math.floor(key / batchIds);
          const place = (first + (key % batchIds)) * rowBytes;
          const start = this.#index.places.at(row);
          if (row === last) copies.push([place, spans[spans.length - 1]]);
          else spans.push(start, start + rowBytes, place);
          last = row;
        }
        await cursor.readMany(Float64Array.from(spans), bytes);
        for (const [place, from] of copies) bytes.copyWithin(place, from, from + rowBytes);
      } finally {
        await cursor.close();
      }
      if (breath.due) await breath.take();
    }
  }

  async *scan(): AsyncIterable<RowBlock> {
    const { places } = this.#index;
    const rowBytes = this.dim * 4;
    const most = Math.min(this.rows, Math.max(1, Math.floor(blockBytes / rowBytes)));
    const claim = claimBytes(most * rowBytes);
    const floats = new Float32Array(claim.buffer, claim.byteOffset, most * this.dim);
    const cursor = cursorOf(this.#content);
    const breath = new Breath();
    try {
      // Rows and the words between them, at most twice as much as a block; longer words are passed over row by row.
      const text = claimBytes(2 * most * rowBytes);
      try {
        for (let start = 0; start < this.rows; start += most) {
          const rows = Math.min(most, this.rows - start);
          const from = places.at(start);
          const to = places.at(start + rows - 1) + rowBytes;
          if (to - from <= text.length) {
            await cursor.read(from, to, text.subarray(0, to - from));
            for (let row = 0; row < rows; row++) {
              const at = places.at(start + row) - from;
              claim.set(text.subarray(at, at + rowBytes), row * rowBytes);
            }
          } else {
            for (let row = 0; row < rows; row++) {
              const at = places.at(start + row);
              await cursor.read(at, at + rowBytes, claim.subarray(row * rowBytes, (row + 1) * rowBytes));
            }
          }
          yield { start, rows, data: floats.subarray(0, rows * this.dim) };
          if (breath.due) await breath.take();
        }
      } finally {
        releaseBytes(text);
      }
    } finally {
      await cursor.close();
      releaseBytes(claim);
    }
  }
}
