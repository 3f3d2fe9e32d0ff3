import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { centerRows, meanOfFinite } from '../../src/core/center.ts';
import { composeRows, decomposeRows } from '../../src/core/compose.ts';
import { normalizeRows, rowNorms } from '../../src/core/norms.ts';
import { type Pooling, startPool } from '../../src/core/pool.ts';
import { drawProjection, projectRows } from '../../src/core/project.ts';
import { pairwiseCosines } from '../../src/core/similarity.ts';
import { type SinusoidalForm, sinusoidalRows } from '../../src/core/sinusoidal.ts';
import { EmbError } from '../../src/errors.ts';

function fixture<Case>(name: string): Case[] {
  return JSON.parse(readFileSync(new URL(`../../fixtures/core/${name}`, import.meta.url), 'utf8')).cases;
}

const floats = (bits: number[]) => new Float32Array(Uint32Array.from(bits).buffer);
const bitsOf = (values: Float32Array) => [
  ...new Uint32Array(values.buffer, values.byteOffset, values.length),
];

describe('projection', () => {
  interface Linear {
    seed: string;
    inputs: number;
    outputs: number;
    weight: number[];
    bias: number[];
    rows: number[];
    projected: number[];
  }
  for (const { seed, inputs, outputs, weight, bias, rows, projected } of fixture<Linear>('linear.json')) {
    it(`draws nn.Linear(${inputs}, ${outputs}) of seed ${seed} bit for bit and projects as float64 does`, () => {
      const layer = drawProjection(inputs, outputs, BigInt(seed));
      expect(bitsOf(layer.weight)).toEqual(weight);
      expect(bitsOf(layer.bias!)).toEqual(bias);
      expect(bitsOf(projectRows(floats(rows), inputs, layer))).toEqual(projected);
    });
  }

  it('refuses rows of another width, parts that do not fit, and more weights than memory', () => {
    const layer = drawProjection(3, 2, 0n);
    expect(() => projectRows(new Float32Array(4), 4, layer)).toThrow(/takes 3 dimensions, the rows have 4/);
    const odd = { ...layer, bias: new Float32Array(3) };
    expect(() => projectRows(new Float32Array(3), 3, odd)).toThrow(EmbError);
    expect(() => drawProjection(768, 1e9, 0n)).toThrow(/expected at most 268,435,456/);
  });
});

describe('sinusoidal positions', () => {
  interface Sinusoid {
    form: SinusoidalForm;
    dim: number;
    first: number;
    count: number;
    bits: number[];
  }
  for (const { form, dim, first, count, bits } of fixture<Sinusoid>('sinusoidal.json')) {
    it(`are those of transformers: ${form}, dim ${dim}, from position ${first}`, () => {
      const wanted = floats(bits);
      const found = sinusoidalRows(first, count, dim, form);
      // float32 angles of tensor2tensor lose digits as positions grow: one ulp of the angle shows in the sine.
      const tolerance = form === 'tensor2tensor' ? 1e-7 * (first + count) : 6e-8;
      found.forEach((x, i) => {
        expect(Math.abs(x - wanted[i])).toBeLessThanOrEqual(tolerance);
      });
      expect(found.length).toBe(wanted.length);
    });
  }
});

describe('pooling', () => {
  const rows = Float32Array.of(1, 8, -3, 4, 2, -6);
  const wanted: [Pooling, number[]][] = [
    ['mean', [0, 2]],
    ['max', [2, 8]],
    ['sum', [0, 6]],
    ['first', [1, 8]],
    ['last', [2, -6]],
  ];
  for (const [pooling, result] of wanted) {
    it(`${pooling} gives the same whole and in pieces`, () => {
      const whole = startPool(pooling, 2);
      whole.add(rows);
      expect([...whole.result()]).toEqual(result);
      const pieces = startPool(pooling, 2);
      pieces.add(rows.subarray(0, 2));
      pieces.add(new Float32Array(0));
      pieces.add(rows.subarray(2));
      expect([...pieces.result()]).toEqual(result);
    });
  }

  it('of no rows is unknown, but for the sum', () => {
    for (const pooling of ['mean', 'max', 'first', 'last'] as const) {
      expect([...startPool(pooling, 2).result()]).toEqual([Number.NaN, Number.NaN]);
    }
    expect([...startPool('sum', 2).result()]).toEqual([0, 0]);
  });

  it('keeps a NaN wherever it stands', () => {
    for (const pooling of ['mean', 'max', 'sum'] as const) {
      for (const order of [
        [Number.NaN, 1, 2],
        [1, Number.NaN, 2],
        [1, 2, Number.NaN],
      ]) {
        const pool = startPool(pooling, 1);
        pool.add(Float32Array.from(order));
        expect(pool.result()[0]).toBeNaN();
      }
    }
  });

  it('sums in float64', () => {
    const pool = startPool('sum', 1);
    pool.add(Float32Array.of(2 ** 24, 1, 1, -(2 ** 24)));
    expect(pool.result()[0]).toBe(2);
  });
});

