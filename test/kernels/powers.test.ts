import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimDoubles, claimFloats, releaseBytes } from '../../src/kernels/arena.ts';
import { loadPowerKernel, plainPowers, powersOfRow } from '../../src/kernels/powers.ts';

const value = fc.oneof(
  { weight: 30, arbitrary: fc.float({ min: -8, max: 8, noNaN: true }) },
  fc.constantFrom(0, -0, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** -149, 3e38),
);
const tables = fc
  .record({ rows: fc.integer({ min: 1, max: 11 }), dim: fc.integer({ min: 1, max: 23 }) })
  .chain(({ rows, dim }) =>
    fc.record({
      rows: fc.constant(rows),
      dim: fc.constant(dim),
      values: fc.array(value, { minLength: rows * dim, maxLength: rows * dim }),
    }),
  );

describe('powers of values', () => {
  it('are summed alike by both kernels, bit for bit, and as float64 sums them', async () => {
    const simd = await loadPowerKernel('simd');
    expect(simd.name).toBe('simd');
    fc.assert(
      fc.property(tables, ({ rows, dim, values }) => {
        const data = claimFloats(rows * dim);
        data.set(values);
        const [fast, plain] = [claimDoubles(rows * powersOfRow), new Float64Array(rows * powersOfRow)];
        simd.sumPowers(data, rows, dim, fast);
        plainPowers.sumPowers(data, rows, dim, plain);
        expect(Float64Array.from(fast)).toEqual(plain);
        for (let row = 0; row < rows; row++) {
          const own = Array.from(data.subarray(row * dim, (row + 1) * dim));
          for (let power = 1; power <= powersOfRow; power++) {
            const wanted = own.reduce((sum, x) => sum + x ** power, 0);
            const size = own.reduce((sum, x) => sum + Math.abs(x) ** power, 0);
            const found = plain[row * powersOfRow + power - 1]!;
            if (Number.isFinite(wanted)) expect(Math.abs(found - wanted)).toBeLessThanOrEqual(1e-14 * size);
            else expect(found).toBe(wanted);
          }
        }
        for (const part of [data, fast]) releaseBytes(part);
      }),
      { numRuns: 300, seed: 7 },
    );
  });

  it('are added to columns alike by both kernels, bit for bit', async () => {
    const simd = await loadPowerKernel('simd');
    fc.assert(
      fc.property(tables, ({ rows, dim, values }) => {
        const data = claimFloats(rows * dim);
        data.set(values);
        const [totals, squares] = [claimDoubles(dim).fill(3), claimDoubles(dim).fill(5)];
        const plain = [new Float64Array(dim).fill(3), new Float64Array(dim).fill(5)] as const;
        simd.addToColumns(data, rows, dim, totals, squares);
        plainPowers.addToColumns(data, rows, dim, ...plain);
        expect([totals, squares].map((part) => Float64Array.from(part))).toEqual(plain);
        const column = Array.from({ length: rows }, (_, row) => data[row * dim]!);
        expect(plain[0][0]).toEqual(column.reduce((sum, x) => sum + x, 3));
        expect(plain[1][0]).toEqual(column.reduce((sum, x) => sum + x * x, 5));
        for (const part of [data, totals, squares]) releaseBytes(part);
      }),
      { numRuns: 300, seed: 8 },
    );
  });

  it('of rows outside the arena, into sums outside it, are the same', async () => {
    const simd = await loadPowerKernel('simd');
    const inside = claimDoubles(powersOfRow);
    for (const sums of [inside, new Float64Array(powersOfRow)]) {
      simd.sumPowers(Float32Array.of(1, 2, 3, -4, 5), 1, 5, sums);
      expect(Array.from(sums)).toEqual([7, 55, 97, 979]);
    }
    releaseBytes(inside);
  });
});
