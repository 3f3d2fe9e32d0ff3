import { expect, test } from 'vitest';
import { pairwiseCosines, similarityRows } from '../../src/core/similarity.ts';

const data = Float32Array.of(3, 4, 0, 2, -4, 3);

test('dot products and distances of every pair, some rows at a time', () => {
  expect([...similarityRows(data, 2, 'dot', 0, 3)]).toEqual([25, 8, 0, 8, 4, 6, 0, 6, 25]);
  const distances = [Math.sqrt(13), 0, Math.sqrt(17)].map(Math.fround);
  expect([...similarityRows(data, 2, 'l2', 1, 1)]).toEqual(distances);
});

test('cosines are those of pairwiseCosines, rounded once', () => {
  const whole = similarityRows(data, 2, 'cosine', 0, 3);
  expect(whole).toEqual(Float32Array.from(pairwiseCosines(data, 2)));
  expect(whole.subarray(6)).toEqual(similarityRows(data, 2, 'cosine', 2, 1));
});

test('a pair has the same value in both orders and in any block, as float64 gives it', () => {
  const [rows, dim] = [23, 37];
  const drawn = Float32Array.from({ length: rows * dim }, (_, at) => Math.sin(at * at + 1));
  for (const metric of ['cosine', 'dot', 'l2'] as const) {
    const whole = similarityRows(drawn, dim, metric, 0, rows);
    for (let a = 0; a < rows; a++) {
      for (let b = 0; b < rows; b++) expect(whole[a * rows + b]).toBe(whole[b * rows + a]);
    }
    for (const [first, count] of [
      [0, 5],
      [5, 11],
      [16, 7],
      [22, 1],
    ]) {
      const some = similarityRows(drawn, dim, metric, first, count);
      expect(some).toEqual(whole.subarray(first * rows, (first + count) * rows));
    }
  }
  const cosines = pairwiseCosines(drawn, dim);
  similarityRows(drawn, dim, 'cosine', 0, rows).forEach((value, at) => {
    expect(Math.abs(value - cosines[at])).toBeLessThan(2 ** -24);
  });
});
