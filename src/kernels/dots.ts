import { arenaOffset, claimFloats, releaseBytes } from './arena.ts';
import { kernelLoader } from './arena-kernel.ts';
import { type CandidateBlock, type ExactBlock, type NearnessKernel, plainNearness } from './nearness.ts';
import { metricNumbers, type QueryLines, type RoundedExports, RoundedQueries } from './rounded.ts';

/** Queries of one pass of the SIMD kernel over a block. */
const queriesPerPass = 4;

/** 16-bit floats that a kernel reads as they are stored: little endian. */
export type HalfType = 'BF16' | 'F16';

/** Dot products of rows with queries, and the squares of the rows. */
export interface DotKernel extends NearnessKernel {
  readonly name: 'ts' | 'simd';
  /**
   * Shape: data [rows, dim], queries [count, dim] → dots [count + 1, stride], squares [rows]; stride >= rows. The last line of dots
   * is the kernel's own.
   * Units: sums in float64 rounded once (ts), in float32 lanes (simd): they agree to a few units of the last place of the
   * largest partial sum.
   */
  dotRows(block: DotBlock): void;
  /** dotRows for rows as they are stored, decoded on the way. For few queries: rows are decoded for each. */
  dotHalves(block: HalfBlock): void;
  /**
   * dotRows or dotHalves with one query and candidates in one. Most rows are told to be too far by a part of their square.
   *
   * Shape: → dots, squares [rows], set for the rows in found. A row that float32 does not measure may be missing if it is too far.
   */
  selectRows(block: SelectBlock): number;
  /** Queries rounded to integers, which choose rows faster than float32 sums; undefined where they cannot be. */
  roundQueries?(lines: QueryLines): RoundedQueries | undefined;
}

export interface DotBlock {
  data: Float32Array;
  rows: number;
  dim: number;
  queries: Float32Array;
  count: number;
  dots: Float32Array;
  stride: number;
  squares: Float32Array;
}

export interface HalfBlock extends Omit<DotBlock, 'data'> {
  data: Uint16Array;
  type: HalfType;
}

export type SelectBlock = Omit<DotBlock, 'data' | 'count' | 'stride'> &
  Omit<CandidateBlock, 'rows'> &
  ({ data: Float32Array; type?: undefined } | { data: Uint16Array; type: HalfType });

/** The reference: every sum in float64. */
export const plainDots: DotKernel = {
  name: 'ts',
  dotRows({ data, rows, dim, queries, count, dots, stride, squares }) {
    for (let row = 0; row < rows; row++) {
      const start = row * dim;
      let square = 0;
      for (let i = start; i < start + dim; i++) square += data[i] * data[i];
      squares[row] = square;
      for (let query = 0; query < count; query++) {
        let dot = 0;
        let at = query * dim;
        for (let i = start; i < start + dim; i++) dot += data[i] * queries[at++];
        dots[query * stride + row] = dot;
      }
    }
  },
  dotHalves({ data, type, ...block }) {
    plainDots.dotRows({ ...block, data: decodeHalves(data, type) });
  },
  selectRows(block) {
    multiplyOne(plainDots, block);
    return plainNearness.candidates(block);
  },
  ...plainNearness,
};

/** Products of all rows with one query. */
function multiplyOne(kernel: DotKernel, block: SelectBlock): void {
  const one = { count: 1, stride: block.rows };
  if (block.type === undefined) kernel.dotRows({ ...block, ...one });
  else kernel.dotHalves({ ...block, ...one });
}

/** Values of 16-bit floats, for the plain kernel and single rows: dtypes/ decodes faster. */
export function decodeHalves(data: Uint16Array, type: HalfType): Float32Array {
  const bits = new Uint32Array(data.length);
  const values = new Float32Array(bits.buffer);
  if (type === 'BF16') for (let i = 0; i < data.length; i++) bits[i] = data[i] << 16;
  else for (let i = 0; i < data.length; i++) values[i] = valueOfF16(data[i]);
  return values;
}

function valueOfF16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

type DotOne = (
  ...[data, rows, dim, query, dots, squares]: [number, number, number, number, number, number]
) => void;

type Near = [metric: number, bound: number, reach: number, slack: number];

type Select = (
  ...[data, rows, dim, query, ...near]: [
    ...[number, number, number, number],
    ...Near,
    ...[dots: number, squares: number, found: number],
  ]
) => number;

