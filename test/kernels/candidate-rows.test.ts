import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Components } from '../../src/core/components.ts';
import { NeighborPass } from '../../src/core/neighbor-pass.ts';
import { rankExactly } from '../../src/core/ranking.ts';
import { claimBytes, releaseBytes } from '../../src/kernels/arena.ts';
import { CandidateRows } from '../../src/kernels/candidate-rows.ts';
import { type DotKernel, loadDotKernel, plainDots } from '../../src/kernels/dots.ts';
import { isMeasured, type Metric, nearness } from '../../src/kernels/nearness.ts';
import { tableOf } from '../support/table.ts';

const simd = await loadDotKernel('simd');

/** Rows that went through products of integers. */
let roundedRows = 0;

/** The kernel, and the same without rounding: every product in float32. */
const rounding: DotKernel = {
  ...simd,
  roundQueries(lines) {
    const rounded = simd.roundQueries!(lines);
    const round = rounded!.round.bind(rounded);
    rounded!.round = (part) => {
      roundedRows += part.rows;
      round(part);
    };
    return rounded;
  },
};
const summing: DotKernel = { ...simd, roundQueries: undefined };

function claimFloats(length: number): Float32Array {
  const bytes = claimBytes(length * 4);
  return new Float32Array(bytes.buffer, bytes.byteOffset, length);
}

function release(floats: Float32Array): void {
  releaseBytes(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength));
}

function generator(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32 - 0.5;
  };
  return () => uniform() + uniform() + uniform();
}

/** What a row is made of, from values around 0 and the first row. */
const kinds: Record<string, (draw: () => number, i: number, first: number) => number> = {
  noise: (draw) => draw(),
  outlier: (draw, i) => draw() * (i % 97 === 3 ? 1e6 : 1),
  huge: (draw) => draw() * 1e30,
  large: (draw) => draw() * 1e12,
  small: (draw) => draw() * 1e-12,
  subnormal: (draw) => draw() * 1e-40,
  mixed: (draw, i) => draw() * (i % 2 === 0 ? 1e-42 : 1),
  constant: () => 0.7,
  alternating: (_, i) => (i % 2 === 0 ? 3 : -3),
  zero: () => 0,
  same: (_draw, _i, first) => first,
  close: (draw, _, first) => first * (1 + draw() * 1e-6),
  opposite: (_draw, _i, first) => -first,
  spike: (draw, i) => (i === 0 ? 1e4 : draw() * 1e-3),
  nan: (draw, i) => (i === 1 ? Number.NaN : draw()),
  infinite: (draw, i) => (i === 0 ? Number.POSITIVE_INFINITY : draw()),
};

function fillRows(rows: Float32Array, dim: number, names: readonly string[], seed: number): void {
  const draw = generator(seed);
  for (let row = 0; row * dim < rows.length; row++) {
    const value = kinds[names[row % names.length]];
    for (let i = 0; i < dim; i++) rows[row * dim + i] = value(draw, i, row === 0 ? draw() : rows[i]);
  }
}

const names = fc.array(fc.constantFrom(...Object.keys(kinds), 'noise', 'noise', 'close', 'same'), {
  minLength: 1,
  maxLength: 12,
});
const dims = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 150 }) },
  { weight: 1, arbitrary: fc.integer({ min: 151, max: 5000 }) },
);
const metrics = fc.constantFrom<Metric>('cosine', 'dot', 'l2');

