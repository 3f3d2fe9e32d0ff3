import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClassMeter } from '../../src/core/class-stats.ts';
import { type HistogramBin, histogramOf } from '../../src/core/histogram.ts';
import { normalizeRows } from '../../src/core/norms.ts';
import { measureTable, type PlacedValue, type TableStats } from '../../src/core/table-stats.ts';
import type { RowBlock } from '../../src/types.ts';

interface Wanted {
  nan: number;
  infinite: number;
  nonFiniteRows: number;
  zeroRows: number;
  mean: number | null;
  std: number | null;
  min: number[] | null;
  max: number[] | null;
  normMean: number | null;
  normStd: number | null;
  smallestNorms: number[][];
  largestNorms: number[][];
  meanCosine: number | null;
  outliers: number[][];
}

const { cases } = JSON.parse(
  readFileSync(new URL('../../fixtures/stats/tables.json', import.meta.url), 'utf8'),
) as { cases: { name: string; rows: number; dim: number; bits: number[]; wanted: Wanted }[] };

function* blocksOf(data: Float32Array, dim: number, blockRows: number): Generator<RowBlock> {
  for (let start = 0; start * dim < data.length; start += blockRows) {
    const piece = data.subarray(start * dim, (start + blockRows) * dim);
    yield { start, rows: piece.length / dim, data: piece };
  }
}

function measure(data: Float32Array, dim: number, more: { blockRows?: number; kernel?: 'ts' | 'simd' } = {}) {
  const rows = data.length / dim;
  const { blockRows = rows, kernel = 'ts' } = more;
  return measureTable(blocksOf(data, dim, blockRows), { dim, rows, kernel });
}

function close(found: number | null, wanted: number | null, scale = Math.abs(wanted ?? 0)): void {
  if (wanted === null || found === null) expect(found).toBe(wanted);
  else expect(Math.abs(found - wanted)).toBeLessThanOrEqual(1e-12 * scale);
}

const place = (placed: PlacedValue | null) => placed && [placed.value, placed.row, placed.dim];

function expectStats(found: TableStats, wanted: Wanted): void {
  for (const key of ['nan', 'infinite', 'nonFiniteRows', 'zeroRows'] as const)
    expect(found[key]).toBe(wanted[key]);
  expect(place(found.min)).toEqual(wanted.min);
  expect(place(found.max)).toEqual(wanted.max);
  const size = Math.abs(wanted.mean ?? 0) + (wanted.std ?? 0);
  close(found.mean, wanted.mean, size);
  // Σx² - n·mean² cancels where the mean is large against the spread.
  close(found.std, wanted.std, size * Math.max(1, size / (wanted.std || 1)));
  close(found.normMean, wanted.normMean);
  close(found.normStd, wanted.normStd, (wanted.normMean ?? 0) + (wanted.normStd ?? 0));
  for (const key of ['smallestNorms', 'largestNorms'] as const) {
    expect(found[key].map(({ row }) => row)).toEqual(wanted[key].map(([row]) => row));
    found[key].forEach(({ value }, i) => {
      close(value, wanted[key][i][1]);
    });
  }
  close(found.meanCosine, wanted.meanCosine, 1);
  expect(found.outliers?.map(({ dim }) => dim)).toEqual(wanted.outliers.map(([dim]) => dim));
  found.outliers?.forEach((outlier, i) => {
    const [, mean, std, meanScore, stdScore] = wanted.outliers[i];
    close(outlier.mean, mean, 1);
    close(outlier.std, std, 10);
    close(outlier.meanScore, meanScore, 1000);
    close(outlier.stdScore, stdScore, 1000);
  });
}

/** Counts again, value by value: an edge belongs to the bin farther from 0, the ends of the tails to the tails. */
function expectCounts(bins: HistogramBin[], values: number[]): void {
  const counts = bins.map(() => 0);
  for (const value of values) {
    const x = Math.abs(value) < 1e-40 ? 0 : value;
    const inside = bins.findIndex(({ from, to }) => (x >= 0 ? from <= x && x < to : from < x && x <= to));
    counts[inside < 0 ? (x < 0 ? 0 : bins.length - 1) : inside]++;
  }
  expect(bins.map(({ count }) => count)).toEqual(counts);
}

