import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { incompleteBeta, pearson, ranksOf, spearman } from '../../src/core/correlation.ts';

interface Sample {
  count: number;
  noise: number;
  x?: number[];
  y?: number[];
  /** r and p of scipy.stats.pearsonr, then of spearmanr. */
  numbers: (number | null)[];
}

const { p_values: samples } = JSON.parse(readFileSync('fixtures/words-eval/expected.json', 'utf8')) as {
  p_values: Sample[];
};

const rounded = (value: number) => Math.round(value * 1000) / 1000;

function expectClose(value: number | null, wanted: number | null) {
  if (wanted === null || value === null) expect(value).toBe(wanted);
  else expect(Math.abs(value - wanted)).toBeLessThanOrEqual(1e-9 * Math.abs(wanted) + 1e-300);
}

describe('correlations', () => {
  test.each(samples)("of $count values with noise $noise are SciPy's", (sample) => {
    const { count, noise, numbers } = sample;
    const places = Array.from({ length: count }, (_, i) => i);
    const x = sample.x ?? places.map((i) => rounded(Math.sin(i)));
    const y = sample.y ?? places.map((i) => rounded(Math.sin(i) + noise * Math.sin(i * i)));
    const [linear, ranked] = [pearson(x, y), spearman(x, y)];
    [linear.r, linear.p, ranked.r, ranked.p].forEach((value, index) => {
      expectClose(value, numbers[index]);
    });
  });

  test('are null for constants, single values and what is no number', () => {
    const none = { r: null, p: null };
    expect(pearson([1, 1, 1], [1, 2, 3])).toEqual(none);
    expect(spearman([1, 2, 3], [4, 4, 4])).toEqual(none);
    expect(pearson([1], [2])).toEqual(none);
    expect(pearson([], [])).toEqual(none);
    expect(pearson([1, 2, 3], [1, Number.NaN, 3])).toEqual(none);
    expect(spearman([1, 2, 3], [1, Number.NaN, 3])).toEqual(none);
  });

  test('of very large and very small values do not overflow', () => {
    expect(pearson([1e200, 3e200, 2e200], [1e-200, 3e-200, 2e-200]).r).toBeCloseTo(1, 14);
  });

  test('rank equal values by the mean of their ranks', () => {
    expect([...ranksOf([3, 1, 3, 2, 3])]).toEqual([4, 1, 4, 2, 4]);
  });

  test('use an incomplete beta function with its known values', () => {
    expect(incompleteBeta(0.3, 1, 1)).toBeCloseTo(0.3, 14);
    expect(incompleteBeta(0.25, 0.5, 0.5)).toBeCloseTo(1 / 3, 13);
    expect(incompleteBeta(0.4, 2, 3) + incompleteBeta(0.6, 3, 2)).toBeCloseTo(1, 14);
    expect([incompleteBeta(0, 2, 3), incompleteBeta(1, 2, 3)]).toEqual([0, 1]);
  });
});
