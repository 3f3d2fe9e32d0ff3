import { Breath } from '../bytes/breath.ts';
import { type ByteRange, mergeRanges } from '../bytes/ranges.ts';
import { claimBytes, releaseBytes } from '../kernels/arena.ts';
import type { DType, RowBlock, RowReader, TensorInfo } from '../types.ts';

/** Raw bytes read at a time. */
const slabBytes = 1 << 20;

/** Decoded bytes of a scanned block. */
const scanBytes = 4 << 20;

/** Bytes that are cheaper to read along than to skip with another system call. */
const readAlong = 4096;

/** Column-major rows (Fortran order): a column lies in one piece, a row is spread over the whole tensor. */
export class ColumnRows implements RowReader {
  readonly rows: number;
  readonly dim: number;
  readonly rounds: boolean;
  readonly #dtype: DType;
  readonly #tensor: TensorInfo;
  readonly #columnBytes: number;

  constructor(tensor: TensorInfo, dtype: DType) {
    this.#tensor = tensor;
    this.#dtype = dtype;
    this.rounds = dtype.rounds === true;
    [this.rows, this.dim] = tensor.shape;
    this.#columnBytes = (tensor.strides?.[1] ?? this.rows) * dtype.blockBytes;
  }

  /** Cost: dim reads for every stretch of ids that lie within 4 KiB of each other. */
  async gather(ids: Uint32Array, out: Float32Array): Promise<void> {
    await this.#dtype.load?.(ids.length * this.dim);
    const width = this.#dtype.blockBytes;
    const rows = [...new Set(ids)].sort((a, b) => a - b);
    const places = new Map<number, number[]>(rows.map((row) => [row, []]));
    ids.forEach((row, place) => {
      places.get(row)?.push(place);
    });
    const wanted = rows.map((row) => ({ start: row * width, end: (row + 1) * width }));
    for (const stretch of mergeRanges(wanted, readAlong, slabBytes)) {
      const targets = stretch.members.map((member) => ({
        weight: (wanted[member].start - stretch.start) / width,
        places: places.get(rows[member]) ?? [],
      }));
      await this.#gatherStretch(stretch, targets, out);
    }
  }

  async #gatherStretch(
    stretch: ByteRange,
    targets: readonly { weight: number; places: readonly number[] }[],
    out: Float32Array,
  ): Promise<void> {
    const raw = new Uint8Array(stretch.end - stretch.start);
    const values = new Float32Array(raw.length / this.#dtype.blockBytes);
    const breath = new Breath();
    for (let column = 0; column < this.dim; column++) {
      const start = this.#tensor.offset + column * this.#columnBytes + stretch.start;
      this.#dtype.decode(await this.#tensor.source.read(start, start + raw.length, raw), values);
      for (const { weight, places } of targets) {
        for (const place of places) out[place * this.dim + column] = values[weight];
      }
      if (breath.due) await breath.take();
    }
  }

  async *scan(): AsyncIterable<RowBlock> {
    await this.#dtype.load?.(this.rows * this.dim);
    const width = this.#dtype.blockBytes;
    const most = Math.min(this.rows, Math.max(1, Math.floor(scanBytes / 4 / this.dim)));
    // Short columns are read many at a time, with the rows between that belong to other blocks.
    const skipped = this.#columnBytes - most * width;
    const columns = skipped > readAlong ? 1 : Math.max(1, Math.floor(slabBytes / this.#columnBytes));
    const raw = claimBytes((Math.min(columns, this.dim) - 1) * this.#columnBytes + most * width);
    const decoded = claimBytes(most * this.dim * 4);
    const floats = new Float32Array(decoded.buffer, decoded.byteOffset, most * this.dim);
    const values = new Float32Array(raw.length / width);
    const breath = new Breath();
    try {
      for (let start = 0; start < this.rows; start += most) {
        const rows = Math.min(most, this.rows - start);
        for (let column = 0; column < this.dim; column += columns) {
          const count = Math.min(columns, this.dim - column);
          await this.#readColumns(start, rows, column, count, raw, values, floats);
          if (breath.due) await breath.take();
        }
        yield { start, rows, data: floats.subarray(0, rows * this.dim) };
      }
    } finally {
      releaseBytes(raw);
      releaseBytes(decoded);
    }
  }

  /** Decodes rows start.. of some columns and writes them across the block. */
  async #readColumns(
    start: number,
    rows: number,
    column: number,
    count: number,
    raw: Uint8Array,
    values: Float32Array,
    block: Float32Array,
  ): Promise<void> {
    const width = this.#dtype.blockBytes;
    const at = this.#tensor.offset + column * this.#columnBytes + start * width;
    const length = (count - 1) * this.#columnBytes + rows * width;
    this.#dtype.decode(await this.#tensor.source.read(at, at + length, raw), values);
    const pitch = this.#columnBytes / width;
    for (let index = 0; index < count; index++) {
      for (let row = 0; row < rows; row++)
        block[row * this.dim + column + index] = values[index * pitch + row];
    }
  }
}
