import { Breath } from '../bytes/breath.ts';
import { EmbError } from '../errors.ts';
import type { DType, RowBlock, RowReader, TensorInfo } from '../types.ts';

/** Raw bytes read at a time. */
const slabBytes = 1 << 20;

/** Bytes that are cheaper to read along than to skip with another system call. */
const readAlong = 4096;

/** A tensor that repeats its storage (stride 0, overlapping windows) may be this many times as large, or this large anyway. */
const mostRepeated = 16;
const repeatedAnyway = 1 << 22;

/** Rows whose weights do not lie side by side, nor those of a column: slices, expanded and overlapping views. */
export class StridedRows implements RowReader {
  readonly rows: number;
  readonly dim: number;
  readonly rounds: boolean;
  readonly #dtype: DType;
  readonly #tensor: TensorInfo;
  readonly #rowStride: number;
  readonly #columnStride: number;

  /** @throws EmbError "unsupported" for weights that share a byte and for a small storage that is repeated into a huge table */
  constructor(tensor: TensorInfo, dtype: DType) {
    const label = `${tensor.source.name}: tensor ${JSON.stringify(tensor.name)}`;
    [this.rows, this.dim] = tensor.shape;
    [this.#rowStride, this.#columnStride] = tensor.strides ?? [this.dim, 1];
    if (dtype.blockWeights !== 1) {
      throw new EmbError(
        'unsupported',
        `${label} has blocks of ${dtype.blockWeights} weights and the strides [${this.#rowStride}, ${this.#columnStride}], expected whole rows`,
      );
    }
    const held = tensor.byteLength / dtype.blockBytes;
    const most = Math.max(repeatedAnyway, held * mostRepeated);
    if (this.rows * this.dim > most) {
      throw new EmbError(
        'unsupported',
        `${label} repeats ${held} weights to [${this.rows}, ${this.dim}], expected at most ${most}`,
      );
    }
    this.#tensor = tensor;
    this.#dtype = dtype;
    this.rounds = dtype.rounds === true;
  }

  /** Cost: a read for every row whose weights lie within 4 KiB of each other, one for every weight otherwise. */
  async gather(ids: Uint32Array, out: Float32Array): Promise<void> {
    await this.#dtype.load?.(this.rows * this.dim);
    const line = new Line(this.#tensor, this.#dtype);
    const breath = new Breath();
    for (let place = 0; place < ids.length; place++) {
      await line.read(ids[place] * this.#rowStride, this.dim, this.#columnStride, out, place * this.dim, 1);
      if (breath.due) await breath.take();
    }
  }

  /** Reads along the axis whose weights lie closer. */
  async *scan(): AsyncIterable<RowBlock> {
    const most = Math.min(this.rows, Math.max(1, Math.floor(slabBytes / 4 / this.dim)));
    const block = new Float32Array(most * this.dim);
    await this.#dtype.load?.(this.rows * this.dim);
    const line = new Line(this.#tensor, this.#dtype);
    const breath = new Breath();
    const byRows = this.#columnStride <= this.#rowStride;
    for (let start = 0; start < this.rows; start += most) {
      const rows = Math.min(most, this.rows - start);
      for (let index = 0; index < (byRows ? rows : this.dim); index++) {
        if (byRows) {
          const first = (start + index) * this.#rowStride;
          await line.read(first, this.dim, this.#columnStride, block, index * this.dim, 1);
        } else {
          const first = start * this.#rowStride + index * this.#columnStride;
          await line.read(first, rows, this.#rowStride, block, index, this.dim);
        }
        if (breath.due) await breath.take();
      }
      yield { start, rows, data: block.subarray(0, rows * this.dim) };
    }
  }
}

/** Reads weights at equal distances. */
class Line {
  readonly #tensor: TensorInfo;
  readonly #dtype: DType;
  #raw = new Uint8Array(0);
  #values = new Float32Array(0);

  constructor(tensor: TensorInfo, dtype: DType) {
    this.#tensor = tensor;
    this.#dtype = dtype;
  }

  /** Weights first, first + stride ... to out[place], out[place + step] ... */
  async read(
    first: number,
    count: number,
    stride: number,
    out: Float32Array,
    place: number,
    step: number,
  ): Promise<void> {
    const width = this.#dtype.blockBytes;
    const apart = stride * width;
    if (stride === 0) {
      const [value] = await this.#readPiece(first, 1, 1);
      for (let index = 0; index < count; index++) out[place + index * step] = value;
      return;
    }
    const most = apart > readAlong ? readAlong : Math.max(1, Math.floor(slabBytes / apart));
    for (let start = 0; start < count; start += most) {
      const length = Math.min(most, count - start);
      const values = await this.#readPiece(first + start * stride, length, stride);
      for (let index = 0; index < length; index++) out[place + (start + index) * step] = values[index];
    }
  }

  /** At most as many weights as a slab holds, side by side. */
  async #readPiece(first: number, count: number, stride: number): Promise<Float32Array> {
    const { source, offset } = this.#tensor;
    const width = this.#dtype.blockBytes;
    const apart = stride * width;
    const start = offset + first * width;
    const scattered = apart > readAlong;
    const length = scattered ? count * width : (count - 1) * apart + width;
    if (this.#raw.length < length) this.#raw = new Uint8Array(length);
    if (this.#values.length < count) this.#values = new Float32Array(count);
    const raw = this.#raw.subarray(0, length);
    if (scattered) {
      const spans = new Float64Array(3 * count);
      for (let index = 0; index < count; index++) {
        const at = start + index * apart;
        spans.set([at, at + width, index * width], 3 * index);
      }
      await source.readMany(spans, raw);
    } else {
      await source.read(start, start + length, raw);
      if (stride !== 1) {
        for (let index = 1; index < count; index++) {
          for (let byte = 0; byte < width; byte++) raw[index * width + byte] = raw[index * apart + byte];
        }
      }
    }
    const values = this.#values.subarray(0, count);
    this.#dtype.decode(raw.subarray(0, count * width), values);
    return values;
  }
}
