import { describe, expect, test } from 'vitest';
import { explainPadding } from '../../src/core/padding.ts';
import { findProvenances, type Provenance, provenances } from '../../src/core/provenance.ts';
import { measureRows } from '../../src/core/row-moments.ts';
import { tableOfRows } from '../support/table.ts';

/** Normal numbers from a fixed seed. */
function normal(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Rows as training leaves them: columns of unequal size, a mean, a common direction. */
function trainedRows(rows: number, dim: number, seed: number, size = 1): number[][] {
  const draw = normal(seed);
  const scales = Array.from({ length: dim }, () => size * (0.05 + 0.3 * Math.abs(draw())));
  const means = Array.from({ length: dim }, () => size * 0.1 * draw());
  return Array.from({ length: rows }, () => {
    const length = 1 + 0.2 * draw();
    return means.map((mean, d) => mean + length * scales[d]! * draw());
  });
}

const kindsOf = async (rows: number[][], options = {}) => {
  const found = await findProvenances(tableOfRows(rows), options);
  return { ...found, names: Array.from(found.kinds, (code): Provenance => provenances[code]!) };
};

describe('provenance of rows', () => {
  test.each([
    [16, 400, 1],
    [64, 2000, 0.1],
    [64, 2000, 0.02],
    [256, 1000, 0.05],
  ])('a trained table of width %i has trained rows only', async (dim, count, size) => {
    for (let seed = 1; seed <= 5; seed++) {
      const { names, untrained } = await kindsOf(trainedRows(count, dim, seed, size));
      expect(untrained).toBeNull();
      expect(names.filter((name) => name !== 'trained')).toEqual([]);
    }
  });

  test.each([0.02, 1, 0.037])(
    'a table of sigma %f that was never trained is told as a whole',
    async (sigma) => {
      const draw = normal(9);
      const rows = Array.from({ length: 500 }, () => Array.from({ length: 64 }, () => sigma * draw()));
      rows[3] = rows[3]!.map(() => 0);
      const { names, untrained } = await kindsOf(rows);
      expect(untrained).toBeCloseTo(sigma, sigma === 0.037 ? 3 : 12);
      expect(names[3]).toBe('zero');
      expect(names.filter((name) => name === 'normal-init')).toHaveLength(499);
    },
  );

  test('drawn rows among trained ones: of a known sigma anywhere, of any sigma where rows are new', async () => {
    const draw = normal(4);
    const drawn = (sigma: number) => Array.from({ length: 128 }, () => sigma * draw());
    const rows = trainedRows(600, 128, 8);
    [rows[100], rows[200], rows[300]] = [drawn(0.02), drawn(0.005), drawn(0.0331)];
    rows.push(drawn(0.0331), drawn(0.0331));
    const { names, sigmaOf } = await kindsOf(rows, { sigma: 0.005, newFrom: 600 });
    const ids = names.flatMap((name, id) => (name === 'normal-init' ? [id] : []));
    // Nothing tells row 300 from a row that training made small.
    expect(ids).toEqual([100, 200, 600, 601]);
    expect([sigmaOf(100), sigmaOf(200)]).toEqual([0.02, 0.005]);
    expect(sigmaOf(600)).toBeCloseTo(0.0331, 2);
  });

  // Rows of unequal norm whose values have a standard deviation near one that libraries draw with.
  test.each([
    [96, 0.02, 0.3],
    [128, 1, 0.3],
    [256, 0.012, 0],
    [256, 0.012, 0.3],
    [512, 0.018, 0.1],
  ])('rows %i wide, of sizes around %f, are not drawn for being long or short', async (dim, size, spread) => {
    const draw = normal(dim);
    const scales = Array.from({ length: dim }, () => Math.exp(spread * draw()));
    const sized = (mean: number) => {
      const length = mean * Math.exp(0.25 * draw());
      return scales.map((scale) => length * scale * draw());
    };
    const rows = Array.from({ length: 1500 }, () => sized(size));
    rows[7] = rows[7]!.map((value) => 4 * value);
    // Behind the vocabulary, of any sigma: special tokens that were trained, and smaller than the others.
    for (let i = 0; i < 60; i++) rows.push(sized(0.4 * size));
    const { names, untrained } = await kindsOf(rows, { newFrom: 1500 });
    expect(untrained).toBeNull();
    expect(names.filter((name) => name !== 'trained')).toEqual([]);
  });

  test('drawn rows are told from trained ones of the same size by the columns', async () => {
    const draw = normal(12);
    const scales = Array.from({ length: 512 }, () => Math.exp(0.3 * draw()));
    const rows = Array.from({ length: 1000 }, () => {
      const length = 0.019 * Math.exp(0.2 * draw());
      return scales.map((scale) => length * scale * draw());
    });
    for (const row of [100, 200, 300]) rows[row] = scales.map(() => 0.02 * draw());
    const { names } = await kindsOf(rows);
    expect(names.flatMap((name, id) => (name === 'normal-init' ? [id] : []))).toEqual([100, 200, 300]);
  });

  test('a value where all others have one tells a row from them', async () => {
    const draw = normal(5);
    const rows = trainedRows(400, 64, 3, 0.1).map((row) => row.fill(0, 0, 8));
    rows[50] = rows[50]!.map(() => 0.02 * draw());
    const { names } = await kindsOf(rows);
    expect(names.flatMap((name, id) => (name === 'trained' ? [] : [id]))).toEqual([50]);
  });

  test.each([1e5, -1e30])('a row with a value of %f is outsized, and no other one a mean', async (value) => {
    const rows = trainedRows(3000, 32, 2);
    rows[77]![5] = value;
    const mean = rows[0]!.map(
      (_, d) => rows.reduce((sum, row, id) => (id === 77 ? sum : sum + row[d]!), 0) / 2999,
    );
    rows[2000] = mean;
    const { names, outsized } = await kindsOf(rows);
    expect(outsized).toEqual([77]);
    expect(names.flatMap((name, id) => (name === 'trained' ? [] : [id]))).toEqual([2000]);
  });

  test.each([
    [99, [7]],
    [150, [7, 80]],
  ])('%i rows with large ones among them: those are named, and no other one', async (count, large) => {
    const rows = trainedRows(count, 64, 5, 0.1);
    for (const row of large) rows[row] = rows[row]!.map((value) => 1e4 * value);
    const { names, outsized } = await kindsOf(rows);
    expect(outsized).toEqual(large);
    expect(names.filter((name) => name !== 'trained')).toEqual([]);
  });

  test('many large rows are another kind of rows', async () => {
    const rows = trainedRows(300, 32, 2);
    for (let row = 0; row < 30; row++) rows[row] = rows[row]!.map((value) => 1000 * value);
    expect((await kindsOf(rows)).outsized).toEqual([]);
  });

  test('the mean is that of the old rows; zeros and NaN come first, rows of one mean are no copies', async () => {
    const rows = trainedRows(300, 32, 6);
    const mean = rows[0]!.map((_, d) => rows.reduce((sum, row) => sum + row[d]!, 0) / rows.length);
    rows.push(
      mean,
      [...mean],
      rows[17]!,
      mean.map(() => 0),
      mean.map(() => Number.NaN),
    );
    for (let i = 0; i < 20; i++) rows.push(mean.map((value, d) => value + 1e-4 * d));
    const { names, twins } = await kindsOf(rows, { newFrom: 300 });
    expect(names.slice(299, 306)).toEqual([
      'trained',
      'mean-init',
      'mean-init',
      'copy',
      'zero',
      'nan',
      'mean-init',
    ]);
    expect([twins[301], twins[302]]).toEqual([300, 17]);
  });

  test('tables that are too small say only what is certain', async () => {
    const { names } = await kindsOf(trainedRows(10, 32, 1));
    expect(new Set(names)).toEqual(new Set(['trained']));
    const narrow = await kindsOf([...trainedRows(100, 4, 1), [0, 0, 0, 0]]);
    expect(narrow.names[100]).toBe('zero');
  });
});

test.each([
  [50257, 50304, 128, true],
  [30522, 30528, 64, true],
  [32100, 32128, 128, true],
  [151_665, 151_936, 128, false],
  [10, 11, null, false],
  [10, 48, 16, false],
  [100, 128, 128, true],
])('%i ids in %i rows: a multiple of %s, the next one: %s', (ids, rows, multiple, isNext) => {
  expect(explainPadding(ids, rows)).toEqual({ multiple, isNext });
});

describe('moments of rows and columns', () => {
  test('are those of float64, of several calls of the kernel; columns pass over rows that are new, zero or not finite', async () => {
    const draw = normal(3);
    const [count, dim, last] = [3000, 97, 2900];
    const rows = Array.from({ length: count }, () => Array.from({ length: dim }, () => Math.fround(draw())));
    rows[7]!.fill(0);
    rows[1500]![3] = Number.NaN;
    rows[2999]![0] = Number.POSITIVE_INFINITY;
    const moments = await measureRows(tableOfRows(rows, 2000), last);
    const old = rows.slice(0, last).filter((_, row) => row !== 7 && row !== 1500);
    expect(moments.counted).toBe(old.length);
    for (let d = 0; d < dim; d++) {
      const mean = old.reduce((sum, row) => sum + row[d]!, 0) / old.length;
      const square = old.reduce((sum, row) => sum + row[d]! ** 2, 0) / old.length;
      expect(moments.columnMeans[d]).toBeCloseTo(mean, 13);
      expect(moments.columnVariances[d]).toBeCloseTo(square - mean ** 2, 12);
    }
    const lists = [moments.sums, moments.squares, moments.cubes, moments.fourths];
    for (const row of [0, 7, 1349, 1350, 1351, 2899, 2900, 2998])
      for (const [index, list] of lists.entries())
        expect(list[row]).toBeCloseTo(
          rows[row]!.reduce((sum, x) => sum + x ** (index + 1), 0),
          10,
        );
    expect([moments.squares[1500], moments.squares[2999]]).toEqual([Number.NaN, Number.POSITIVE_INFINITY]);
  });
});
