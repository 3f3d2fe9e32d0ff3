import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimDoubles, claimFloats, releaseBytes } from '../../src/kernels/arena.ts';
import { loadDifferenceKernel, plainDifferences, sumsOfPair } from '../../src/kernels/differences.ts';

describe('sums of pairs of rows', () => {
  it('are the same in both kernels, bit for bit, and those of float64', async () => {
    const simd = await loadDifferenceKernel('simd');
    expect(simd.name).toBe('simd');
    const value = fc.oneof(
      { weight: 30, arbitrary: fc.float({ min: -8, max: 8, noNaN: true }) },
      fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** -149, -(2 ** -140), 3e38),
    );
    const pairs = fc.record({ rows: fc.integer({ min: 1, max: 5 }), dim: fc.integer({ min: 1, max: 23 }) });
    fc.assert(
      fc.property(
        pairs.chain(({ rows, dim }) =>
          fc.tuple(
            fc.constant({ rows, dim }),
            fc.array(fc.tuple(value, value, fc.boolean()), { minLength: rows * dim, maxLength: rows * dim }),
          ),
        ),
        ([{ rows, dim }, values]) => {
          const [before, after] = [claimFloats(rows * dim), claimFloats(rows * dim)];
          const [fast, exact] = [claimDoubles(rows * sumsOfPair), new Float64Array(rows * sumsOfPair)];
          before.set(values.map(([x]) => x));
          after.set(values.map(([x, y, same]) => (same ? x : y)));
          simd.sumRows(before, after, rows, dim, fast);
          plainDifferences.sumRows(before, after, rows, dim, exact);
          expect(Float64Array.from(fast)).toEqual(exact);
          for (let row = 0; row < rows; row++) {
            const [a, b, d] = exact.subarray(row * sumsOfPair);
            const of = (data: Float32Array) => Array.from(data.subarray(row * dim, (row + 1) * dim));
            const squares = (row: number[]) => row.reduce((sum, x) => sum + x * x, 0);
            const wanted = [of(before), of(after), of(before).map((x, i) => of(after)[i] - x)].map(squares);
            for (const [i, found] of [a, b, d].entries())
              if (Number.isFinite(wanted[i]))
                expect(Math.abs(found - wanted[i])).toBeLessThanOrEqual(1e-13 * wanted[i]);
              else expect(Number.isFinite(found)).toBe(false);
            if (Number.isFinite(d)) expect(d === 0).toBe(of(before).every((x, i) => x === of(after)[i]));
          }
          for (const part of [before, after, fast]) releaseBytes(part);
        },
      ),
      { numRuns: 300, seed: 5 },
    );
  });

  it('of rows outside the arena are those of the plain kernel', async () => {
    const simd = await loadDifferenceKernel('simd');
    const sums = new Float64Array(sumsOfPair);
    simd.sumRows(Float32Array.of(1, 2, 3, 4, 5), Float32Array.of(1, 2, 3, 4, 7), 1, 5, sums);
    expect(Array.from(sums)).toEqual([55, 79, 4]);
  });
});
