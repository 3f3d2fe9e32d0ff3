import { Breath } from '../bytes/breath.ts';
import type { RowBlock, RowReader } from '../types.ts';

/** Values decoded between two breaths, and in a block of a scan. */
const pieceValues = 1 << 18;

/** A grid of numbers that stand for blocks of a table: scales, zero points, biases. */
export interface Factors {
  /** As stored: numbers, or bytes that hold several of `bits` each. */
  reader: RowReader;
  /** Rows of the table for a row of the grid; Infinity where one row stands for all. */
  tableRows: number;
  /** Columns of the table for a column of the grid. */
  tableColumns: number;
  packing?: Packing;
}

/** Whole numbers of less than 8 bits, lowest bits first, from byte to byte. */
export interface Packing {
  bits: number;
  signed: boolean;
}

/** A table whose values are put together from whole numbers and factors for blocks of them. */
export interface QuantizedTable {
  rows: number;
  dim: number;
  /** The whole numbers, as stored. */
  packed: RowReader;
  packing?: Packing;
  scales: Factors;
  /** Subtracted from the whole number before it is scaled. */
  zeros?: Factors | number;
  /** Added after it is scaled. */
  biases?: Factors;
  /** Rounds to the dtype that the values are computed in; float32 where there is none. */
  round?: (value: number) => number;
}

/** Rows of whole numbers x scales, in the order of operations of the library that wrote them. */
export class QuantizedRows implements RowReader {
  readonly rows: number;
  readonly dim: number;
  readonly rounds = false;
  readonly #table: QuantizedTable;

  constructor(table: QuantizedTable) {
    this.rows = table.rows;
    this.dim = table.dim;
    this.#table = table;
  }

  async gather(ids: Uint32Array, out: Float32Array): Promise<void> {
    const most = Math.max(1, Math.floor(pieceValues / this.dim));
    const breath = new Breath();
    for (let start = 0; start < ids.length; start += most) {
      const part = ids.subarray(start, start + most);
      await this.#decode(part, out.subarray(start * this.dim, (start + part.length) * this.dim));
      if (breath.due) await breath.take();
    }
  }

  async *scan(): AsyncIterable<RowBlock> {
    const most = Math.min(this.rows, Math.max(1, Math.floor(pieceValues / this.dim)));
    const data = new Float32Array(most * this.dim);
    const breath = new Breath();
    for (let start = 0; start < this.rows; start += most) {
      const ids = Uint32Array.from(
        { length: Math.min(most, this.rows - start) },
        (_, index) => start + index,
      );
      const block = data.subarray(0, ids.length * this.dim);
      await this.#decode(ids, block);
      yield { start, rows: ids.length, data: block };
      if (breath.due) await breath.take();
    }
  }

  async #decode(ids: Uint32Array, out: Float32Array): Promise<void> {
    const { dim } = this;
    const { packed, packing, scales, zeros, biases, round = Math.fround } = this.#table;
    const numbers = await rowsAt(packed, ids, packing, dim);
    const scale = await factorsAt(scales, ids, dim);
    const zero = typeof zeros === 'object' ? await factorsAt(zeros, ids, dim) : undefined;
    const bias = biases === undefined ? undefined : await factorsAt(biases, ids, dim);
    const lone = typeof zeros === 'number' ? zeros : 0;
    const step = Math.min(stepOf(scales, dim), stepOf(zeros, dim), stepOf(biases, dim));
    for (let row = 0; row < ids.length; row++) {
      const first = row * dim;
      for (let column = 0; column < dim; column += step) {
        const end = first + Math.min(column + step, dim);
        const factor = scale.at(row, column);
        const shift = zero === undefined ? lone : zero.at(row, column);
        if (bias === undefined) {
          for (let at = first + column; at < end; at++) out[at] = round((numbers[at] - shift) * factor);
        } else {
          const added = bias.at(row, column);
          for (let at = first + column; at < end; at++) {
            out[at] = round(round((numbers[at] - shift) * factor) + added);
          }
        }
      }
    }
  }
}

/** Columns for which a grid has one number. Grids of one table have the same blocks, or one number for all columns. */
function stepOf(factors: Factors | number | undefined, dim: number): number {
  return typeof factors === 'object' ? Math.min(factors.tableColumns, dim) : dim;
}

/** The factors of some rows. */
class FactorRows {
  readonly #values: Float32Array;
  /** Row of the grid by row of the batch. */
  readonly #places: Uint32Array;
  readonly #width: number;
  readonly #columns: number;

  constructor(values: Float32Array, places: Uint32Array, width: number, columns: number) {
    this.#values = values;
    this.#places = places;
    this.#width = width;
    this.#columns = columns;
  }

  at(row: number, column: number): number {
    return this.#values[this.#places[row] * this.#width + Math.floor(column / this.#columns)];
  }
}

async function factorsAt(factors: Factors, ids: Uint32Array, dim: number): Promise<FactorRows> {
  const { reader, tableRows, tableColumns, packing } = factors;
  const width = Math.ceil(dim / tableColumns);
  const one = tableRows === Number.POSITIVE_INFINITY;
  const wanted = one ? Uint32Array.of(0) : ids.map((id) => Math.floor(id / tableRows));
  const places = one ? new Uint32Array(ids.length) : Uint32Array.from(ids, (_, index) => index);
  return new FactorRows(await rowsAt(reader, wanted, packing, width), places, width, tableColumns);
}

/** Rows as numbers: as the reader gives them, or unpacked from its bytes to `width` numbers each. */
async function rowsAt(
  reader: RowReader,
  ids: Uint32Array,
  packing: Packing | undefined,
  width: number,
): Promise<Float32Array> {
  const stored = new Float32Array(ids.length * reader.dim);
  await reader.gather(ids, stored);
  if (packing === undefined) return stored;
  const { bits, signed } = packing;
  const numbers = new Float32Array(ids.length * width);
  const half = signed ? 2 ** (bits - 1) : Number.POSITIVE_INFINITY;
  const full = 2 ** bits;
  for (let row = 0; row < ids.length; row++) {
    let byte = row * reader.dim;
    let held = 0;
    let buffer = 0;
    for (let column = 0; column < width; column++) {
      if (held < bits) {
        buffer |= stored[byte++] << held;
        held += 8;
      }
      const value = buffer & (full - 1);
      buffer >>>= bits;
      held -= bits;
      numbers[row * width + column] = value >= half ? value - full : value;
    }
  }
  return numbers;
}

const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);

/** Rounds to float16, halves to even. */
export function roundF16(value: number): number {
  floats[0] = value;
  // Below 2^-14 float16 has steps of 2^-24, as float32 has around 0.75.
  if (Math.abs(floats[0]) < 2 ** -14)
    return Math.fround(floats[0] + Math.sign(value) * 0.75) - Math.sign(value) * 0.75;
  if (!Number.isFinite(floats[0])) return floats[0];
  bits[0] += 0xfff + ((bits[0] >>> 13) & 1);
  bits[0] &= ~0x1fff;
  return Math.abs(floats[0]) >= 65536 ? Math.sign(value) * Number.POSITIVE_INFINITY : floats[0];
}

/** Rounds to bfloat16, halves to even. */
export function roundBF16(value: number): number {
  floats[0] = value;
  if (!Number.isFinite(floats[0])) return floats[0];
  bits[0] += 0x7fff + ((bits[0] >>> 16) & 1);
  bits[0] &= 0xffff0000;
  return floats[0];
}
