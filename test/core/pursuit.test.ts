import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { leastSquares, nonNegativeLeastSquares, residualOf } from '../../src/core/least-squares.ts';
import { type PursuitStep, pursue } from '../../src/core/pursuit.ts';
import { openModel } from '../../src/model/open.ts';

type Step = [row: number, coefficient: number, residual: number];
interface Answers {
  signed: [query: number, steps: Step[]][];
  non_negative: [query: number, steps: Step[]][];
  problems: { columns: number[][]; target: number[]; least_squares: number[]; nnls: number[] }[];
}

const expected = JSON.parse(readFileSync('fixtures/core/explain.json', 'utf8')) as Answers;
const table = await (await openModel('fixtures/words-eval/vectors.txt')).table();
const rowOf = async (row: number) => (await table.gather(Uint32Array.of(row))).data as Float32Array;

function expectSteps(found: readonly PursuitStep[], wanted: readonly Step[]) {
  expect(found.map(({ row }) => row)).toEqual(wanted.map(([row]) => row));
  found.forEach(({ coefficient, residual }, index) => {
    expect(coefficient).toBeCloseTo(wanted[index][1], 10);
    expect(residual).toBeCloseTo(wanted[index][2], 10);
  });
}

describe.each(['ts', 'simd'] as const)('by the %s kernel', (kernel) => {
  test.each(expected.signed)(
    "row %i is the sum that scikit-learn's orthogonal_mp finds",
    async (query, steps) => {
      const found = await pursue(table, await rowOf(query), { k: 8, exclude: new Set([query]), kernel });
      expectSteps(found, steps);
      found.forEach(({ cosine }, index) => {
        // What a step takes away is at least the part along its row.
        const before = index === 0 ? 1 : found[index - 1].residual;
        expect(found[index].residual).toBeLessThanOrEqual(before * Math.sqrt(1 - cosine ** 2) + 1e-6);
      });
    },
  );

  test.each(expected.non_negative)("row %i is the sum that SciPy's nnls finds", async (query, steps) => {
    const options = { k: 6, exclude: new Set([query]), kernel, nonNegative: true };
    expectSteps(await pursue(table, await rowOf(query), options), steps);
  });
});

test('a row that is not excluded explains itself in one step, with its own length as the coefficient', async () => {
  const doubled = (await rowOf(5)).map((value) => 2 * value);
  const [step, ...more] = await pursue(table, doubled, { k: 4 });
  expect(more).toEqual([]);
  expect(step).toMatchObject({ row: 5 });
  expect(step.coefficient).toBeCloseTo(2, 12);
  expect(step.residual).toBeLessThan(1e-12);
});

test('the opposite of a row is explained by a coefficient below 0, or by others', async () => {
  const opposite = (await rowOf(5)).map((value) => -value);
  const [step] = await pursue(table, opposite, { k: 1 });
  expect([step.row, step.coefficient]).toEqual([5, -1]);
  const positive = await pursue(table, opposite, { k: 8, nonNegative: true });
  expect(positive.map(({ row }) => row)).not.toContain(5);
  expect(positive.every(({ coefficient }) => coefficient >= 0)).toBe(true);
});

test('it stops at the tolerance, and takes rows of a list only', async () => {
  const [query, steps] = expected.signed[0];
  const options = { k: 8, exclude: new Set([query]), tolerance: 0.4 };
  const found = await pursue(table, await rowOf(query), options);
  expectSteps(
    found.map((step, i) => ({ ...step, coefficient: steps[i][1] })),
    steps.slice(0, steps.findIndex(([, , residual]) => residual <= 0.4) + 1),
  );
  const among = new Uint8Array(table.rows).fill(1, 10, 13);
  const few = await pursue(table, await rowOf(query), { k: 8, among });
  expect(few.map(({ row }) => row).sort()).toEqual([10, 11, 12]);
});

test.each(expected.problems)('least squares are those of NumPy and SciPy', (problem) => {
  const columns = problem.columns.map((column) => Float64Array.from(column));
  const target = Float64Array.from(problem.target);
  leastSquares(columns, target).forEach((value, i) => {
    expect(value).toBeCloseTo(problem.least_squares[i], 9);
  });
  nonNegativeLeastSquares(columns, target).forEach((value, i) => {
    expect(value).toBeCloseTo(problem.nnls[i], 9);
  });
});

test('a column that depends on those before it gets 0', () => {
  const columns = [Float64Array.of(1, 0, 1), Float64Array.of(0, 1, 0), Float64Array.of(1, 1, 1)];
  const target = Float64Array.of(2, 3, 2);
  const coefficients = leastSquares(columns, target);
  expect([...coefficients].map((value) => Math.round(value * 1e9) / 1e9)).toEqual([2, 3, 0]);
  expect(Math.max(...residualOf(columns, coefficients, target).map(Math.abs))).toBeLessThan(1e-12);
});