describe('candidates chosen by rounded rows', () => {
  const cases = fc.record({
    dim: dims,
    rows: fc.integer({ min: 1, max: 18 }),
    count: fc.integer({ min: 8, max: 14 }),
    metric: metrics,
    names,
    asked: names,
    seed: fc.integer(),
    /** Which row's score is the bound of a query. */
    picked: fc.nat(),
    scale: fc.constantFrom(1, 1, 1e-10, 1e10),
  });

  test('are those of float32 sums, with their bits, whatever the values', () => {
    roundedRows = 0;
    fc.assert(
      fc.property(cases, ({ dim, rows, count, metric, names, asked, seed, picked, scale }) => {
        const [data, queries] = [claimFloats(rows * dim), claimFloats(count * dim)];
        fillRows(data, dim, names, seed);
        fillRows(queries, dim, asked, seed + (picked % 2));
        for (let i = 0; i < queries.length; i++) queries[i] *= scale;
        const none = new Float64Array(count);
        const lines = { dim, queries, count, lines: count, metric, shifts: none, reaches: none, slack: 0 };
        const [sums, chosen] = [summing, rounding].map((kernel) => new CandidateRows(kernel, lines));
        const bounds = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
        sums.find({ data, rows }, bounds);
        const scoreOf = ({ dots, squares, mostRows }: CandidateRows, query: number, row: number) =>
          nearness(metric, dots[query * mostRows + row], squares[row]);
        // Bounds at a row's score, or just below it, so that rounding to the other side would be seen.
        for (let query = 0; query < count; query++) {
          const score = scoreOf(sums, query, (picked + query) % rows);
          bounds[query] = Number.isFinite(score) ? score - (query % 2) * Math.abs(score) * 2 ** -50 : 0;
        }
        sums.find({ data, rows }, bounds);
        chosen.find({ data, rows }, bounds);
        const foundBy = (candidates: CandidateRows, query: number) =>
          [...candidates.found.subarray(query * candidates.mostRows).subarray(0, candidates.counts[query])]
            .filter(
              (row) =>
                !isMeasured(candidates.squares[row]) || scoreOf(candidates, query, row) > bounds[query],
            )
            .map((row) => [row, candidates.squares[row], candidates.dots[query * candidates.mostRows + row]]);
        for (let query = 0; query < count; query++)
          expect(foundBy(chosen, query)).toEqual(foundBy(sums, query));
        for (const part of [sums, chosen]) part.release();
        for (const part of [data, queries]) release(part);
      }),
      { seed: 11, numRuns: 600 },
    );
    expect(roundedRows).toBeGreaterThan(3000);
  });

  test('are few of the rows that are not much too far', () => {
    const [dim, rows, count] = [768, 128, 16];
    const [data, queries] = [claimFloats(rows * dim), claimFloats(count * dim)];
    fillRows(data, dim, ['noise', 'outlier', 'mixed', 'spike'], 1);
    queries.set(data.subarray(0, count * dim));
    const shifts = new Float64Array(count);
    const candidates = new CandidateRows(simd, {
      dim,
      queries,
      count,
      lines: count,
      metric: 'cosine',
      shifts,
      reaches: new Float64Array(count),
      slack: 0,
    });
    let norm = 0;
    for (let i = 0; i < dim; i++) norm += queries[i] ** 2;
    // Only the first query is of about the length that the bound is for; rows of outliers are near to each other.
    candidates.find({ data, rows }, new Float64Array(count).fill(0.2 * Math.sqrt(norm)));
    expect([...candidates.found.subarray(0, candidates.counts[0])]).toEqual([0]);
    candidates.release();
    for (const part of [data, queries]) release(part);
  });
});

describe('a pass over many queries', () => {
  const cases = fc.record({
    dim: fc.integer({ min: 1, max: 120 }),
    rows: fc.integer({ min: 60, max: 200 }),
    count: fc.integer({ min: 8, max: 13 }),
    metric: metrics,
    names,
    seed: fc.integer(),
    k: fc.integer({ min: 1, max: 4 }),
    directions: fc.integer({ min: -1, max: 3 }),
    blockRows: fc.integer({ min: 5, max: 70 }),
  });

  test('leaves the same nearest rows open with rounded rows and without: those of all rows by float64', async () => {
    roundedRows = 0;
    await fc.assert(
      fc.asyncProperty(cases, async ({ dim, rows, count, metric, names, seed, k, directions, blockRows }) => {
        const data = claimFloats(rows * dim);
        fillRows(data, dim, names, seed);
        const queries = data.slice(0, count * dim);
        const removed = directions < 0 ? undefined : componentsOf(dim, directions, seed);
        const exclude = Array.from({ length: count }, (_, query) => new Set([query]));
        const all = Uint32Array.from({ length: rows }, (_, row) => row);
        const ranking = { k, metric, removed, kernel: plainDots };
        const table = tableOf(data, dim);
        const rank = (ids: Uint32Array, query: number) =>
          rankExactly(
            table,
            ids.filter((id) => id !== query),
            queries.subarray(query * dim, (query + 1) * dim),
            { ...ranking, gathered: new Float32Array(rows * dim) },
          );
        for (const kernel of [summing, rounding]) {
          const pass = new NeighborPass(dim, queries, { k, metric, removed, exclude }, kernel);
          for (let start = 0; start < rows; start += blockRows) {
            const taken = Math.min(blockRows, rows - start);
            await pass.compare({
              start,
              rows: taken,
              data: data.subarray(start * dim, (start + taken) * dim),
            });
          }
          const found = pass.found();
          pass.release();
          for (let query = 0; query < count; query++)
            expect(await rank(found[query].rows, query)).toEqual(await rank(all, query));
        }
        release(data);
      }),
      { seed: 12, numRuns: 300 },
    );
    expect(roundedRows).toBeGreaterThan(3000);
  });
});

function componentsOf(dim: number, count: number, seed: number): Components {
  const draw = generator(seed);
  const mean = Float64Array.from({ length: dim }, () => draw() / 2);
  const directions = new Float64Array(count * dim);
  for (let line = 0; line < count; line++) directions[line * dim + ((line + 1) % dim)] = 1;
  return { mean, directions, count, rows: 1 };
}
