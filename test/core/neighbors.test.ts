import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findNeighbors, type Metric } from '../../src/core/neighbors.ts';
import { TopRows } from '../../src/core/top-rows.ts';
import { claimFloats, releaseBytes } from '../../src/kernels/arena.ts';
import { loadDotKernel, plainDots } from '../../src/kernels/dots.ts';
import { tableOf } from '../support/table.ts';

/** A table whose blocks lie where kernels reach them, as those of a file do. */
function arenaTableOf(data: Float32Array, dim: number, blockRows: number) {
  const table = tableOf(data, dim, blockRows);
  return {
    ...table,
    async *scan() {
      const slab = claimFloats(blockRows * dim);
      for await (const block of table.scan()) {
        slab.set(block.data);
        yield { ...block, data: slab.subarray(0, block.data.length) };
      }
      releaseBytes(slab);
    },
  };
}

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

  describe('of rows that float32 cannot tell apart', () => {
    const generator = (seed: number) => {
      let state = seed;
      const uniform = () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return (state + 0.5) / 2 ** 32;
      };
      return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    };
    const [rows, dim, added] = [900, 24, 400];
    /** Rows that were drawn, and behind them rows as resize_token_embeddings adds them: the mean and a little noise. */
    const tableOfKind = {
      added: () => {
        const draw = generator(3);
        const data = Float32Array.from({ length: rows * dim }, () => 0.02 + 0.05 * draw());
        const mean = Array.from({ length: dim }, () => 0.02 + 0.01 * draw());
        for (let i = (rows - added) * dim; i < data.length; i++)
          data[i] = mean[i % dim]! * (1 + 3e-5 * draw());
        return data;
      },
      // All rows far from 0, and near to each other.
      offset: () => {
        const draw = generator(4);
        return Float32Array.from({ length: rows * dim }, () => 1000 + draw());
      },
    };
    const queriesOf = (data: Float32Array, count: number) => {
      const queries = new Float32Array(count * dim);
      for (let query = 0; query < count; query++) {
        const row = rows - 1 - 7 * query;
        queries.set(data.subarray(row * dim, (row + 1) * dim), query * dim);
      }
      return queries;
    };

    test.each(
      (['added', 'offset'] as const).flatMap((kind) =>
        (['cosine', 'dot', 'l2'] as const).flatMap((metric) =>
          [1, 3, 11].map((count) => [kind, metric, count] as const),
        ),
      ),
    )('%s, by %s, %i queries: float64 decides', async (kind, metric, count) => {
      const data = tableOfKind[kind]();
      const queries = queriesOf(data, count);
      for (const center of [undefined, Float64Array.from({ length: dim }, (_, i) => 0.02 + i / 1e4)])
        for (const kernel of ['ts', 'simd'] as const) {
          const options = { k: 5, metric, kernel, center };
          const found = await findNeighbors(arenaTableOf(data, dim, 64), queries, options);
          for (const [query, answers] of found.entries()) {
            const vector = queries.subarray(query * dim, (query + 1) * dim);
            const expected = bruteForce(data, vector, { k: 5, metric, center });
            for (const [index, { score }] of answers.entries())
              expect(Math.abs(score - expected[index]!.score)).toBeLessThan(1e-13 * Math.abs(score) + 1e-14);
          }
        }
    });

    test('and of equal rows the lowest, where there are more than are kept', async () => {
      const [count, many] = [256, 6000];
      // No two beside each other.
      const data = Float32Array.from({ length: many * 4 }, (_, i) => ((i >> 2) % 2 ? -1 : 1));
      // The nearest of all comes late.
      data.set([1, 1, 1, 1 + 1e-7], 5900 * 4);
      const queries = Float32Array.from({ length: count * 4 }, (_, i) => (i % 4 === 3 ? 1.5 : 1));
      for (const metric of ['cosine', 'dot', 'l2'] as const) {
        const found = await findNeighbors(tableOf(data, 4, 500), queries, { k: 3, metric });
        for (const answers of [found[0]!, found[255]!])
          expect(answers.map(({ row }) => row)).toEqual([5900, 0, 2]);
      }
    });
  });

  test('of long runs of equal rows, those that may be answers', async () => {
    const dim = 3;
    const values = [
      [1, 2, 3],
      [1, 2, 3.001],
      [-1, 0.5, 2],
      [3, 2, 1],
    ];
    const cases = fc.record({
      // What is repeated, and how often: parts of a block are cut at its end.
      runs: fc.array(fc.tuple(fc.nat({ max: 3 }), fc.integer({ min: 1, max: 400 })), {
        minLength: 3,
        maxLength: 8,
      }),
      blockRows: fc.integer({ min: 90, max: 260 }),
      asked: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 10 }),
      k: fc.integer({ min: 1, max: 6 }),
      metric: fc.constantFrom<Metric>('cosine', 'dot', 'l2'),
      left: fc.constantFrom('all', 'among', 'exclude'),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ runs, blockRows, asked, k, metric, left, seed }) => {
        const data = Float32Array.from(
          runs.flatMap(([value, length]) => Array.from({ length }, () => values[value]!).flat()),
        );
        const rows = data.length / dim;
        const queries = Float32Array.from(asked.flatMap((value) => values[value]!.map((x) => x + 0.25)));
        const isOut = (row: number) => (row * 7 + seed) % 5 === 0;
        const out = Array.from({ length: rows }, (_, row) => row).filter(isOut);
        const among = Uint8Array.from({ length: rows }, (_, row) => Number(!isOut(row)));
        const exclude = asked.map(() => new Set(out));
        const more = { all: {}, among: { among }, exclude: { exclude } }[left];
        const found = await findNeighbors(tableOf(data, dim, blockRows), queries, { k, metric, ...more });
        for (const [query, answers] of found.entries()) {
          const vector = queries.subarray(query * dim, (query + 1) * dim);
          const expected = bruteForce(data, vector, { k: rows, metric })
            .filter(({ row }) => left === 'all' || !isOut(row))
            .slice(0, k);
          expect(answers.map(({ row }) => row)).toEqual(expected.map(({ row }) => row));
        }
      }),
      { seed: 3, numRuns: 120 },
    );
  });

  test('of rows and queries whose sums float32 does not hold are compared in float64', async () => {
    const draw = (i: number) => Math.sin(i * i);
    const data = Float32Array.from({ length: 60 * 8 }, (_, i) => draw(i));
    data.fill(3e38, 3 * 8, 4 * 8);
    data.fill(1e20, 4 * 8, 5 * 8);
    data.fill(1e-30, 5 * 8, 6 * 8);
    for (const metric of ['cosine', 'dot', 'l2'] as const)
      for (const row of [3, 4, 5, 9])
        for (const kernel of ['ts', 'simd'] as const)
          for (const count of [1, 9]) {
            const query = data.slice(row * 8, (row + 1) * 8);
            const queries = Float32Array.from({ length: count * 8 }, (_, i) => query[i % 8]!);
            const found = await findNeighbors(tableOf(data, 8), queries, { k: 7, metric, kernel });
            const expected = bruteForce(data, query, { k: 7, metric });
            for (const answers of found)
              expect(answers.map((one) => one.row)).toEqual(expected.map((one) => one.row));
          }
  });

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
