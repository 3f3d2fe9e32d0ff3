import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findNeighbors, type Metric } from '../../src/core/neighbors.ts';
import { TopRows } from '../../src/core/top-rows.ts';
import { loadDotKernel, plainDots } from '../../src/kernels/dots.ts';
import { tableOf } from '../support/table.ts';

/** The twin: every row compared in float64, all of them sorted. */
function bruteForce(
  data: Float32Array,
  query: Float32Array,
  { k, metric, center }: { k: number; metric: Metric; center?: Float64Array },
) {
  const dim = query.length;
  const shifted = (values: Float32Array) => Array.from(values, (value, i) => value - (center?.[i] ?? 0));
  const target = shifted(query);
  const scored = Array.from({ length: data.length / dim }, (_, row) => {
    const values = shifted(data.subarray(row * dim, (row + 1) * dim));
    const dot = values.reduce((sum, value, i) => sum + value * target[i], 0);
    const norm = Math.hypot(...values);
    const score =
      metric === 'dot'
        ? dot
        : metric === 'l2'
          ? Math.hypot(...values.map((value, i) => value - target[i]))
          : dot / norm / Math.hypot(...target);
    return { row, score };
  }).filter(({ score }) => Number.isFinite(score));
  const nearer = metric === 'l2' ? 1 : -1;
  return scored.sort((a, b) => nearer * (a.score - b.score) || a.row - b.row).slice(0, k);
}

const tables = fc.integer({ min: 1, max: 40 }).chain((dim) =>
  fc.record({
    dim: fc.constant(dim),
    data: fc
      .array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: dim, maxLength: dim * 50 })
      .map((values) => Float32Array.from(values.slice(0, values.length - (values.length % dim)))),
  }),
);

describe('neighbors', () => {
  test.each<Metric>(['cosine', 'dot', 'l2'])(
    'by %s are those of brute force, by both kernels',
    async (metric) => {
      await fc.assert(
        fc.asyncProperty(
          tables,
          fc.integer({ min: 1, max: 9 }),
          fc.integer({ min: 1, max: 9 }),
          fc.boolean(),
          async ({ dim, data }, k, count, centered) => {
            const rows = data.length / dim;
            const queries = new Float32Array(count * dim);
            for (let query = 0; query < count; query++) {
              const row = (query * 7) % rows;
              for (let i = 0; i < dim; i++) queries[query * dim + i] = data[row * dim + i] + (query % 3) / 8;
            }
            const center = centered ? Float64Array.from({ length: dim }, (_, i) => i / 10 - 1) : undefined;
            for (const kernel of ['ts', 'simd'] as const) {
              const found = await findNeighbors(tableOf(data, dim), queries, { k, metric, kernel, center });
              for (let query = 0; query < count; query++) {
                const expected = bruteForce(data, queries.subarray(query * dim, (query + 1) * dim), {
                  k,
                  metric,
                  center,
                });
                expect(found[query].length).toBe(expected.length);
                // Rows may change places only where their scores are the same but for rounding.
                found[query].forEach(({ score }, index) => {
                  expect(score).toBeCloseTo(expected[index].score, 9);
                });
              }
            }
          },
        ),
        { numRuns: 60, seed: 5 },
      );
    },
  );

  test('ties go to the lower row, rows without a norm or with a NaN are no answers', async () => {
    const data = Float32Array.of(1, 0, 0, 0, 2, 0, Number.NaN, 1, 1, 0, 0, 1);
    const [found] = await findNeighbors(tableOf(data, 2), Float32Array.of(1, 0), { k: 9, metric: 'cosine' });
    expect(found).toEqual([
      { row: 0, score: 1, norm: 1 },
      { row: 2, score: 1, norm: 2 },
      { row: 4, score: 1, norm: 1 },
      { row: 5, score: 0, norm: 1 },
    ]);
  });

  test('excluded rows, rows not among and rows beyond the threshold are left out', async () => {
    const data = Float32Array.of(1, 0, 1, 1, 0, 1, 1, 2);
    const among = Uint8Array.of(1, 1, 1, 0);
    const [found] = await findNeighbors(tableOf(data, 2), Float32Array.of(1, 0), {
      k: 9,
      metric: 'cosine',
      among,
      exclude: [new Set([0])],
      threshold: 0.5,
    });
    expect(found.map(({ row }) => row)).toEqual([1]);
  });
});

describe('the best rows', () => {
  test('are those of a whole sort', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9 })),
        fc.integer({ min: 1, max: 9 }),
        (scores, count) => {
          const top = new TopRows(count);
          scores.forEach((score, row) => {
            top.offer(row, score);
          });
          const sorted = scores.map((_, row) => row).sort((a, b) => scores[b] - scores[a] || a - b);
          expect(top.rows()).toEqual(sorted.slice(0, count));
        },
      ),
    );
  });
});

describe('dot products', () => {
  test('of both kernels agree to float32 rounding of the largest partial sum', async () => {
    const simd = await loadDotKernel('simd');
    expect(simd.name).toBe('simd');
    fc.assert(
      fc.property(tables, fc.integer({ min: 1, max: 11 }), ({ dim, data }, count) => {
        const rows = data.length / dim;
        const queries = Float32Array.from({ length: count * dim }, (_, i) => Math.sin(i));
        const run = (kernel: typeof simd) => {
          const dots = new Float32Array((count + 1) * rows);
          const squares = new Float32Array(rows);
          kernel.dotRows({ data, rows, dim, queries, count, dots, stride: rows, squares });
          return [...dots.subarray(0, count * rows), ...squares];
        };
        const expected = run(plainDots);
        run(simd).forEach((value, index) => {
          expect(Math.abs(value - expected[index])).toBeLessThanOrEqual(dim * 16 * 2 ** -22);
        });
      }),
    );
  });
});
