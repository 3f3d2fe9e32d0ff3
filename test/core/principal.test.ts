import { describe, expect, it } from 'vitest';
import { symmetricEigen } from '../../src/core/eigen.ts';
import { principalComponents } from '../../src/core/principal.ts';
import { moreTables, sourceOf } from '../support/stats-more.ts';

/** Numbers between -0.5 and 0.5, the same each time. */
function drawn(length: number): Float32Array {
  let state = 7;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

describe('principal components', () => {
  for (const { name, dim, data, wanted } of moreTables()) {
    for (const kernel of ['ts', 'simd'] as const) {
      it(`are scikit-learn's for ${name} (${kernel})`, async () => {
        const found = await principalComponents(sourceOf(data, dim), 3, { kernel });
        const { variances, directions, mean } = wanted.spectrum;
        const largest = variances[0];
        for (const [i, variance] of variances.entries())
          expect(Math.abs((found.variances[i] ?? 0) - variance) / largest).toBeLessThan(2e-6);
        for (const [i, value] of mean.entries())
          expect(Math.abs(found.mean[i] - value)).toBeLessThan(
            1e-6 * Math.max(Math.abs(value), Math.sqrt(largest)),
          );
        for (const [i, direction] of directions.entries()) {
          // Components of next to no variance are any direction.
          if (!(variances[i] > 1e-9 * largest)) continue;
          const along = direction.reduce((sum, x, k) => sum + x * found.directions[i][k], 0);
          expect(along).toBeCloseTo(1, 5);
        }
      });
    }
  }

  it('are orthogonal unit vectors, also where variances are equal', async () => {
    const dim = 24;
    const data = new Float32Array(2 * dim * dim);
    // Every axis up and down: all variances are one.
    for (let i = 0; i < dim; i++) {
      data[2 * i * dim + i] = 1;
      data[(2 * i + 1) * dim + i] = -1;
    }
    const { directions, variances } = await principalComponents(sourceOf(data, dim), 10);
    for (const variance of variances) expect(variance).toBeCloseTo(1 / dim, 6);
    for (let a = 0; a < 10; a++) {
      for (let b = 0; b <= a; b++) {
        const dot = directions[a].reduce((sum, x, k) => sum + x * directions[b][k], 0);
        expect(dot).toBeCloseTo(a === b ? 1 : 0, 10);
      }
    }
  });

  it('come from a sample of the rows of a wide table, which says so', async () => {
    const dim = 1030;
    const data = drawn(1100 * dim);
    for (let row = 0; row < 1100; row++) data[row * dim + 5] *= 100;
    const found = await principalComponents(sourceOf(data, dim), 2);
    expect([found.sampled, found.rows]).toEqual([true, 1024]);
    expect(found.directions[0][5]).toBeCloseTo(1, 3);
    expect(found.variances[0]).toBeCloseTo(10000 / 12, -2);
  });

  it('are none where no row is finite, and where rows are equal', async () => {
    const none = await principalComponents(sourceOf(Float32Array.of(Number.NaN, 1), 2), 2);
    expect([none.rows, none.directions]).toEqual([0, []]);
    const equal = await principalComponents(sourceOf(Float32Array.of(1, 2, 1, 2), 2), 2);
    expect([Array.from(equal.variances), equal.directions]).toEqual([[0, 0], []]);
  });
});

describe('symmetric eigenvalues', () => {
  it('are those of a matrix put together from them', () => {
    const n = 9;
    const wanted = [9, 9, 9, 4, 1, 0.5, 0, -1, -30].sort((a, b) => b - a);
    const axis = drawn(n);
    const square = axis.reduce((sum, x) => sum + x * x, 0);
    const mirror = (i: number, j: number) => (i === j ? 1 : 0) - (2 * axis[i] * axis[j]) / square;
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        for (let k = 0; k < n; k++) matrix[i * n + j] += mirror(i, k) * wanted[k] * mirror(j, k);
    const { values, vectors } = symmetricEigen(matrix.slice(), n, 5);
    for (const [i, value] of wanted.entries()) expect(values[i]).toBeCloseTo(value, 12);
    for (const [at, vector] of vectors.entries()) {
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += matrix[i * n + j] * vector[j];
        expect(sum).toBeCloseTo(wanted[at] * vector[i], 11);
      }
    }
  });

  it('end for matrices of zeros, of one number and of no numbers', () => {
    expect(Array.from(symmetricEigen(new Float64Array(4), 2, 1).values)).toEqual([0, 0]);
    expect(Array.from(symmetricEigen(Float64Array.of(5), 1, 1).values)).toEqual([5]);
    expect(symmetricEigen(new Float64Array(9).fill(Number.NaN), 3, 2).values).toHaveLength(3);
  });
});
