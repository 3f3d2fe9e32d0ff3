import { readableDType } from '../dtypes/index.ts';
import { EmbError } from '../errors.ts';
import { claimBytes, releaseBytes } from '../kernels/arena.ts';
import type { DType, RowBlock, TensorInfo } from '../types.ts';
import { Breath } from './breath.ts';
import { ColumnRows } from './column-rows.ts';

/** Raw bytes of a block: large enough that system calls don't count, small enough for the second level cache. */
const blockBytes = 1 << 20;

/** Ids sorted at a time: an id and its place then fit the 53 bits of one number. */
const batchIds = 1 << 16;

/** Below this, plain memory costs less than a claim. */
const claimWorth = 1 << 16;

/** Widest row: 1 GiB of float32. */
const widestRow = 1 << 28;

/** The rows of a 2-D tensor as float32. */
export interface TensorRows {
  readonly rows: number;
  readonly dim: number;
  readonly dtype: DType;
  /** Writes the row of ids[i] to out[i * dim ...]. Every id must be below rows. */
  gather(ids: Uint32Array, out: Float32Array): Promise<void>;
  /** All rows in order, in blocks that reuse one page-aligned buffer. */
  scan(): AsyncIterable<RowBlock>;
}

/**
 * Reads a 2-D tensor by rows, in row-major or column-major order.
 *
 * @throws EmbError "unsupported" for a dtype that is not decoded, no two dimensions, no rows or columns, or a row over 1 GiB
 */
export function rowsOf(tensor: TensorInfo): TensorRows {
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
  const dtype = readableDType(tensor.dtype, tensor.bigEndian);
  const [rowStride, columnStride] = tensor.strides ?? [dim, 1];
  if ((dim === 1 || columnStride === 1) && (rows === 1 || rowStride === dim))
    return new PlainRows(tensor, dtype);
  if (rowStride === 1 && columnStride >= rows) return new ColumnRows(tensor, dtype);
  throw new EmbError(
    'unsupported',
    `${label} has the strides [${rowStride}, ${columnStride}], expected whole rows or columns`,
  );
}

/** Row-major rows: row r lies at offset + r * rowBytes. */
class PlainRows implements TensorRows {
  readonly rows: number;
  readonly dim: number;
  readonly dtype: DType;
  readonly #tensor: TensorInfo;
  readonly #rowBytes: number;
  /** The bytes of the file are the bytes of the float32 row. */
  readonly #direct: boolean;

  constructor(tensor: TensorInfo, dtype: DType) {
    this.#tensor = tensor;
    this.dtype = dtype;
    [this.rows, this.dim] = tensor.shape;
    this.#rowBytes = (this.dim / dtype.blockWeights) * dtype.blockBytes;
    this.#direct = dtype.name === 'F32' && !tensor.bigEndian;
  }

  async gather(ids: Uint32Array, out: Float32Array): Promise<void> {
    const breath = new Breath();
    for (let start = 0; start < ids.length; start += batchIds) {
      if (breath.due) await breath.take();
      const runs = consecutiveRuns(ids.subarray(start, start + batchIds), start);
      if (this.#direct) await this.#gatherBytes(runs, out);
      else await this.#gatherDecoded(runs, out);
      for (const { place, copies } of runs) {
        for (const [copy, index] of copies) {
          const source = (place + index) * this.dim;
          out.copyWithin(copy * this.dim, source, source + this.dim);
        }
      }
    }
  }

  async #gatherBytes(runs: readonly Run[], out: Float32Array): Promise<void> {
    const bytes = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
    await this.#tensor.source.readMany(
      runs.map(({ row, place, length }) => ({
        ...this.#span(row, length),
        into: bytes.subarray(place * this.#rowBytes, (place + length) * this.#rowBytes),
      })),
    );
  }

