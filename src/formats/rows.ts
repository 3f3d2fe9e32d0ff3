import { Breath } from '../bytes/breath.ts';
import { lateDType } from '../dtypes/index.ts';
import { EmbError } from '../errors.ts';
import { claimBytes, releaseBytes } from '../kernels/arena.ts';
import type { DType, HalfRows, RowBlock, RowReader, ScanParts, TensorInfo } from '../types.ts';
import { ColumnRows } from './column-rows.ts';
import { type BlockPlan, rowsPerBlock, storedBlocks } from './row-blocks.ts';
import { StridedRows } from './strided-rows.ts';

/** Raw bytes of a block: large enough that system calls don't count, small enough for the second level cache. */
const blockBytes = 1 << 20;

/** Float32 bytes of a block: four bits become thirty-two. */
const decodedBytes = 4 << 20;

/** Ids sorted at a time: an id and its place then fit the 53 bits of one number. */
const batchIds = 1 << 16;

/** Bytes read into the result between two breaths. */
const directBytes = 16 << 20;

/** Below this, plain memory costs less than a claim. */
const claimWorth = 1 << 16;

/** Widest row: 1 GiB of float32. */
const widestRow = 1 << 28;

/**
 * Reads a 2-D tensor by rows, in row-major or column-major order or with any other strides.
 *
 * @throws EmbError "unsupported" for a dtype that is not decoded, no two dimensions, no rows or columns, or a row over 1 GiB
 */
export function rowsOf(tensor: TensorInfo): RowReader {
  if (tensor.reader !== undefined) return tensor.reader();
  const label = `${tensor.source.name}: tensor ${JSON.stringify(tensor.name)}`;
  const shape = `[${tensor.shape.join(', ')}]`;
  if (tensor.shape.length !== 2) {
    throw new EmbError(
      'unsupported',
      `${label} has the shape ${shape}, expected two dimensions: rows and columns`,
    );
  }
  const [rows, dim] = tensor.shape;
  if (rows < 1 || dim < 1) {
    throw new EmbError(
      'unsupported',
      `${label} has the shape ${shape}, expected at least one row and one column`,
    );
  }
  if (rows > 0xffffffff || dim > widestRow) {
    throw new EmbError(
      'unsupported',
      `${label} has the shape ${shape}, expected at most [${0xffffffff}, ${widestRow}]`,
    );
  }
  const dtype = lateDType(tensor.dtype, tensor.bigEndian);
  if (dim % dtype.blockWeights !== 0) {
    throw new EmbError(
      'unsupported',
      `${label} has rows of ${dim} weights, expected whole blocks of ${dtype.blockWeights} (${dtype.name})`,
    );
  }
  const [rowStride, columnStride] = tensor.strides ?? [dim, 1];
  if ((dim === 1 || columnStride === 1) && (rows === 1 || rowStride === dim))
    return new PlainRows(tensor, dtype);
  if (rowStride === 1 && columnStride >= rows && dtype.blockWeights === 1)
    return new ColumnRows(tensor, dtype);
  return new StridedRows(tensor, dtype);
}

/** Row-major rows: row r lies at offset + r * rowBytes. */
class PlainRows implements RowReader {
  readonly rows: number;
  readonly dim: number;
  readonly rounds: boolean;
  readonly #dtype: DType;
  readonly #tensor: TensorInfo;
  readonly #rowBytes: number;
  /** The bytes of the file are the bytes of the float32 row. */
  readonly #direct: boolean;
  /** The bytes of the file are those of 16-bit floats that kernels take. */
  readonly #half: HalfRows['type'] | undefined;

  constructor(tensor: TensorInfo, dtype: DType) {
    this.#tensor = tensor;
    this.#dtype = dtype;
    this.rounds = dtype.rounds === true;
    [this.rows, this.dim] = tensor.shape;
    this.#rowBytes = (this.dim / dtype.blockWeights) * dtype.blockBytes;
    this.#direct = dtype.name === 'F32' && !tensor.bigEndian;
    const isHalf = (dtype.name === 'BF16' || dtype.name === 'F16') && !tensor.bigEndian;
    this.#half = isHalf ? (dtype.name as HalfRows['type']) : undefined;
  }

