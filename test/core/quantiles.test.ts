import { describe, expect, it } from 'vitest';
import { findDuplicates, findFirsts } from '../../src/core/duplicates.ts';
import { quantileLevels, quantilesOf, ValueQuantiles } from '../../src/core/quantiles.ts';
import { RowDigests } from '../../src/core/row-digests.ts';
import { moreTables, sourceOf } from '../support/stats-more.ts';

describe.each(['ts', 'simd'] as const)('one pass that tells rows and values apart (%s)', (name) => {
  for (const { name: title, dim, data, wanted } of moreTables()) {
    it(`finds NumPy's quantiles in ${title}, to the last bit`, async () => {
      const source = sourceOf(data, dim);
      const values = await ValueQuantiles.by(name);
      for await (const block of source.scan()) values.add(block);
      expect(await values.at(quantileLevels, () => source.scan())).toEqual(wanted.values);
      values.release();
    });

    it(`finds the quantiles of norms and the groups of equal rows in ${title}`, async () => {
      const source = sourceOf(data, dim);
      const digests = await RowDigests.by(name, dim, 2);
      for await (const block of source.scan()) digests.add(block);
      const norms = quantilesOf(digests.finiteNorms(), quantileLevels) as number[];
      for (const [i, norm] of norms.entries()) {
        const expected = (wanted.norms as number[])[i];
        expect(Math.abs(norm - expected)).toBeLessThanOrEqual(1e-12 * Math.abs(expected));
      }
      const { groups, rows, largest } = await findDuplicates(source, digests.hashes());
      expect(groups).toBe(wanted.groups.length);
      expect(rows).toBe(wanted.groups.flat().length);
      expect(largest.map((group) => group.rows)).toEqual(
        wanted.groups.slice(0, 10).map((group) => group.slice(0, 4)),
      );
      expect(largest.map((group) => group.size)).toEqual(wanted.groups.map((group) => group.length));
      digests.release();
    });
  }

  it('reads once when a sample tells where the quantiles lie, and twice when it does not', async () => {
    let state = 3;
    const data = Float32Array.from({ length: 40_000 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32 - 0.5;
    });
    const sorted = Float64Array.from(data).sort();
    const wanted = quantilesOf(Float64Array.from(data), quantileLevels);
    const source = sourceOf(data, 40);
    const wrong = Float32Array.from({ length: 50_000 }, (_, i) => (i % 10 < 3 ? -8 : 8));
    const samples = [data.filter((_, i) => i % 7 === 0), wrong, Float32Array.of(Number.NaN)];
    const scans = [0, 1, 1];
    for (const [at, sample] of samples.entries()) {
      let count = 0;
      const values = await ValueQuantiles.by(name);
      values.expect(sample, quantileLevels);
      for await (const block of source.scan()) values.add(block);
      const again = () => {
        count++;
        return source.scan();
      };
      const found = await values.at(quantileLevels, again, [sorted[0], sorted[39_999]]);
      values.release();
      expect([found, count]).toEqual([wanted, scans[at]]);
    }
  });

  it('has no quantiles of a table without a finite value', async () => {
    const source = sourceOf(Float32Array.of(Number.NaN, Number.NEGATIVE_INFINITY), 1);
    const values = await ValueQuantiles.by(name);
    for await (const block of source.scan()) values.add(block);
    expect(await values.at(quantileLevels, () => source.scan())).toBeNull();
    values.release();
    expect(quantilesOf(new Float64Array(0), quantileLevels)).toBeNull();
  });

  it('finds many pairs and one large group, for widths that are no multiple of 8', async () => {
    for (const dim of [1, 3, 8, 13]) {
      const data = Float32Array.from({ length: 300 * dim }, (_, i) => {
        const row = Math.floor(i / dim);
        return row < 200 ? (row % 100) + 1 : -0 * row;
      });
      const source = sourceOf(data, dim);
      const digests = await RowDigests.by(name, dim);
      for await (const block of source.scan()) digests.add(block);
      const found = await findDuplicates(source, digests.hashes());
      expect([found.groups, found.rows]).toEqual([101, 300]);
      expect(found.largest[0]).toEqual({ size: 100, rows: [200, 201, 202, 203], norm: 0 });
      expect(found.largest[1].rows).toEqual([0, 100]);
      digests.release();
    }
  });

  it('compares rows whose hashes are equal', async () => {
    const source = sourceOf(Float32Array.of(1, 2, 3, 2, 1, 3), 1);
    const { groups, largest } = await findDuplicates(source, new Float64Array(6).fill(7));
    expect(groups).toBe(3);
    expect(largest.map(({ rows }) => rows)).toEqual([
      [0, 4],
      [1, 3],
      [2, 5],
    ]);
    const firsts = await findFirsts(source, new Float64Array(6).fill(7));
    expect([...firsts]).toEqual([-1, -1, -1, 1, 0, 2]);
  });
});