describe('the stats of a table', () => {
  for (const { name, rows, dim, bits, wanted } of cases) {
    const data = new Float32Array(Uint32Array.from(bits).buffer);
    it(`are those of NumPy in float64: ${name}`, async () => {
      const found = await measure(data, dim);
      expect([found.rows, found.dim]).toEqual([rows, dim]);
      expectStats(found, wanted);
    });

    it(`do not depend on how the table is cut into blocks: ${name}`, async () => {
      const whole = await measure(data, dim);
      for (const blockRows of [1, 3, 7]) expect(await measure(data, dim, { blockRows })).toEqual(whole);
    });

    it(`count every finite value in the histogram: ${name}`, async () => {
      const { histogram, histogramEvery } = await measure(data, dim);
      expect(histogramEvery).toBe(1);
      expectCounts(histogram, [...data].filter(Number.isFinite));
    });
  }

  it('of a large table are the same bits by both kernels', async () => {
    const dim = 100;
    const data = new Float32Array(dim * 9000).map((_, i) => Math.sin(i * i) * (1 + (i % dim) / 50));
    data[12345] = Number.NaN;
    data[700_000] = Number.POSITIVE_INFINITY;
    const plain = await measure(data, dim, { blockRows: 1500 });
    expect(await measure(data, dim, { blockRows: 1500, kernel: 'simd' })).toEqual(plain);
    expect(await measure(data, dim, { blockRows: 77, kernel: 'simd' })).toEqual(plain);
    expect(plain.nan + plain.infinite).toBe(2);
  });

  it('sample rows for the histogram of a large table, and say how many', async () => {
    const dim = 512;
    const rows = 33_000;
    const block = new Float32Array(dim * 1000).map((_, i) => Math.sin(i * i));
    function* blocks() {
      for (let start = 0; start < rows; start += 1000) yield { start, rows: 1000, data: block };
    }
    const options = { dim, rows, kernel: 'simd' as const };
    const sampled = await measureTable(blocks(), options);
    expect([sampled.histogramEvery, sampled.histogramRows]).toEqual([4, 8250]);
    const all = await measureTable(blocks(), { ...options, countAll: true });
    expect([all.histogramEvery, all.histogramRows]).toEqual([1, rows]);
    const sum = (bins: HistogramBin[]) => bins.reduce((total, { count }) => total + count, 0);
    expect(sum(sampled.histogram)).toBe(8250 * dim);
    expect(sum(all.histogram)).toBe(rows * dim);
    expect({ ...all, histogram: [], histogramRows: 0, histogramEvery: 0 }).toEqual({
      ...sampled,
      histogram: [],
      histogramRows: 0,
      histogramEvery: 0,
    });
  });

  it('tell how norms differ that are nearly one, and nothing where rows are equal', async () => {
    const dim = 16;
    const rows = 4000;
    const data = Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(i * i));
    normalizeRows(data, dim);
    const norms = Array.from({ length: rows }, (_, row) =>
      Math.sqrt(data.subarray(row * dim, (row + 1) * dim).reduce((sum, x) => sum + x * x, 0)),
    );
    const mean = norms.reduce((sum, norm) => sum + norm, 0) / rows;
    const spread = Math.sqrt(norms.reduce((sum, norm) => sum + (norm - mean) ** 2, 0) / rows);
    const same = Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(i % dim));
    for (const kernel of ['ts', 'simd'] as const) {
      const { normStd } = await measure(data, dim, { kernel });
      expect(Math.abs(normStd! / spread - 1)).toBeLessThan(1e-6);
      const equal = await measure(same, dim, { kernel });
      expect(equal.normStd).toBeLessThan(1e-15);
      expect(equal.meanCosine).toBeLessThanOrEqual(1);
    }
    const meter = new ClassMeter(dim);
    meter.add({ start: 0, rows, data }, () => 'all');
    expect(Math.abs(meter.results()[0]!.normStd! / spread - 1)).toBeLessThan(1e-6);
  });

  it('of more dimensions than sums are kept for still count, measure and rank', async () => {
    const dim = 2 ** 18 + 3;
    const data = new Float32Array(dim * 2).fill(0.5);
    data[7] = Number.NaN;
    data[dim + 9] = -3;
    const stats = await measure(data, dim);
    const count = 2 * dim - 1;
    close(stats.mean, ((count - 1) * 0.5 - 3) / count);
    expect([stats.nan, stats.meanCosine, stats.outliers]).toEqual([1, null, null]);
    expect(place(stats.min)).toEqual([-3, 1, 9]);
  });
});

describe('the histogram', () => {
  function bucketsOf(values: Float32Array): Uint32Array {
    const buckets = new Uint32Array(65536);
    for (const bits of new Uint32Array(values.buffer)) buckets[bits >>> 16]++;
    return buckets;
  }

  it('has exact counts, adjacent bins of one power of two and at most 42 of them, for any values', () => {
    const value = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.float({ min: -1, max: 1, noNaN: true }),
      fc.float({ min: 100, max: 101, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), (numbers) => {
        const values = Float32Array.from(numbers);
        const [low, high] = [Math.min(...values), Math.max(...values)];
        const bins = histogramOf(bucketsOf(values), low, high);
        expectCounts(bins, [...values]);
        expect(bins.length).toBeLessThanOrEqual(42);
        for (let i = 1; i < bins.length; i++) expect(bins[i].from).toBe(bins[i - 1].to);
        const widths = new Set(bins.slice(1, -1).map(({ from, to }) => Math.log2(to - from)));
        expect(widths.size).toBeLessThanOrEqual(1);
        for (const width of widths) expect(Number.isInteger(width)).toBe(true);
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  it('keeps its resolution when one value in a thousand is far away', () => {
    const values = new Float32Array(20_000).map((_, i) => Math.sin(i));
    values[0] = 1e30;
    const bins = histogramOf(bucketsOf(values), -1, values[0]);
    expect(bins.length).toBeGreaterThan(20);
    expect(bins[bins.length - 1]).toMatchObject({ to: values[0], count: 1 });
    expectCounts(bins, [...values]);
  });

  it('is empty when nothing finite was counted', () => {
    expect(histogramOf(bucketsOf(Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY)), 0, 0)).toEqual([]);
  });
});
