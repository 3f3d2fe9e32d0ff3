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
