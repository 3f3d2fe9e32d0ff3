import { arenaOffset, claimBytes, releaseBytes } from './arena.ts';
import { kernelLoader } from './arena-kernel.ts';
import { type CountedRows, type MomentKernel, type MomentSums, plainMoments } from './moments.ts';

/** Bytes that the three passes over a slice share: they should still be in the second cache for the last one. */
const sliceBytes = 256 * 1024;

/** Exports of src/kernels/assembly/moments.ts: addresses are byte offsets in the arena. */
interface MomentExports {
  measureRows(data: number, rows: number, dim: number, squares: number, lows: number, highs: number): void;
  addColumns: (
    ...[data, rows, dim, rowSquares, sums, squares, units]: [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
  ) => void;
  reviewRows: (
    ...[squares, lows, highs, rows, totals, notable, low, high, smallestNorm, largestNorm]: [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
  ) => number;
  countBuckets(data: number, rows: number, dim: number, first: number, every: number, buckets: number): void;
}

/** The kernel of stats by name: the numbers are the same. Cost: about 2 ms for the first `simd`. */
export const loadMomentKernel = kernelLoader(
  plainMoments,
  async () => (await import('../generated/kernels.ts')).kernelsBase64,
  simdMoments,
);

/** Wraps the exports. Sums that found no room in the arena and rows wider than a slice go to the plain kernel. */
function simdMoments(wasm: MomentExports): MomentKernel {
  return {
    name: 'simd',
    addRows(sums, data, rows, counted) {
      const at = offsetsOf(sums);
      const sliceRows = rowsPerSlice(sums.dim);
      const staging = arenaOffset(data) === undefined ? claimBytes(sliceBytes) : undefined;
      const staged = staging === undefined ? arenaOffset(data) : arenaOffset(staging);
      if (at === undefined || staged === undefined || sliceRows < 1)
        plainMoments.addRows(sums, data, rows, counted);
      else {
        for (let row = 0; row < rows; row += sliceRows) {
          const count = Math.min(sliceRows, rows - row);
          let address = staged + row * sums.dim * 4;
          if (staging !== undefined)
            address = stage(staging, data.subarray(row * sums.dim, (row + count) * sums.dim));
          addSlice(wasm, at, sums.dim, { address, row, count }, counted);
        }
      }
      if (staging !== undefined) releaseBytes(staging);
    },
    reviewRows(sums, rows, bounds) {
      const squares = arenaOffset(sums.rowSquares);
      const lows = arenaOffset(sums.rowLows);
      const highs = arenaOffset(sums.rowHighs);
      const totals = arenaOffset(sums.totals);
      const notable = arenaOffset(sums.notable);
      if (
        squares === undefined ||
        lows === undefined ||
        highs === undefined ||
        totals === undefined ||
        notable === undefined
      )
        return plainMoments.reviewRows(sums, rows, bounds);
      const { low, high, smallestNorm, largestNorm } = bounds;
      return wasm.reviewRows(
        squares,
        lows,
        highs,
        rows,
        totals,
        notable,
        low,
        high,
        smallestNorm,
        largestNorm,
      );
    },
  };
}

/** Whole groups of eight rows where they fit: the columns of fewer are added one row at a time. */
function rowsPerSlice(dim: number): number {
  const rows = Math.floor(sliceBytes / (dim * 4));
  return rows < 8 ? rows : rows & ~7;
}

interface Slice {
  address: number;
  row: number;
  count: number;
}

function addSlice(wasm: MomentExports, at: Offsets, dim: number, slice: Slice, counted: CountedRows): void {
  const { address, row, count } = slice;
  const squares = at.rowSquares + row * 8;
  wasm.measureRows(address, count, dim, squares, at.rowLows + row * 4, at.rowHighs + row * 4);
  wasm.addColumns(address, count, dim, squares, at.sums, at.squares, at.units);
  const { first, every } = counted;
  const begin = row <= first ? first - row : (every - ((row - first) % every)) % every;
  wasm.countBuckets(address, count, dim, begin, every, at.buckets);
}

/** Copies rows to the arena. Returns their address. */
function stage(staging: Uint8Array, rows: Float32Array): number {
  staging.set(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
  return staging.byteOffset;
}

/** Addresses of the parts of MomentSums. */
interface Offsets {
  sums: number;
  squares: number;
  units: number;
  buckets: number;
  rowSquares: number;
  rowLows: number;
  rowHighs: number;
}

function offsetsOf(sums: MomentSums): Offsets | undefined {
  if (sums.sums.length !== sums.dim) return undefined;
  const offsets = {
    sums: arenaOffset(sums.sums),
    squares: arenaOffset(sums.squares),
    units: arenaOffset(sums.units),
    buckets: arenaOffset(sums.buckets),
    rowSquares: arenaOffset(sums.rowSquares),
    rowLows: arenaOffset(sums.rowLows),
    rowHighs: arenaOffset(sums.rowHighs),
  };
  return Object.values(offsets).includes(undefined) ? undefined : (offsets as Offsets);
}
