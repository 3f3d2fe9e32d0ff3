import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareRows, type DiffTotals, mostChanged, pairByRow } from '../../src/core/row-diff.ts';
import { nearestPairs, samplePairs, signalToNoise } from '../../src/core/row-loss.ts';
import { tableOf, tableOfRows } from '../support/table.ts';

/** Normal-looking values from a fixed seed. */
function values(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** The twin, in float64 and one row at a time. */
function measured(a: readonly number[], b: readonly number[]) {
  const square = (row: readonly number[]) => row.reduce((sum, x) => sum + x * x, 0);
  const difference = square(b.map((y, i) => y - a[i]!));
  const [normA, normB] = [Math.sqrt(square(a)), Math.sqrt(square(b))];
  const dot = a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  return { cosine: dot / normA / normB, relativeL2: Math.sqrt(difference) / normA, normA, normB };
}

describe('compareRows', () => {
  test('has the numbers of the twin for every row that differs', async () => {
    const number = fc.float({ noNaN: true, min: -8, max: 8 });
    const row = fc.integer({ min: 1, max: 9 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('ts' as const, 'simd' as const),
        row.chain((dim) =>
          fc.array(
            fc.tuple(
              fc.array(number, { minLength: dim, maxLength: dim }),
              fc.array(number, { minLength: dim, maxLength: dim }),
              fc.boolean(),
            ),
            { minLength: 1, maxLength: 12 },
          ),
        ),
        async (kernel, rows) => {
          const before = rows.map(([a]) => a);
          const after = rows.map(([a, b, same]) => (same ? a.map((x) => (x === 0 ? -0 : x)) : b));
          const found = await compareRows(
            tableOfRows(before),
            tableOfRows(after),
            pairByRow(rows.length, rows.length),
            { kernel },
          );
          const differing = before.flatMap((a, id) => (a.some((x, i) => x !== after[id]![i]) ? [id] : []));
          expect(Array.from(found.after)).toEqual(differing);
          differing.forEach((id, at) => {
            const wanted = measured(before[id]!, after[id]!);
            expect(found.normBefore[at]).toBeCloseTo(wanted.normA, 9);
            expect(found.normAfter[at]).toBeCloseTo(wanted.normB, 9);
            if (wanted.normA > 1e-3) expect(found.relativeL2[at]).toBeCloseTo(wanted.relativeL2, 9);
            if (Math.min(wanted.normA, wanted.normB) > 0) {
              expect(found.cosine[at]).toBeCloseTo(wanted.cosine, 9);
            }
          });
        },
      ),
    );
  });

  test('NaN is equal to NaN and to nothing else; zero rows have no cosine', async () => {
    const nan = Number.NaN;
    const before = tableOfRows([
      [1, nan],
      [0, 0],
      [1, 2],
      [nan, 1],
    ]);
    const after = tableOfRows([
      [1, nan],
      [3, 4],
      [0, 0],
      [2, 1],
    ]);
    const totals: DiffTotals = { rows: 0, signal: 0, noise: 0 };
    const found = await compareRows(before, after, pairByRow(4, 4), { totals });
    expect(Array.from(found.after)).toEqual([1, 2, 3]);
    expect(Array.from(found.relativeL2)).toEqual([Number.POSITIVE_INFINITY, 1, nan]);
    expect(Array.from(found.cosine)).toEqual([nan, nan, nan]);
    expect(Array.from(mostChanged(found))).toEqual([0, 2, 1]);
    expect(Array.from(mostChanged(found, 1))).toEqual([0]);
    expect(Array.from(mostChanged(found, 0))).toEqual([]);
    expect(totals).toEqual({ rows: 2, signal: 5, noise: 30 });
  });

  test('the most changed come first, and as few as are asked for', () => {
    const relativeL2 = Float64Array.of(0.5, 2, 0.5, Number.NaN, 0, 2, 0.5);
    const none = new Float64Array(7);
    const ids = Uint32Array.from({ length: 7 }, (_, i) => 10 * i);
    const changed = { before: ids, after: ids, relativeL2, cosine: none, normBefore: none, normAfter: none };
    const all = [3, 1, 5, 0, 2, 6, 4];
    expect(Array.from(mostChanged(changed))).toEqual(all);
    for (let most = 0; most <= 8; most++)
      expect(Array.from(mostChanged(changed, most))).toEqual(all.slice(0, most));
  });

  test('many rows that differ are all there', async () => {
    const [rows, dim] = [5000, 3];
    const a = values(rows * dim, 3);
    const b = a.map((value) => value + 0.25);
    const found = await compareRows(tableOf(a, dim), tableOf(b, dim), pairByRow(rows, rows));
    expect(found.after.length).toBe(rows);
    expect(Array.from(found.before.subarray(4998))).toEqual([4998, 4999]);
    expect(found.normAfter[4999]).toBeCloseTo(Math.hypot(...b.subarray(-3)), 9);
  });
});

describe('what quantization cost', () => {
  const [rows, dim] = [300, 8];
  const a = values(rows * dim, 11);
  // Three bits, as a block of one scale would have them.
  const b = a.map((value) => Math.round(value * 3) / 3);
  a.fill(0, 5 * dim, 6 * dim);
  b.fill(0, 5 * dim, 6 * dim);

  /** The twin: every cosine in float64. */
  function nearest(data: Float32Array, row: number): number | null {
    const of = (id: number) => Array.from(data.subarray(id * dim, (id + 1) * dim));
    let [best, found]: [number, number | null] = [Number.NEGATIVE_INFINITY, null];
    for (let other = 0; other < rows; other++) {
      const { cosine } = measured(of(row), of(other));
      if (other !== row && cosine > best + 1e-12) [best, found] = [cosine, other];
    }
    return found;
  }

  test.each(['ts', 'simd'] as const)(
    'the nearest rows are those of the twin, and flips are told: %s',
    async (kernel) => {
      const pairs = pairByRow(rows, rows);
      const places = samplePairs(pairs, 150);
      expect(places).toHaveLength(150);
      const found = await nearestPairs(tableOf(a, dim), tableOf(b, dim), pairs, [5, ...places], { kernel });
      const wanted = [5, ...places].map((id) => [nearest(a, id), nearest(b, id)] as const);
      expect(found.map(({ before, after }) => [before, after])).toEqual(wanted);
      expect(found.map(({ flipped }) => flipped)).toEqual(wanted.map(([x, y]) => x !== y));
      const flips = found.filter(({ flipped }) => flipped).length;
      expect(flips).toBeGreaterThan(10);
      expect(flips).toBeLessThan(140);
      expect(found[0]).toEqual({ before: null, after: null, flipped: false });
    },
  );

  test('a token that only moved has not flipped', async () => {
    const order = Uint32Array.from({ length: rows }, (_, id) => (id * 7) % rows);
    const moved = new Float32Array(rows * dim);
    order.forEach((to, from) => {
      moved.set(a.subarray(from * dim, (from + 1) * dim), to * dim);
    });
    const pairs = { before: Uint32Array.from(order.keys()), after: order, removed: [], added: [] };
    const found = await nearestPairs(tableOf(a, dim), tableOf(moved, dim), pairs, samplePairs(pairs, rows));
    expect(found.some(({ flipped }) => flipped)).toBe(false);
  });

  test('decibels', () => {
    expect(signalToNoise(100, 1)).toBeCloseTo(20, 12);
    expect(signalToNoise(1, 0)).toBe(Number.POSITIVE_INFINITY);
  });
});
