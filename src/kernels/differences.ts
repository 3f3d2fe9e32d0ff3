import { arenaOffset } from './arena.ts';
import { kernelLoader } from './arena-kernel.ts';

/** Sums of one pair of rows: squares before, squares after, squares of the difference. */
export const sumsOfPair = 3;

/** One way to measure how rows differ. */
export interface DifferenceKernel {
  readonly name: 'ts' | 'simd';
  /**
   * The sums of squares of two rows and of their difference, in float64.
   *
   * Shape: before, after [rows, dim] → sums [rows, 3]
   * Both kernels add in the same order: they agree to the last bit. No square of a difference of float32 is too small for float64, so the
   * third sum is 0 only where no value differs.
   */
  sumRows(before: Float32Array, after: Float32Array, rows: number, dim: number, sums: Float64Array): void;
}

/** The reference: plain TypeScript over typed arrays. */
export const plainDifferences: DifferenceKernel = {
  name: 'ts',
  sumRows(before, after, rows, dim, sums) {
    for (let row = 0; row < rows; row++) sumRow(before, after, row * dim, dim, sums, row * sumsOfPair);
  },
};

/** Four sums of each side by side, because that is how the SIMD twin adds: lane by lane, then pairwise. */
function sumRow(
  before: Float32Array,
  after: Float32Array,
  start: number,
  dim: number,
  sums: Float64Array,
  at: number,
): void {
  let [a0, a1, a2, a3, b0, b1, b2, b3, d0, d1, d2, d3] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const wideEnd = start + (dim & ~3);
  const end = start + dim;
  let i = start;
  for (; i < wideEnd; i += 4) {
    a0 += before[i] * before[i];
    b0 += after[i] * after[i];
    d0 += (after[i] - before[i]) * (after[i] - before[i]);
    a1 += before[i + 1] * before[i + 1];
    b1 += after[i + 1] * after[i + 1];
    d1 += (after[i + 1] - before[i + 1]) * (after[i + 1] - before[i + 1]);
    a2 += before[i + 2] * before[i + 2];
    b2 += after[i + 2] * after[i + 2];
    d2 += (after[i + 2] - before[i + 2]) * (after[i + 2] - before[i + 2]);
    a3 += before[i + 3] * before[i + 3];
    b3 += after[i + 3] * after[i + 3];
    d3 += (after[i + 3] - before[i + 3]) * (after[i + 3] - before[i + 3]);
  }
  let a = a0 + a2 + (a1 + a3);
  let b = b0 + b2 + (b1 + b3);
  let d = d0 + d2 + (d1 + d3);
  for (; i < end; i++) {
    a += before[i] * before[i];
    b += after[i] * after[i];
    d += (after[i] - before[i]) * (after[i] - before[i]);
  }
  sums[at] = a;
  sums[at + 1] = b;
  sums[at + 2] = d;
}

/** Exports of assembly/differences.ts. */
interface DifferenceExports {
  sumRows(before: number, after: number, rows: number, dim: number, sums: number): void;
}

/** The kernel by name. Cost: about 1 ms for the first `simd`. */
export const loadDifferenceKernel = kernelLoader(
  plainDifferences,
  async () => (await import('../generated/differences.ts')).differencesBase64,
  simdDifferences,
);

/** What lies outside of the arena goes to the plain kernel. */
function simdDifferences(wasm: DifferenceExports): DifferenceKernel {
  return {
    name: 'simd',
    sumRows(before, after, rows, dim, sums) {
      const [a, b, s] = [arenaOffset(before), arenaOffset(after), arenaOffset(sums)];
      if (a === undefined || b === undefined || s === undefined)
        plainDifferences.sumRows(before, after, rows, dim, sums);
      else wasm.sumRows(a, b, rows, dim, s);
    },
  };
}