/** Exports of assembly/dots.ts. */
interface DotExports extends RoundedExports {
  dotOne: DotOne;
  dotBf16: DotOne;
  dotF16: DotOne;
  selectF32: Select;
  selectBf16: Select;
  selectF16: Select;
  candidates: (
    ...[dots, squares, rows, ...near]: [...[number, number, number], ...Near, found: number]
  ) => number;
  sumExactly(data: number, rows: number, dim: number, query: number, sums: number): void;
  dotMany: (
    ...[data, rows, dim, queries, count, dots, stride]: [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
  ) => void;
}

/** The kernel by name. Cost: about 1 ms for the first `simd`. */
export const loadDotKernel = kernelLoader(
  plainDots,
  async () => (await import('../generated/dots.ts')).dotsBase64,
  simdDots,
  async () => (await import('../generated/dots-fused.ts')).dotsFusedBase64,
);

/** What lies outside of the arena is multiplied by the plain kernel, but for the rows: those are copied in. */
function simdDots(wasm: DotExports): DotKernel {
  return {
    name: 'simd',
    dotRows(block) {
      const { rows, dim, count, stride } = block;
      const queries = arenaOffset(block.queries);
      const dots = arenaOffset(block.dots);
      const squares = arenaOffset(block.squares);
      const staged = stageRows(block);
      const data = arenaOffset(staged);
      if (queries === undefined || dots === undefined || squares === undefined || data === undefined) {
        plainDots.dotRows(block);
        return;
      }
      wasm.dotOne(data, rows, dim, queries, dots, squares);
      if (count > 1) multiplyMany(wasm, { data, queries, dots, rows, dim, count, stride });
      if (staged !== block.data) releaseBytes(staged);
    },
    dotHalves(block) {
      const { rows, dim, count, stride } = block;
      const [data, queries, dots, squares] = [block.data, block.queries, block.dots, block.squares].map(
        arenaOffset,
      );
      if (data === undefined || queries === undefined || dots === undefined || squares === undefined) {
        plainDots.dotHalves(block);
        return;
      }
      const dotOne = block.type === 'BF16' ? wasm.dotBf16 : wasm.dotF16;
      for (let query = 0; query < count; query++)
        dotOne(data, rows, dim, queries + query * dim * 4, dots + query * stride * 4, squares);
    },
    selectRows(block) {
      const { rows, dim, metric, bound, reach, slack } = block;
      const parts = [block.data, block.queries, block.dots, block.squares, block.found];
      const [data, query, dots, squares, found] = parts.map(arenaOffset);
      if (
        data === undefined ||
        query === undefined ||
        dots === undefined ||
        squares === undefined ||
        found === undefined
      ) {
        multiplyOne(this, block);
        return this.candidates(block);
      }
      const selects = { F32: wasm.selectF32, BF16: wasm.selectBf16, F16: wasm.selectF16 };
      const select = selects[block.type ?? 'F32'];
      const near = [metricNumbers[metric], bound, reach, slack] as const;
      return select(data, rows, dim, query, ...near, dots, squares, found);
    },
    roundQueries(lines) {
      const rounded = new RoundedQueries(wasm, lines);
      if (rounded.isPlaced) return rounded;
      rounded.release();
      return undefined;
    },
    ...simdNearness(wasm),
  };
}

function simdNearness(wasm: DotExports): NearnessKernel {
  return {
    candidates(block: CandidateBlock) {
      const { rows, metric, bound, reach, slack } = block;
      const dots = arenaOffset(block.dots);
      const squares = arenaOffset(block.squares);
      const found = arenaOffset(block.found);
      if (dots === undefined || squares === undefined || found === undefined)
        return plainNearness.candidates(block);
      return wasm.candidates(dots, squares, rows, metricNumbers[metric], bound, reach, slack, found);
    },
    sumExactly(block: ExactBlock) {
      const data = arenaOffset(block.data);
      const query = arenaOffset(block.query);
      const sums = arenaOffset(block.sums);
      if (data === undefined || query === undefined || sums === undefined) plainNearness.sumExactly(block);
      else wasm.sumExactly(data, block.rows, block.query.length, query, sums);
    },
  };
}

interface Addresses {
  data: number;
  queries: number;
  dots: number;
  rows: number;
  dim: number;
  count: number;
  stride: number;
}

/** Whole tiles of two rows and four queries; what is left over goes query by query, or is the last row done twice. */
function multiplyMany(wasm: DotExports, { data, queries, dots, rows, dim, count, stride }: Addresses): void {
  const tiled = count - (count % queriesPerPass);
  const even = rows & ~1;
  if (tiled > 0 && even > 0) wasm.dotMany(data, even, dim, queries, tiled, dots, stride);
  const spare = dots + count * stride * 4;
  const single = (query: number, row: number, length: number) =>
    wasm.dotOne(
      data + row * dim * 4,
      length,
      dim,
      queries + query * dim * 4,
      dots + (query * stride + row) * 4,
      spare,
    );
  if (even < rows) for (let query = 0; query < tiled; query++) single(query, even, 1);
  for (let query = tiled; query < count; query++) single(query, 0, rows);
}

function stageRows({ data, rows, dim }: DotBlock): Float32Array {
  if (arenaOffset(data) !== undefined) return data;
  const staged = claimFloats(rows * dim);
  staged.set(data.subarray(0, rows * dim));
  return staged;
}
