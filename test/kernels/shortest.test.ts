import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadShortestKernel, type ShortestKernel } from '../../src/kernels/shortest.ts';
import { longestShortest, writeShortest, writeShortestList } from '../../src/text/shortest.ts';

const writeOne = (value: number, out: Uint8Array, at: number) => writeShortest(value, out, at, 'plain');

let kernel: ShortestKernel;
beforeAll(async () => {
  kernel = (await loadShortestKernel())!;
});

function plain(values: Float32Array): string {
  const out = new Uint8Array(values.length * (longestShortest + 1));
  return Buffer.from(
    out.buffer,
    0,
    writeShortestList(values, 0, values.length, 44, out, 0, 'plain'),
  ).toString();
}

function fast(values: Float32Array): string {
  const out = new Uint8Array(values.length * (longestShortest + 1));
  return Buffer.from(
    out.buffer,
    0,
    kernel.writeList(values, 0, values.length, 44, out, 0, writeOne),
  ).toString();
}

function patterns(count: number, seed: number, of: (word: number) => number): Float32Array {
  let state = seed;
  const words = Uint32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return of((state ^ (state >>> 15)) >>> 0);
  });
  return new Float32Array(words.buffer);
}

describe('the WebAssembly kernel of shortest decimals', () => {
  it('agrees with the plain one on 2,000 numbers of every exponent, both signs, NaN and infinities included', () => {
    for (let exponent = 0; exponent < 256; exponent++) {
      const values = patterns(2000, exponent, (word) => (word & 0x807fffff) | (exponent << 23));
      expect({ exponent, same: fast(values) === plain(values) }).toEqual({ exponent, same: true });
    }
  });

  it('agrees on 500,000 numbers such as embeddings hold', () => {
    const values = patterns(500_000, 9, (word) => (word & 0x807fffff) | ((117 + ((word >>> 23) % 12)) << 23));
    expect(fast(values) === plain(values)).toBe(true);
  });

  it('agrees on short decimals, whose zeros go', () => {
    const values = Float32Array.from(
      { length: 200_000 },
      (_, index) => (index - 100_000) / 10 ** (index % 9),
    );
    expect(fast(values) === plain(values)).toBe(true);
  });

  it('agrees around powers of ten and of two', () => {
    const centers = Array.from({ length: 60 }, (_, index) => [10 ** (index - 30), 2 ** (index - 30)]).flat();
    const bits = new Uint32Array(Float32Array.from(centers).buffer);
    const near = Array.from(bits).flatMap((center) =>
      Array.from({ length: 41 }, (_, step) => center + step - 20),
    );
    const values = new Float32Array(Uint32Array.from(near).buffer);
    expect(fast(values)).toBe(plain(values));
  });

  it('agrees on any list, of any length and at any place', () => {
    fc.assert(
      fc.property(fc.array(fc.float()), fc.nat(5), (given, at) => {
        const values = Float32Array.from(given);
        const out = new Uint8Array(at + values.length * (longestShortest + 1) + 1).fill(46);
        const end = kernel.writeList(values, 0, values.length, 44, out, at, writeOne);
        expect(Buffer.from(out.subarray(0, at)).toString()).toBe('.'.repeat(at));
        expect(Buffer.from(out.subarray(at, end)).toString()).toBe(plain(values));
      }),
      { seed: 11, numRuns: 500 },
    );
  });
});
