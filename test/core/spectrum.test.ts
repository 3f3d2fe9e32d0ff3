import { describe, expect, it } from 'vitest';
import { principalComponents } from '../../src/core/principal.ts';
import { spectrumOf } from '../../src/core/spectrum.ts';
import { moreTables, sourceOf } from '../support/stats-more.ts';

/** Numbers between -0.5 and 0.5, the same each time. */
function drawn(length: number): Float32Array {
  let state = 9;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

describe('the spectrum of a table', () => {
  for (const { name, dim, data, wanted } of moreTables()) {
    it(`is what scikit-learn's components and the published formulas give for ${name}`, async () => {
      const { spectrum } = wanted;
      const found = spectrumOf(await principalComponents(sourceOf(data, dim), 10), dim);
      expect(found.totalVariance / spectrum.total).toBeCloseTo(1, 5);
      expect((found.participationRatio as number) / spectrum.participation).toBeCloseTo(1, 5);
      expect((found.effectiveRank as number) / spectrum.effectiveRank).toBeCloseTo(1, 4);
      expect(found.isoScore).toBeCloseTo(spectrum.isoScore, 5);
      expect(found.sampled).toBe(false);
    });
  }

  it('knows from a sample of fewer rows than dimensions that all directions are alike', async () => {
    const dim = 1500;
    const components = await principalComponents(sourceOf(drawn(1030 * dim), dim), 10);
    const found = spectrumOf(components, dim);
    expect([found.sampled, found.rows]).toEqual([true, 1024]);
    expect(found.participationRatio).toBeGreaterThan(0.95 * dim);
    expect(found.isoScore).toBeGreaterThan(0.95);
    expect(found.effectiveRank).toBeLessThan(1024);
  });

  it('lists as many components as there are directions: rounding is none', async () => {
    for (const [distinct, times, dim] of [
      [4, 1, 16],
      [4, 3, 768],
      [4, 2, 1500],
    ]) {
      const once = drawn(distinct * dim);
      const data = Float32Array.from({ length: once.length * times }, (_, at) => once[at % once.length]);
      const found = spectrumOf(await principalComponents(sourceOf(data, dim), 10), dim);
      expect(found.leading.length, `${distinct} x ${times} rows of ${dim}`).toBe(distinct - 1);
    }
    expect(spectrumOf(await principalComponents(sourceOf(drawn(100 * 16), 16), 10), 16).leading.length).toBe(
      10,
    );
  });

  it('is not known where rows are equal, and has no IsoScore in one dimension', async () => {
    const equal = spectrumOf(await principalComponents(sourceOf(Float32Array.of(1, 2, 1, 2), 2), 10), 2);
    expect([equal.totalVariance, equal.participationRatio, equal.isoScore]).toEqual([0, null, null]);
    const line = spectrumOf(await principalComponents(sourceOf(Float32Array.of(1, 3), 1), 10), 1);
    expect([line.totalVariance, line.participationRatio, line.isoScore]).toEqual([1, 1, null]);
  });
});
