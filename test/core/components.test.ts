import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { leadingComponents } from '../../src/core/all-but-the-top.ts';
import { findNeighbors, type Metric } from '../../src/core/neighbors.ts';
import { tableOf } from '../support/table.ts';

interface Case {
  rows: number;
  dim: number;
  seed: number;
  count: number;
  query: number;
  answers: Record<Metric, { row: number; score: number; norm: number }[]>;
}

const { cases } = JSON.parse(readFileSync('fixtures/core/all-but-the-top.json', 'utf8')) as { cases: Case[] };

/** The table of fixtures/make/components.py. */
function generate({ rows, dim, seed }: Case): Float32Array {
  let state = seed;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 24) - 128;
  };
  const axes = Array.from({ length: 3 }, () => Array.from({ length: dim }, draw));
  const data = new Float32Array(rows * dim);
  for (let row = 0; row < rows; row++) {
    const weights = [8, 12, 20].map((scale) => Math.floor(draw() / scale));
    for (let i = 0; i < dim; i++) {
      const along = axes.reduce((sum, axis, index) => sum + weights[index] * axis[i], 0);
      data[row * dim + i] = 4 * draw() + along + 2 * axes[2][i];
    }
  }
  return data;
}

describe('without the leading components', () => {
  for (const fixture of cases) {
    const { rows, dim, count, query, answers } = fixture;
    test.each(['simd', 'ts'] as const)(
      `neighbors among ${rows} x ${dim} without ${count} are scikit-learn's, by %s`,
      async (kernel) => {
        const data = generate(fixture);
        const table = tableOf(data, dim);
        const components = await leadingComponents(table, count, { kernel });
        expect(components.rows).toBe(rows);
        const queries = data.slice(query * dim, (query + 1) * dim);
        for (const metric of ['cosine', 'dot', 'l2'] as const) {
          const [found] = await findNeighbors(table, queries, { k: 6, metric, kernel, components });
          expect(found.map(({ row }) => row)).toEqual(answers[metric].map(({ row }) => row));
          for (const [rank, { score, norm }] of found.entries()) {
            const expected = answers[metric][rank];
            // The query's own distance is 0: rounding is measured by the length of the rows.
            expect(Math.abs(score - expected.score)).toBeLessThan(
              1e-6 * Math.max(Math.abs(expected.score), metric === 'cosine' ? 1 : expected.norm),
            );
            expect(Math.abs(norm / expected.norm - 1)).toBeLessThan(1e-6);
          }
        }
      },
    );
  }

  test('directions of a wide table with outliers are at right angles, and nothing near is missed', async () => {
    const [rows, dim, k] = [1200, 1100, 9];
    let state = 5;
    const draw = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 31 - 1;
    };
    const data = Float32Array.from({ length: rows * dim }, draw);
    for (let row = 0; row < 6; row++)
      for (let i = 0; i < dim; i++) data[row * 200 * dim + i] *= 1e8 / (row + 1);
    const table = tableOf(data, dim, 100);
    const components = await leadingComponents(table, 3);
    const { directions } = components;
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 3; b++) {
        let along = 0;
        for (let i = 0; i < dim; i++) along += directions[a * dim + i]! * directions[b * dim + i]!;
        expect(Math.abs(along - Number(a === b))).toBeLessThan(1e-14);
      }
    const queries = data.slice(100 * dim, 112 * dim);
    for (const metric of ['cosine', 'dot', 'l2'] as const) {
      const some = await findNeighbors(table, queries, { k, metric, components });
      const all = await findNeighbors(table, queries, { k: rows, metric, components });
      expect(some).toEqual(all.map((answers) => answers.slice(0, k)));
    }
  });

  test('rows that hold a NaN do not count, and rows that lie within the components are no answers by cosine', async () => {
    const [fixture] = cases;
    const { dim, count } = fixture;
    const clean = generate(fixture);
    const before = await leadingComponents(tableOf(clean, dim), count);
    const [first] = [before.directions.subarray(0, dim)];
    const data = new Float32Array(clean.length + 2 * dim);
    data.set(clean);
    data.fill(Number.NaN, clean.length, clean.length + dim);
    const after = await leadingComponents(tableOf(data.slice(0, clean.length + dim), dim), count);
    expect(after.directions).toEqual(before.directions);
    expect(after.rows).toBe(fixture.rows);
    // A row that is the mean and nothing but the first component.
    for (let i = 0; i < dim; i++) data[clean.length + dim + i] = before.mean[i] + 64 * first[i];
    const [found] = await findNeighbors(tableOf(data, dim), data.slice(0, dim), {
      k: 100,
      metric: 'cosine',
      components: before,
    });
    expect(found.some(({ row }) => row === fixture.rows)).toBe(false);
    expect(found.find(({ row }) => row === fixture.rows + 1)?.norm ?? 0).toBeLessThan(1e-4);
  });
});
