import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float16Value, roundValue } from '../../src/render/narrow.ts';
import { longestShortest, shortestText, writeShortest, writeShortestList } from '../../src/text/shortest.ts';

const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/text/shortest.json', import.meta.url), 'utf8'),
) as {
  groups: Record<string, string>;
  exponents: Record<string, string>;
  samples: [number, string][];
};

const newline = 10;

function floatsOf(bits: number[]): Float32Array {
  return new Float32Array(Uint32Array.from(bits).buffer).filter(Number.isFinite);
}

function write(values: Float32Array, style: 'json' | 'plain' = 'plain', separator = newline): string {
  const out = new Uint8Array(values.length * (longestShortest + 1));
  const end = writeShortestList(values, 0, values.length, separator, out, 0, style);
  return Buffer.from(out.buffer, 0, end).toString('latin1');
}

function digest(bits: number[]): string {
  return createHash('sha256')
    .update(write(floatsOf(bits)))
    .digest('hex');
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

/** The generator of fixtures/make/shortest.py. */
function mantissas(seed: number, count: number): number[] {
  let state = seed;
  return range(0, count).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 9;
  });
}

function bitsOf(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0];
}

describe('the shortest decimal of a float32', () => {
  it.each(fixture.samples)('of bits %i is %s, as in NumPy', (bits, text) => {
    expect(write(floatsOf([bits]))).toBe(text);
    expect(shortestText(floatsOf([bits])[0])).toBe(text);
  });

  it('has the digits of NumPy for every bfloat16', () => {
    expect(digest(range(0, 65536).map((high) => high * 65536))).toBe(fixture.groups['every bfloat16']);
  });

  it('has the digits of NumPy for every float16', () => {
    const bits = range(0, 65536).map(float16Value).filter(Number.isFinite).map(bitsOf);
    expect(digest(bits)).toBe(fixture.groups['every float16']);
  });

  it('has the digits of NumPy for every float16 when it rounds to float16', () => {
    const values = range(0, 65536).map(float16Value).filter(Number.isFinite);
    const texts = values.map((value) => shortestText(value, (near) => roundValue(near, 'float16')));
    const found = createHash('sha256').update(texts.join('\n')).digest('hex');
    expect(found).toBe(fixture.groups['every float16 as a float16']);
  });

  it('has the digits of NumPy around every power of two', () => {
    const bits = range(1, 255).flatMap((e) => range(-8, 9).map((d) => e * 2 ** 23 + d));
    expect(digest(bits)).toBe(fixture.groups['around every power of two']);
  });

  it('has the digits of NumPy around every power of ten', () => {
    const bits = range(-45, 39).flatMap((power) => {
      const center = bitsOf(Number(`1e${power}`));
      return range(-8, 9).map((d) => center + d);
    });
    expect(digest(bits.filter((b) => b >= 0))).toBe(fixture.groups['around every power of ten']);
  });

  it('has the digits of NumPy for subnormals', () => {
    expect(digest(range(0, 20000))).toBe(fixture.groups['the first 20000 subnormals']);
  });

  it('has the digits of NumPy for 2,000 mantissas of every exponent', () => {
    const found = range(0, 255).map((e) => {
      const bits = mantissas(e, 2000).map((mantissa) => e * 2 ** 23 + mantissa);
      return [String(e), digest(bits).slice(0, 16)];
    });
    expect(Object.fromEntries(found)).toEqual(fixture.exponents);
  });

  it('is never 0.10000000149011612', () => {
    expect(write(Float32Array.of(0.1, 0.12, -0.3, 1e-7, 1e21, 1.5e-8, 123456.7, 3.4028235e38))).toBe(
      '0.1\n0.12\n-0.3\n1e-7\n1e+21\n1.5e-8\n123456.7\n3.4028235e+38',
    );
  });

  it('keeps the sign of zero, and JSON reads it', () => {
    expect(write(Float32Array.of(-0, 0))).toBe('-0\n0');
    expect(Object.is(JSON.parse('-0'), -0)).toBe(true);
  });

  it('is null in JSON and nan, inf, -inf elsewhere for what is no number', () => {
    const odd = new Float32Array(Uint32Array.of(0x7fc00000, 0xffc00000, 0x7f800000, 0xff800000).buffer);
    expect(write(odd, 'json')).toBe('null\nnull\nnull\nnull');
    expect(write(odd, 'plain')).toBe('nan\nnan\ninf\n-inf');
  });

  it('is what JSON.parse gives back as the same float32, and what JavaScript would print', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = write(Float32Array.of(value), 'json');
        const read = JSON.parse(text) as number;
        expect(Object.is(Math.fround(read), value)).toBe(true);
        if (!Object.is(value, -0)) expect(String(read)).toBe(text);
      }),
      { seed: 1, numRuns: 3000 },
    );
  });

  it('fits the room it promises, whatever the value', () => {
    const longest = Math.max(
      ...range(0, 255).flatMap((e) =>
        write(floatsOf(mantissas(e, 50).map((m) => 2 ** 31 + e * 2 ** 23 + m)))
          .split('\n')
          .map((text) => text.length),
      ),
    );
    expect(longest).toBeLessThanOrEqual(longestShortest);
    expect(longest).toBeGreaterThan(16);
  });

  it('puts the separator between values only, and writes where it is told', () => {
    const out = new Uint8Array(100).fill(46);
    const end = writeShortestList(Float32Array.of(9, 1, 2, 9), 1, 3, 44, out, 2, 'plain');
    expect(Buffer.from(out.subarray(0, 6)).toString()).toBe('..1,2.');
    expect(end).toBe(5);
    expect(writeShortestList(Float32Array.of(1), 1, 1, 44, out, 7, 'plain')).toBe(7);
    expect(writeShortest(0.5, out, 0, 'plain')).toBe(3);
  });
});
