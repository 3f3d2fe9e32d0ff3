import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  claimGramSums,
  type GramKernel,
  gramRows,
  linesOfShare,
  loadGramKernel,
  plainGram,
  releaseGramSums,
  setLines,
} from '../../src/kernels/gram.ts';

function sumsOf(kernel: GramKernel, data: Float32Array, dim: number, calls: number): Float64Array {
  const rows = data.length / dim;
  const gram = claimGramSums(dim, data.slice(0, dim).fill(0.25), 2);
  for (let call = 0; call < calls; call++) kernel.addRows(gram, data, rows);
  const sums = new Float64Array((dim + 1) ** 2);
  for (let i = 0; i <= dim; i++)
    for (let j = i; j <= dim; j++) sums[i * (dim + 1) + j] = gram.sums[i * gram.width + j];
  releaseGramSums(gram);
  return sums;
}

describe('products of columns', () => {
  it('are the same in both kernels, for all shapes', async () => {
    const simd = await loadGramKernel('simd');
    expect(simd.name).toBe('simd');
    const shapes = fc.record({
      rows: fc.integer({ min: 1, max: gramRows }),
      dim: fc.integer({ min: 1, max: 40 }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(shapes, ({ rows, dim, seed }) => {
        let state = seed;
        const data = Float32Array.from({ length: rows * dim }, () => {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          return state % 97 === 0 ? Number.NaN : state / 2 ** 31 - 1;
        });
        const exact = sumsOf(plainGram, data, dim, 2);
        const fast = sumsOf(simd, data, dim, 2);
        const last = dim * (dim + 1) + dim;
        expect(fast[last]).toBe(exact[last]);
        for (const [at, value] of exact.entries()) {
          const [i, j] = [Math.floor(at / (dim + 1)), at % (dim + 1)];
          const size = Math.sqrt(exact[i * (dim + 2)] * exact[j * (dim + 2)]);
          expect(Math.abs(fast[at] - value)).toBeLessThanOrEqual(1e-5 * size);
        }
      }),
      { numRuns: 60, seed: 5 },
    );
  });

  it('are the same, bit for bit, when each share of the columns is summed for itself', async () => {
    const kernels = [plainGram, await loadGramKernel('simd')];
    const shapes = fc.record({
      rows: fc.integer({ min: 1, max: gramRows }),
      dim: fc.integer({ min: 1, max: 50 }),
      of: fc.integer({ min: 1, max: 9 }),
      seed: fc.integer(),
      kernel: fc.constantFrom(...kernels),
    });
    fc.assert(
      fc.property(shapes, ({ rows, dim, of, seed, kernel }) => {
        let state = seed;
        const data = Float32Array.from({ length: rows * dim }, () => {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          return state / 2 ** 31 - 1;
        });
        const grams = Array.from({ length: of + 1 }, (_, index) =>
          claimGramSums(dim, data.slice(0, dim), 2, index < of ? { index, of } : undefined),
        );
        for (const gram of grams) for (let call = 0; call < 2; call++) kernel.addRows(gram, data, rows);
        const [first, ...others] = grams;
        const whole = others.pop() ?? first;
        for (const other of others) setLines(first, other.share, linesOfShare(other));
        expect(first.sums).toEqual(whole.sums);
        expect(whole.sums[dim * whole.width + dim]).toBe(2 * rows);
        grams.forEach(releaseGramSums);
      }),
      { numRuns: 100, seed: 6 },
    );
  });

  it('count rows by their column of ones, without those that are not finite', () => {
    const data = Float32Array.of(1, 2, Number.POSITIVE_INFINITY, 0, 3, 4);
    const sums = sumsOf(plainGram, data, 2, 1);
    expect(sums[8]).toBe(2);
    // Twice (x - 0.25), summed over the first and the last row.
    expect(Array.from(sums.subarray(2, 3))).toEqual([2 * (1 + 3 - 0.5)]);
  });
});