describe('rows', () => {
  it('have unit norm after normalizing, and zero rows stay zero', () => {
    const data = Float32Array.of(3, 4, 0, 0, -5, 12);
    expect([...rowNorms(data, 2)]).toEqual([5, 0, 13]);
    normalizeRows(data, 2);
    expect([...data]).toEqual([...Float32Array.of(3 / 5, 4 / 5, 0, 0, -5 / 13, 12 / 13)]);
  });

  it('of any scale normalize without overflow', () => {
    const data = Float32Array.of(3e38, 3e38, 1e-45, 0);
    normalizeRows(data, 2);
    expect([...data]).toEqual([Math.fround(Math.SQRT1_2), Math.fround(Math.SQRT1_2), 1, 0]);
  });

  it('center on their mean', async () => {
    async function* blocks() {
      yield { start: 0, rows: 2, data: Float32Array.of(1, 2, 3, 4, 99, 99) };
      yield { start: 2, rows: 1, data: Float32Array.of(5, 9) };
    }
    const { mean, rows } = await meanOfFinite(blocks, 2);
    expect([rows, ...mean]).toEqual([3, 3, 5]);
    const data = Float32Array.of(1, 2, 3, 4);
    centerRows(data, mean);
    expect([...data]).toEqual([-2, -3, 0, -1]);
  });

  it('that are not finite are left out of a mean, whatever stands beside them', async () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    async function* blocks() {
      yield { start: 0, rows: 3, data: Float32Array.of(1, 2, 3, nan, 5, 9) };
      yield { start: 3, rows: 4, data: Float32Array.of(infinity, -infinity, 0, 0, 6, 1, 9, infinity) };
    }
    const { mean, rows } = await meanOfFinite(blocks, 2);
    expect([rows, ...mean]).toEqual([4, 3, 3]);
  });

  it('are composed in the order of BERT, each step rounded to float32', () => {
    const word = Float32Array.of(1, 2 ** 24);
    const sum = composeRows({ word, type: Float32Array.of(1), position: Float32Array.of(1, 1) }, 1, 1);
    expect([...sum]).toEqual([3, 2 ** 24]);
    expect([...composeRows({ word: Float32Array.of(1, 2) }, 2, Math.sqrt(3))]).toEqual([
      Math.fround(Math.sqrt(3)),
      2 * Math.fround(Math.sqrt(3)),
    ]);
    expect([...word]).toEqual([1, 2 ** 24]);
    expect(() => composeRows({ word, position: new Float32Array(3) }, 1)).toThrow(EmbError);
  });

  it('decompose into shares that add up to one', () => {
    const [word, position] = decomposeRows([Float32Array.of(3, 0, 0, 0), Float32Array.of(0, 4, 0, 0)], 2);
    expect([...word.norms]).toEqual([3, 0]);
    expect(word.shares[0]).toBeCloseTo(9 / 25, 15);
    expect(position.shares[0]).toBeCloseTo(16 / 25, 15);
    expect(word.shares[1]).toBeNaN();
    const value = fc.float({ min: -10, max: 10, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 12, maxLength: 12 }), (values) => {
        const parts = [0, 4, 8].map((at) => Float32Array.from(values.slice(at, at + 4)));
        const shares = decomposeRows(parts, 4).map((part) => part.shares[0]);
        const sum = shares.reduce((total, share) => total + share, 0);
        expect(Number.isNaN(sum) || Math.abs(sum - 1) < 1e-6).toBe(true);
      }),
      { seed: 3 },
    );
  });
});

describe('cosines', () => {
  it('are symmetric, scale-free and between -1 and 1', () => {
    const value = fc.float({ min: Math.fround(0.01), max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 6, maxLength: 6 }), (values) => {
        const rows = Float32Array.from(values.map((x, i) => (i % 2 ? x : -x)));
        const cosines = pairwiseCosines(rows, 3);
        expect(cosines[1]).toBe(cosines[2]);
        expect(cosines[0]).toBe(1);
        expect(Math.abs(cosines[1])).toBeLessThanOrEqual(1);
        const scaled = pairwiseCosines(
          rows.map((x, i) => (i < 3 ? x * 4 : x)),
          3,
        );
        expect(scaled[1]).toBeCloseTo(cosines[1], 12);
      }),
      { seed: 4 },
    );
  });

  it('are unknown for a row of zeros', () => {
    const cosines = pairwiseCosines(Float32Array.of(1, 0, 0, 0, 1, 1), 2);
    expect(cosines[1]).toBeNaN();
    expect(cosines[4]).toBeNaN();
    expect(cosines[2]).toBeCloseTo(Math.SQRT1_2, 15);
  });
});
