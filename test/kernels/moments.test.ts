import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { claimBytes, releaseBytes } from '../../src/kernels/arena.ts';
import { loadMomentKernel } from '../../src/kernels/load.ts';
import {
  type CountedRows,
  claimMomentSums,
  type MomentKernel,
  type MomentSums,
  plainMoments,
  releaseMomentSums,
} from '../../src/kernels/moments.ts';

const simd = await loadMomentKernel('simd');
const arenaBlock = claimBytes(4 * 1024 * 1024);
afterAll(() => releaseBytes(arenaBlock));

/** Buckets that are not empty, as "index: count". */
function filled(buckets: Uint32Array): string[] {
  const found: string[] = [];
  for (let i = 0; i < buckets.length; i++) if (buckets[i] > 0) found.push(`${i}: ${buckets[i]}`);
  return found;
}

/** Bits, so that NaN equals NaN and -0 differs from 0. */
function bitsOf(sums: MomentSums, rows: number) {
  const bits = (values: Float64Array) => [...new BigUint64Array(values.slice().buffer)];
  const finite = Array.from({ length: rows }, (_, row) => Number.isFinite(sums.rowSquares[row]));
  return {
    sums: bits(sums.sums),
    squares: bits(sums.squares),
    units: bits(sums.units),
    rowSquares: finite.map((known, row) => (known ? sums.rowSquares[row] : 'not finite')),
    lows: finite.map((known, row) => (known ? sums.rowLows[row] + 0 : 'not finite')),
    highs: finite.map((known, row) => (known ? sums.rowHighs[row] + 0 : 'not finite')),
    buckets: filled(sums.buckets),
  };
}

function run(kernel: MomentKernel, data: Float32Array, dim: number, counted: CountedRows, columns = true) {
  const sums = claimMomentSums(dim, columns);
  const rows = data.length / dim;
  kernel.addRows(sums, data, rows, counted);
  const result = bitsOf(sums, rows);
  const bounds = { low: -1, high: 1, smallestNorm: 0.5, largestNorm: 4 };
  const count = kernel.reviewRows(sums, rows, bounds);
  const notable = [...sums.notable.subarray(0, count)];
  const totals = [...new BigUint64Array(sums.totals.slice().buffer)];
  releaseMomentSums(sums);
  return { ...result, notable, totals };
}

function inArena(data: Float32Array): Float32Array {
  const copy = new Float32Array(arenaBlock.buffer, arenaBlock.byteOffset, data.length);
  copy.set(data);
  return copy;
}

const tables = fc
  .record({ dim: fc.integer({ min: 1, max: 40 }), rows: fc.integer({ min: 1, max: 40 }), strange: fc.nat(9) })
  .chain(({ dim, rows, strange }) =>
    fc.record({
      dim: fc.constant(dim),
      first: fc.nat(rows),
      every: fc.integer({ min: 1, max: 9 }),
      data: fc.float32Array({
        minLength: dim * rows,
        maxLength: dim * rows,
        noNaN: strange > 1,
        noDefaultInfinity: strange > 1,
      }),
    }),
  );

describe('the SIMD kernel of stats', () => {
  it('is there', () => {
    expect(simd.name).toBe('simd');
  });

  it('gives the bits of the plain kernel for any table', () => {
    fc.assert(
      fc.property(tables, ({ dim, data, first, every }) => {
        const plain = run(plainMoments, data, dim, { first, every });
        expect(run(simd, data, dim, { first, every })).toEqual(plain);
        expect(run(simd, inArena(data), dim, { first, every })).toEqual(plain);
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it('gives the bits of the plain kernel when a block is longer than its slices', () => {
    const dim = 768;
    const data = new Float32Array(dim * 1000);
    for (let i = 0; i < data.length; i++) data[i] = Math.sin(i * i);
    data[dim * 500] = Number.NaN;
    const counted = { first: 3, every: 8 };
    const plain = run(plainMoments, data, dim, counted);
    expect(run(simd, data, dim, counted)).toEqual(plain);
    expect(run(simd, inArena(data), dim, counted)).toEqual(plain);
  });

  it('gives the bits of the plain kernel for rows wider than its slices', () => {
    const dim = 70_000;
    const data = new Float32Array(dim * 2).map((_, i) => 1 / (i + 1));
    const counted = { first: 0, every: 1 };
    expect(run(simd, data, dim, counted, false)).toEqual(run(plainMoments, data, dim, counted, false));
  });
});

describe('the plain kernel of stats', () => {
  it('sums rows and columns', () => {
    const sums = claimMomentSums(2, true);
    plainMoments.addRows(sums, Float32Array.of(3, 4, 0, 0, -6, 8), 3, { first: 0, every: 2 });
    expect([...sums.sums]).toEqual([-3, 12]);
    expect([...sums.squares]).toEqual([45, 80]);
    expect([...sums.units].map((x) => Number(x.toFixed(12)))).toEqual([0, 1.6]);
    expect([...sums.rowSquares.subarray(0, 3)]).toEqual([25, 0, 100]);
    expect([...sums.rowLows.subarray(0, 3)]).toEqual([3, 0, -6]);
    expect([...sums.rowHighs.subarray(0, 3)]).toEqual([4, 0, 8]);
    expect(sums.buckets[0x4040]).toBe(1);
    expect(sums.buckets[0]).toBe(0);
    releaseMomentSums(sums);
  });

  it('names the rows that are not finite or lie beyond a bound, and adds the others', () => {
    const sums = claimMomentSums(2, true);
    const rows = [
      [3, 4],
      [0, 0],
      [Number.NaN, 1],
      [-6, 0],
      [0, 9],
      [1, 1],
    ];
    plainMoments.addRows(sums, Float32Array.from(rows.flat()), 6, { first: 0, every: 1 });
    const bounds = { low: -5, high: 8, smallestNorm: 1, largestNorm: 20 };
    const count = plainMoments.reviewRows(sums, 6, bounds);
    expect([...sums.notable.subarray(0, count)]).toEqual([1, 2, 3, 4]);
    const norms = [5, 0, 6, 9, Math.sqrt(2)];
    const mean = norms.reduce((sum, norm) => sum + norm, 0) / 5;
    const spread = norms.reduce((sum, norm) => sum + (norm - mean) ** 2, 0);
    const [total, found, zeros, counted, middle] = sums.totals;
    expect([total, zeros, counted]).toEqual([20 + Math.sqrt(2), 1, 5]);
    expect(found).toBeCloseTo(spread, 12);
    expect(middle).toBeCloseTo(mean, 14);
    releaseMomentSums(sums);
  });

  it('adds no row that holds a NaN or an infinity, and says so in its sum of squares', () => {
    const sums = claimMomentSums(1, true);
    const data = Float32Array.of(Number.NaN, 2, Number.NEGATIVE_INFINITY);
    plainMoments.addRows(sums, data, 3, { first: 0, every: 1 });
    expect(sums.sums[0]).toBe(2);
    expect([...sums.rowSquares.subarray(0, 3)].map(Number.isFinite)).toEqual([false, true, false]);
    releaseMomentSums(sums);
  });
});
