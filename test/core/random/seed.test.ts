import { describe, expect, it } from 'vitest';
import { parseSeed } from '../../../src/core/random/seed.ts';
import { EmbError } from '../../../src/errors.ts';
import { hexOf, openNormals } from './golden.ts';

describe('seed', () => {
  it('is read exactly over the whole range that torch takes', () => {
    expect(parseSeed('-9223372036854775808')).toBe(-(2n ** 63n));
    expect(parseSeed('18446744073709551615')).toBe(2n ** 64n - 1n);
    expect(parseSeed('9007199254740993')).toBe(2n ** 53n + 1n);
    expect(parseSeed('+42')).toBe(42n);
    expect(parseSeed('0x2A')).toBe(42n);
    expect(parseSeed('-0x1')).toBe(-1n);
    expect(parseSeed('1_000')).toBe(1000n);
  });

  it.each([
    '-9223372036854775809',
    '18446744073709551616',
    '',
    '1.5',
    '1e3',
    'one',
    '--1',
    '0b1',
    '1__0',
    '١',
  ])('refuses %j for torch as usage', (text) => {
    expect(() => parseSeed(text)).toThrow(EmbError);
    expect(() => parseSeed(text)).toThrow(/--seed is .*, expected/);
    expect(() => parseSeed(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('of numpy may have any size but no sign', () => {
    expect(parseSeed('1'.repeat(200), 'numpy')).toBe(BigInt('1'.repeat(200)));
    expect(() => parseSeed('-1', 'numpy')).toThrow('--seed is -1, expected at least 0 for numpy');
  });

  it('counts in torch modulo 2^32, negative ones too', () => {
    const draw = (seed: bigint) => {
      const values = new Float32Array(40);
      openNormals('torch', seed, 40).draw(0, values);
      return hexOf(values);
    };
    expect(draw(-1n)).toBe(draw(2n ** 32n - 1n));
    expect(draw(2n ** 32n + 5n)).toBe(draw(5n));
    expect(draw(-(2n ** 63n))).toBe(draw(0n));
    expect(draw(1n)).not.toBe(draw(0n));
  });
});
