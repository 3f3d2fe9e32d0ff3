import { arenaOffset } from './arena.ts';
import { inArena, kernelLoader } from './arena-kernel.ts';

/** Numbers that sumPowers gives for a row. */
export const powersOfRow = 4;

/** Sums that tell how the values of rows and columns are distributed. The kernels add in one order, so they agree to the last bit. */
export interface PowerKernel {
  readonly name: 'ts' | 'simd';
  /**
   * The sums of the values of every row, of their squares, third and fourth powers, in float64.
   *
   * Shape: data [rows, dim] → sums [rows, 4]
   */
  sumPowers(data: Float32Array, rows: number, dim: number, sums: Float64Array): void;
  /** Adds rows and their squares to the sums of the columns. Shape: data [rows, dim] → totals, squares [dim], added to */
  addToColumns(
    data: Float32Array,
    rows: number,
    dim: number,
    totals: Float64Array,
    squares: Float64Array,
  ): void;
}

/** The reference: plain TypeScript over typed arrays. */
export const plainPowers: PowerKernel = {
  name: 'ts',
  sumPowers(data, rows, dim, sums) {
    const lanes = new Float64Array(4 * powersOfRow);
    for (let row = 0; row < rows; row++) {
      const start = row * dim;
      const wideEnd = start + (dim & ~3);
      lanes.fill(0);
      // Four sums side by side, because that is how the SIMD twin adds.
      for (let i = start; i < wideEnd; i++) addPowers(lanes, ((i - start) & 3) * powersOfRow, data[i]);
      const own = sums.subarray(row * powersOfRow, (row + 1) * powersOfRow);
      for (let power = 0; power < powersOfRow; power++)
        own[power] = lanes[power] + lanes[power + 8] + (lanes[power + 4] + lanes[power + 12]);
      for (let i = wideEnd; i < start + dim; i++) addPowers(own, 0, data[i]);
    }
  },
  addToColumns(data, rows, dim, totals, squares) {
    for (let row = 0; row < rows; row++) {
      for (let i = row * dim, d = 0; d < dim; i++, d++) {
        totals[d] += data[i];
        squares[d] += data[i] * data[i];
      }
    }
  },
};

function addPowers(sums: Float64Array, at: number, value: number): void {
  const square = value * value;
  sums[at] += value;
  sums[at + 1] += square;
  sums[at + 2] += square * value;
  sums[at + 3] += square * square;
}

/** Exports of assembly/powers.ts. */
interface PowerExports {
  sumPowers(data: number, rows: number, dim: number, sums: number): void;
  addToColumns(data: number, rows: number, dim: number, totals: number, squares: number): void;
}

/** The kernel by name. Cost: about half a millisecond for the first `simd`. */
export const loadPowerKernel = kernelLoader(
  plainPowers,
  async () => (await import('../generated/powers.ts')).powersBase64,
  simdPowers,
);

/** Where sums or rows have no room in the arena, the plain kernel gives the same. */
function simdPowers(wasm: PowerExports): PowerKernel {
  return {
    name: 'simd',
    sumPowers(data, rows, dim, sums) {
      const into = arenaOffset(sums);
      if (into === undefined || !inArena(data, (at) => wasm.sumPowers(at, rows, dim, into)))
        plainPowers.sumPowers(data, rows, dim, sums);
    },
    addToColumns(data, rows, dim, totals, squares) {
      const [t, s] = [arenaOffset(totals), arenaOffset(squares)];
      const done =
        t !== undefined && s !== undefined && inArena(data, (at) => wasm.addToColumns(at, rows, dim, t, s));
      if (!done) plainPowers.addToColumns(data, rows, dim, totals, squares);
    },
  };
}