  async gather(ids: Uint32Array, out: Float32Array): Promise<void> {
    if (this.#direct) {
      const bytes = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
      await this.#inPieces(ids, directBytes, async (part, start) => {
        const first = start * this.#rowBytes;
        await this.#readRows(part, bytes.subarray(first, first + part.length * this.#rowBytes));
      });
      return;
    }
    await this.#dtype.load?.(ids.length * this.dim);
    const slab = claim(Math.min(blockBytes, ids.length * this.#rowBytes));
    try {
      await this.#inPieces(ids, blockBytes, async (part, start) => {
        const target = out.subarray(start * this.dim, (start + part.length) * this.dim);
        if (this.#rowBytes > blockBytes) {
          await this.#decodeRow(part[0], slab, target);
        } else {
          const raw = slab.subarray(0, part.length * this.#rowBytes);
          await this.#readRows(part, raw);
          this.#dtype.decode(raw, target);
        }
      });
    } finally {
      releaseBytes(slab);
    }
  }

  /** Calls work for ids whose rows take at most so many bytes, one id at least. */
  async #inPieces(
    ids: Uint32Array,
    bytes: number,
    work: (part: Uint32Array, start: number) => Promise<void>,
  ) {
    const most = Math.min(batchIds, Math.max(1, Math.floor(bytes / this.#rowBytes)));
    const breath = new Breath();
    for (let start = 0; start < ids.length; start += most) {
      await work(ids.subarray(start, start + most), start);
      if (breath.due) await breath.take();
    }
  }

  /** Reads at most 65,536 rows as stored: in the order of the file, every row once. */
  async #readRows(ids: Uint32Array, into: Uint8Array): Promise<void> {
    const rowBytes = this.#rowBytes;
    const keys = sortedKeys(ids);
    const spans = new Float64Array(3 * keys.length);
    const copies: number[] = [];
    let used = 0;
    let last = -1;
    for (let index = 0; index < keys.length; index++) {
      const row = Math.floor(keys[index] / batchIds);
      const place = (keys[index] % batchIds) * rowBytes;
      if (row === last) {
        copies.push(place, spans[used - 1]);
        continue;
      }
      last = row;
      const start = this.#tensor.offset + row * rowBytes;
      spans[used++] = start;
      spans[used++] = start + rowBytes;
      spans[used++] = place;
    }
    await this.#tensor.source.readMany(spans.subarray(0, used), into);
    for (let index = 0; index < copies.length; index += 2) {
      into.copyWithin(copies[index], copies[index + 1], copies[index + 1] + rowBytes);
    }
  }

  /** A row of any length, decoded piece by piece through the slab. */
  async #decodeRow(row: number, slab: Uint8Array, out: Float32Array): Promise<void> {
    const { start, end } = this.#span(row, 1);
    const width = this.#dtype.blockBytes;
    const step = Math.floor(slab.length / width) * width;
    for (let at = start; at < end; at += step) {
      const piece = await this.#tensor.source.read(at, Math.min(at + step, end), slab);
      const first = ((at - start) / width) * this.#dtype.blockWeights;
      this.#dtype.decode(
        piece,
        out.subarray(first, first + (piece.length / width) * this.#dtype.blockWeights),
      );
    }
  }

  async *scan(): AsyncIterable<RowBlock> {
    let block = 0;
    yield* this.#scanFloats(() => block++);
  }

  scanParts({ next, halves }: ScanParts): AsyncIterable<RowBlock | HalfRows> {
    return halves && this.#half !== undefined ? this.#scanHalves(next, this.#half) : this.#scanFloats(next);
  }

  async *#scanFloats(next: () => number): AsyncIterable<RowBlock> {
    if (!this.#direct) await this.#dtype.load?.(this.rows * this.dim);
    if (this.#rowBytes > blockBytes && !this.#direct) yield* this.#scanWide(next);
    else if (this.#direct) {
      for await (const { start, rows, bytes } of storedBlocks(this.#plan(next)))
        yield { start, rows, data: new Float32Array(bytes.buffer, bytes.byteOffset, rows * this.dim) };
    } else {
      const plan = this.#plan(next);
      const decoded = claimBytes(plan.blockRows * this.dim * 4);
      const floats = new Float32Array(decoded.buffer, decoded.byteOffset, decoded.length / 4);
      try {
        for await (const { start, rows, bytes } of storedBlocks(plan)) {
          const data = floats.subarray(0, rows * this.dim);
          this.#dtype.decode(bytes, data);
          yield { start, rows, data };
        }
      } finally {
        releaseBytes(decoded);
      }
    }
  }

  /** One row at a time, decoded piece by piece. */
  async *#scanWide(next: () => number): AsyncIterable<RowBlock> {
    const slab = claimBytes(blockBytes);
    const decoded = claimBytes(this.dim * 4);
    const data = new Float32Array(decoded.buffer, decoded.byteOffset, this.dim);
    const breath = new Breath();
    try {
      for (let start = next(); start < this.rows; start = next()) {
        await this.#decodeRow(start, slab, data);
        yield { start, rows: 1, data };
        if (breath.due) await breath.take();
      }
    } finally {
      releaseBytes(decoded);
      releaseBytes(slab);
    }
  }

  async *#scanHalves(next: () => number, type: HalfRows['type']): AsyncIterable<HalfRows> {
    for await (const { start, rows, bytes } of storedBlocks(this.#plan(next)))
      yield { start, rows, halves: new Uint16Array(bytes.buffer, bytes.byteOffset, rows * this.dim), type };
  }

  #plan(next: () => number): BlockPlan {
    const { source, offset } = this.#tensor;
    const rows = { source, offset, rows: this.rows, rowBytes: this.#rowBytes };
    const fitting = this.#direct ? this.rows : Math.max(1, Math.floor(decodedBytes / (this.dim * 4)));
    return { ...rows, blockRows: rowsPerBlock(rows, fitting), next };
  }

  #span(row: number, rows: number): { start: number; end: number } {
    const start = this.#tensor.offset + row * this.#rowBytes;
    return { start, end: start + rows * this.#rowBytes };
  }
}

/** Memory for raw bytes: in the arena when it is worth it. */
function claim(byteLength: number): Uint8Array {
  return byteLength < claimWorth ? new Uint8Array(byteLength) : claimBytes(byteLength);
}

/** Ids with their places, id * 65,536 + place, in ascending order. */
function sortedKeys(ids: Uint32Array): Float64Array {
  const keys = new Float64Array(ids.length);
  let sorted = true;
  for (let place = 0; place < ids.length; place++) {
    keys[place] = ids[place] * batchIds + place;
    if (place > 0 && keys[place] < keys[place - 1]) sorted = false;
  }
  return sorted ? keys : keys.sort();
}
