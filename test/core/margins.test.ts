import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Margins } from '../../src/core/margins.ts';
import { claimFloats, releaseBytes } from '../../src/kernels/arena.ts';
import { loadDotKernel, plainDots } from '../../src/kernels/dots.ts';
import { type Metric, nearness } from '../../src/kernels/nearness.ts';

const kernels = [plainDots, await loadDotKernel('simd'), await loadDotKernel('simd', true)];

/** Values of a row by what makes sums go wrong: one sign, sizes far apart, what cancels, what every rounding goes one way for. */
const kinds = {
  positive: (draw: number) => 1 + draw,
  mixed: (draw: number) => draw,
  spread: (draw: number) => Math.sign(draw) * 2 ** (40 * draw),
  cancelling: (draw: number, i: number) => (i % 2 ? -1 : 1) * (1000 + draw),
  rounding: () => 1 + 3 * 2 ** -23,
};
type Kind = keyof typeof kinds;
const kind = fc.constantFrom(...(Object.keys(kinds) as Kind[]));

/** Sums in float64 of one row and one query. */
function exactly(row: Float32Array, query: Float32Array): { dot: number; square: number } {
  let [dot, square] = [0, 0];
  for (let i = 0; i < row.length; i++) {
    dot += row[i]! * query[i]!;
    square += row[i]! * row[i]!;
  }
  return { dot, square };
}

test('float32 sums are no farther off than their margin, by any kernel', () => {
  let [largest, compared] = [0, 0];
  fc.assert(
    fc.property(
      fc.record({
        dim: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 200, max: 9000 })),
        rows: fc.integer({ min: 1, max: 5 }),
        count: fc.constantFrom(1, 5),
        rowKind: kind,
        queryKind: kind,
        seed: fc.integer(),
        metric: fc.constantFrom<Metric>('cosine', 'dot', 'l2'),
      }),
      ({ dim, rows, count, rowKind, queryKind, seed, metric }) => {
        let state = seed;
        const draw = () => {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          return state / 2 ** 31 - 1;
        };
        const [data, queries] = [claimFloats(rows * dim), claimFloats(count * dim)];
        const [dots, squares] = [claimFloats((count + 1) * rows), claimFloats(rows)];
        for (let i = 0; i < data.length; i++) data[i] = kinds[rowKind](draw(), i);
        for (let i = 0; i < queries.length; i++) queries[i] = kinds[queryKind](draw(), i);
        const rowOf = (list: Float32Array, at: number) => list.subarray(at * dim, (at + 1) * dim);
        const norms = Float64Array.from({ length: count }, (_, query) => {
          const own = rowOf(queries, query);
          const norm = Math.sqrt(exactly(own, own).square);
          if (metric === 'cosine') for (let i = 0; i < dim; i++) own[i] = own[i]! / norm;
          return metric === 'cosine' ? 1 : norm;
        });
        const margins = new Margins(dim, metric, norms, undefined);
        for (const kernel of kernels) {
          kernel.dotRows({ data, rows, dim, queries, count, dots, stride: rows, squares });
          for (let query = 0; query < count; query++)
            for (let row = 0; row < rows; row++) {
              const exact = exactly(rowOf(data, row), rowOf(queries, query));
              const score = nearness(metric, dots[query * rows + row]!, squares[row]!);
              const margin = margins.of(query, score, squares[row]!, squares[row]!);
              const off = Math.abs(score - nearness(metric, exact.dot, exact.square));
              expect(off).toBeLessThanOrEqual(margin);
              largest = Math.max(largest, off / margin);
              compared++;
            }
        }
        for (const part of [data, queries, dots, squares]) releaseBytes(part);
      },
    ),
    { seed: 9, numRuns: 400 },
  );
  expect(compared).toBeGreaterThan(3000);
  // And the margin is not so wide that it would never be met.
  expect(largest).toBeGreaterThan(0.01);
});
