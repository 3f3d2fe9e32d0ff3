import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exponentialText, fixedText } from '../../src/text/half-even.ts';

const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/text/shortest.json', import.meta.url), 'utf8'),
) as {
  rounded: [number, number, string, string][];
};

describe('rounding to a number of decimals', () => {
  it('agrees with Python to the character, ties, signs and huge values included', () => {
    expect(fixture.rounded.length).toBeGreaterThan(500);
    for (const [bits, digits, fixed, exponential] of fixture.rounded) {
      const value = new Float32Array(Uint32Array.of(bits).buffer)[0];
      expect([bits, digits, fixedText(value, digits)]).toEqual([bits, digits, fixed]);
      expect([bits, digits, exponentialText(value, digits)]).toEqual([bits, digits, exponential]);
    }
  });

  it('sends ties to even, where JavaScript sends them up', () => {
    expect(fixedText(0.03125, 4)).toBe('0.0312');
    expect((0.03125).toFixed(4)).toBe('0.0313');
    expect(exponentialText(12345, 3)).toBe('1.234e+04');
  });

  it('spells what is no number as Python does', () => {
    expect([Number.NaN, Infinity, -Infinity].map((value) => fixedText(value, 4))).toEqual([
      'nan',
      'inf',
      '-inf',
    ]);
    expect([Number.NaN, Infinity, -Infinity].map((value) => exponentialText(value, 4))).toEqual([
      'nan',
      'inf',
      '-inf',
    ]);
  });
});
