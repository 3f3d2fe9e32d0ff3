import { Breath } from '../bytes/breath.ts';
import { EmbError } from '../errors.ts';
import type { RowBlock, RowReader } from '../types.ts';
import type { ComposingWords } from './fasttext-dictionary.ts';

/** Rows of the input matrix that are read at a time, and their values. */
const mostBatchRows = 4096;
const batchValues = 1 << 20;

/** An input matrix of at most this is read once and kept. */
const heldBytes = 1 << 24;

/** Values of a block of a scan. */
const blockValues = 1 << 18;

/** Vectors of words: the mean of a word's own row and those of its parts, added in float32 in fastText's order. */
export class FasttextRows implements RowReader {
  readonly rows: number;
  readonly dim: number;
  readonly rounds: boolean;
  readonly #words: ComposingWords;
  readonly #input: RowReader;
  readonly #name: string;
  #held: Promise<Float32Array> | undefined;

  /** @param name as errors call the file */
  constructor(words: ComposingWords, input: RowReader, name: string) {
    this.rows = words.size;
    this.dim = input.dim;
    this.rounds = input.rounds;
    this.#words = words;
    this.#input = input;
    this.#name = name;
  }

  composes(id: number): boolean {
    return this.#words.isComposed(id);
  }

  async gather(ids: Uint32Array, out: Float32Array): Promise<void> {
    const sums = new Sums(this.dim, out);
    const breath = new Breath();
    for (let place = 0; place < ids.length; place++) {
      const rows = this.#words.rowsOf(ids[place]!);
      const most = rows.reduce((highest, row) => Math.max(highest, row), 0);
      if (most >= this.#input.rows) {
        throw new EmbError(
          'corrupt',
          `${this.#name}: input matrix has ${this.#input.rows} rows, expected at least ${most + 1}`,
        );
      }
      if (sums.count + rows.length > sums.room) await this.#flush(sums);
      sums.begin(place, rows.length);
      for (const row of rows) {
        if (sums.count === sums.room) await this.#flush(sums);
        sums.add(row);
      }
      if (breath.due) await breath.take();
    }
    await this.#flush(sums);
    sums.finish();
  }

  async *scan(): AsyncIterable<RowBlock> {
    const most = Math.min(this.rows, Math.max(1, Math.floor(blockValues / this.dim)));
    const data = new Float32Array(most * this.dim);
    for (let start = 0; start < this.rows; start += most) {
      const rows = Math.min(most, this.rows - start);
      await this.gather(
        Uint32Array.from({ length: rows }, (_, row) => start + row),
        data,
      );
      yield { start, rows, data: data.subarray(0, rows * this.dim) };
    }
  }

  async #flush(sums: Sums): Promise<void> {
    if (sums.count === 0) return;
    if (this.#input.rows * this.dim * 4 <= heldBytes) {
      this.#held ??= this.#readAll();
      sums.take(await this.#held, true);
    } else {
      await this.#input.gather(sums.ids.subarray(0, sums.count), sums.values);
      sums.take(sums.values, false);
    }
  }

  async #readAll(): Promise<Float32Array> {
    const all = new Float32Array(this.#input.rows * this.dim);
    for await (const { start, data } of this.#input.scan()) all.set(data, start * this.dim);
    return all;
  }
}

/** Rows that are added to vectors, some at a time. */
class Sums {
  count = 0;
  /** Rows that are read at a time. */
  readonly room: number;
  readonly ids: Uint32Array;
  readonly #dim: number;
  readonly #out: Float32Array;
  /** Which vector each row is added to. */
  readonly #targets: Uint32Array;
  /** Vectors and of how many rows they are the mean. */
  readonly #parts: [place: number, rows: number][] = [];
  #target = 0;
  #values: Float32Array | undefined;

  constructor(dim: number, out: Float32Array) {
    this.#dim = dim;
    this.#out = out;
    this.room = Math.max(1, Math.min(mostBatchRows, Math.floor(batchValues / dim)));
    this.ids = new Uint32Array(this.room);
    this.#targets = new Uint32Array(this.room);
  }

  /** Room for the rows of a batch. */
  get values(): Float32Array {
    this.#values ??= new Float32Array(this.room * this.#dim);
    return this.#values.subarray(0, this.count * this.#dim);
  }

  begin(place: number, rows: number): void {
    this.#target = place;
    this.#out.fill(0, place * this.#dim, (place + 1) * this.#dim);
    this.#parts.push([place, rows]);
  }

  add(row: number): void {
    this.ids[this.count] = row;
    this.#targets[this.count++] = this.#target;
  }

  /** Adds the rows, which lie in `values` by their id or one after another. */
  take(values: Float32Array, byId: boolean): void {
    const dim = this.#dim;
    for (let index = 0; index < this.count; index++) {
      const from = (byId ? this.ids[index]! : index) * dim;
      const to = this.#targets[index]! * dim;
      for (let column = 0; column < dim; column++) this.#out[to + column]! += values[from + column]!;
    }
    this.count = 0;
  }

  /** Divides by the number of rows, as fastText does: times a float32. */
  finish(): void {
    for (const [place, rows] of this.#parts) {
      const scale = Math.fround(1 / rows);
      const end = (place + 1) * this.#dim;
      for (let at = place * this.#dim; at < end; at++) this.#out[at]! *= scale;
    }
  }
}
