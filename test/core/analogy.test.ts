import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { centralities, findByProduct, rankRows, unitRow, weightedSum } from '../../src/core/analogy.ts';
import { findNeighbors } from '../../src/core/neighbors.ts';
import { openModel } from '../../src/model/open.ts';
import { tableOf } from '../support/table.ts';

interface Answers {
  most_similar: { positive: string[]; negative: string[]; add: Scored[]; mul: Scored[] }[];
  weighted: { terms: [string, number][]; add: Scored[] }[];
  rank: [string, string, number][];
  odd: [string[], Scored[], string][];
}
type Scored = [word: string, score: number];

const expected = JSON.parse(readFileSync('fixtures/words-eval/expected.json', 'utf8')) as Answers;
const model = await openModel('fixtures/words-eval/vectors.txt');
const table = await model.table();
const tokenizer = await model.tokenizer();
const idOf = (word: string) => tokenizer.idOf(word) as number;
const { data } = await table.gather(Uint32Array.from({ length: table.rows }, (_, row) => row));
const unitOf = (word: string) => unitRow(data, idOf(word) * table.dim, table.dim) as Float64Array;

function expectAnswers(found: readonly { row: number; score: number }[], answers: readonly Scored[]) {
  expect(found.map(({ row }) => tokenizer.tokenOf(row))).toEqual(answers.map(([word]) => word));
  found.forEach(({ score }, index) => {
    const [, wanted] = answers[index];
    expect(Math.abs(score - wanted)).toBeLessThan(1e-6 * Math.max(1, Math.abs(wanted)));
  });
}

const questions = [
  ...expected.most_similar.map(({ positive, negative, add, mul }) => ({
    terms: [...positive.map((word): Scored => [word, 1]), ...negative.map((word): Scored => [word, -1])],
    add,
    mul,
  })),
  ...expected.weighted.map((question) => ({ ...question, mul: undefined })),
];

describe.each(['ts', 'simd'] as const)('by the %s kernel', (kernel) => {
  test.each(questions)("$terms has gensim's answers", async ({ terms, add, mul }) => {
    const units = terms.map(([word]) => unitOf(word));
    const weights = terms.map(([, weight]) => weight);
    const excluded = new Set(terms.map(([word]) => idOf(word)));
    const query = weightedSum(units, weights) as Float32Array;
    const [sums] = await findNeighbors(table, query, { k: 8, metric: 'cosine', kernel, exclude: [excluded] });
    expectAnswers(sums, add);
    if (mul === undefined) return;
    expectAnswers(await findByProduct(table, units, weights, { k: 8, kernel, exclude: excluded }), mul);
  });

  test.each(expected.rank)("%s and %s have gensim's rank", async (a, b, wanted) => {
    const row = idOf(b);
    const values = data.subarray(row * table.dim, (row + 1) * table.dim);
    const [found] = await rankRows(table, idOf(a), unitOf(a), [{ row, values }], { kernel });
    expect(found).toMatchObject({ rank: wanted, ties: 0, of: table.rows - 1 });
  });
});

test.each(expected.odd)("the odd one of %j is gensim's", (words, ranked, odd) => {
  const cosines = centralities(words.map(unitOf)) as number[];
  const order = words.map((_, index) => index).sort((x, y) => cosines[y] - cosines[x]);
  expect(order.map((index) => words[index])).toEqual(ranked.map(([word]) => word));
  order.forEach((index, place) => {
    expect(cosines[index]).toBeCloseTo(ranked[place][1], 6);
  });
  expect(words[order[order.length - 1]]).toBe(odd);
});

test('a sum that cancels and rows without a direction are told', () => {
  expect(weightedSum([unitOf('king'), unitOf('king')], [1, -1])).toBeUndefined();
  expect(unitRow(Float32Array.of(0, 0), 0, 2)).toBeUndefined();
  expect(unitRow(Float32Array.of(1, Number.NaN), 0, 2)).toBeUndefined();
});

test('3CosMul of rows that float32 cannot tell apart is decided by float64', async () => {
  const [rows, dim] = [70_500, 6];
  let state = 5;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const mean = Array.from({ length: dim }, draw);
  // So many that they are ranked meanwhile; those of one value are equal.
  const data = Float32Array.from(
    { length: rows * dim },
    (_, i) => mean[i % dim]! * (1 + (i < 6000 ? 1e-6 * draw() : 0)),
  );
  const queries = [0, 1, 2].map(() => unitRow(Float32Array.from({ length: dim }, draw), 0, dim)!);
  const weights = [1, 1, -1];
  const cosinesOf = (row: number) => {
    const values = Array.from(data.subarray(row * dim, (row + 1) * dim));
    const norm = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
    return queries.map((query) => values.reduce((sum, x, i) => sum + x * query[i]!, 0) / norm);
  };
  const scored = Array.from({ length: rows }, (_, row) => {
    const [a, b, c] = cosinesOf(row).map((cosine) => (1 + cosine) / 2) as [number, number, number];
    return { row, score: (a * b) / (c + 1e-6) };
  }).sort((a, b) => b.score - a.score || a.row - b.row);
  for (const kernel of ['ts', 'simd'] as const) {
    const found = await findByProduct(tableOf(data, dim, 500), queries, weights, { k: 6, kernel });
    for (const [index, { score }] of found.entries())
      expect(Math.abs(score / scored[index]!.score - 1)).toBeLessThan(1e-14);
  }
});