  async #gatherDecoded(runs: readonly Run[], out: Float32Array): Promise<void> {
    if (this.#rowBytes > blockBytes) {
      for (const run of runs) await this.#decodeLong(run, out);
      return;
    }
    const most = Math.floor(blockBytes / this.#rowBytes);
    const wanted = runs.reduce((sum, run) => sum + run.length, 0);
    const slab = claim(Math.min(most, wanted) * this.#rowBytes);
    try {
      for (const batch of batches(runs, most)) {
        let at = 0;
        const ranges = batch.map(({ row, length }) => {
          const into = slab.subarray(at, at + length * this.#rowBytes);
          at += into.length;
          return { ...this.#span(row, length), into };
        });
        await this.#tensor.source.readMany(ranges);
        batch.forEach(({ place, length }, index) => {
          this.dtype.decode(ranges[index].into, out.subarray(place * this.dim, (place + length) * this.dim));
        });
      }
    } finally {
      releaseBytes(slab);
    }
  }

  async #decodeLong(run: Run, out: Float32Array): Promise<void> {
    const slab = claim(blockBytes);
    try {
      for (let index = 0; index < run.length; index++) {
        const start = (run.place + index) * this.dim;
        await this.#decodeRow(run.row + index, slab, out.subarray(start, start + this.dim));
      }
    } finally {
      releaseBytes(slab);
    }
  }

  /** A row of any length, decoded piece by piece through the slab. */
  async #decodeRow(row: number, slab: Uint8Array, out: Float32Array): Promise<void> {
    const { start, end } = this.#span(row, 1);
    const width = this.dtype.blockBytes;
    const step = Math.floor(slab.length / width) * width;
    for (let at = start; at < end; at += step) {
      const piece = await this.#tensor.source.read(at, Math.min(at + step, end), slab);
      const first = ((at - start) / width) * this.dtype.blockWeights;
      this.dtype.decode(piece, out.subarray(first, first + (piece.length / width) * this.dtype.blockWeights));
    }
  }

  async *scan(): AsyncIterable<RowBlock> {
    const most = Math.min(this.rows, Math.max(1, Math.floor(blockBytes / this.#rowBytes)));
    const decoded = claimBytes(most * this.dim * 4);
    const slab = this.#direct ? decoded : claimBytes(Math.min(blockBytes, most * this.#rowBytes));
    const floats = new Float32Array(decoded.buffer, decoded.byteOffset, most * this.dim);
    const breath = new Breath();
    try {
      for (let start = 0; start < this.rows; start += most) {
        const rows = Math.min(most, this.rows - start);
        const data = floats.subarray(0, rows * this.dim);
        if (!this.#direct && this.#rowBytes > blockBytes) {
          await this.#decodeRow(start, slab, data);
        } else {
          const span = this.#span(start, rows);
          const bytes = await this.#tensor.source.read(span.start, span.end, slab);
          if (!this.#direct) this.dtype.decode(bytes, data);
        }
        yield { start, rows, data };
        if (breath.due) await breath.take();
      }
    } finally {
      releaseBytes(decoded);
      releaseBytes(slab);
    }
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

/** Rows that lie side by side in the file and in the result; copies: other places that want row + index as well. */
interface Run {
  row: number;
  place: number;
  length: number;
  copies: [place: number, index: number][];
}

/** Groups ids, at most 65,536 of them, into runs by row; every row stands in one run only. */
function consecutiveRuns(ids: Uint32Array, firstPlace: number): Run[] {
  const keys = new Float64Array(ids.length);
  for (let place = 0; place < ids.length; place++) keys[place] = ids[place] * batchIds + place;
  keys.sort();
  const runs: Run[] = [];
  let run: Run | undefined;
  for (const key of keys) {
    const row = Math.floor(key / batchIds);
    const place = firstPlace + (key % batchIds);
    const last: number = run === undefined ? -1 : run.row + run.length - 1;
    if (run !== undefined && row === last) {
      run.copies.push([place, run.length - 1]);
    } else if (run !== undefined && row === last + 1 && place === run.place + run.length) {
      run.length++;
    } else {
      run = { row, place, length: 1, copies: [] };
      runs.push(run);
    }
  }
  return runs;
}

/** Splits runs so that every batch has at most `most` rows. */
function* batches(runs: readonly Run[], most: number): Iterable<Run[]> {
  let batch: Run[] = [];
  let room = most;
  for (let { row, place, length } of runs) {
    while (length > 0) {
      const part = Math.min(length, room);
      batch.push({ row, place, length: part, copies: [] });
      row += part;
      place += part;
      length -= part;
      room -= part;
      if (room === 0) {
        yield batch;
        batch = [];
        room = most;
      }
    }
  }
  if (batch.length > 0) yield batch;
}
