import { describe, expect, it } from 'vitest';
import {
  formatCount,
  formatCountWithShort,
  formatNumber,
  formatShare,
  formatShort,
  formatSize,
  largestFinite,
  numberStyle,
} from '../../src/text/numbers.ts';

describe('formatNumber', () => {
  it.each([
    [0.12344999, '0.1234'],
    [-0.5, '-0.5000'],
    [12.345678, '12.3457'],
    [99999.4, '99999.4000'],
    [100000, '1.0000e+5'],
    [0.001, '0.0010'],
    [0.00099, '9.9000e-4'],
    [1e-45, '1.0000e-45'],
    [0, '0.0000'],
    [-0, '-0.0000'],
    [Number.NaN, 'nan'],
    [Number.POSITIVE_INFINITY, 'inf'],
    [Number.NEGATIVE_INFINITY, '-inf'],
  ])('writes %d as %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it('follows the precision asked for', () => {
    expect(formatNumber(1 / 3, 2)).toBe('0.33');
    expect(formatNumber(1 / 3, 8)).toBe('0.33333333');
    expect(formatNumber(12.7, 0)).toBe('13');
    expect(formatNumber(0.3, 0)).toBe('3e-1');
  });
});

describe('numberStyle', () => {
  it('writes all numbers of a matrix in the notation of its largest', () => {
    expect([0.1, -0.00004, 0, -0].map(numberStyle(0.1))).toEqual(['0.1000', '-0.0000', '0.0000', '-0.0000']);
    expect([1e-5, -2e-6, 0].map(numberStyle(1e-5))).toEqual(['1.0000e-5', '-2.0000e-6', '0.0000']);
    expect([3e7, 1].map(numberStyle(3e7, 2))).toEqual(['3.00e+7', '1.00e+0']);
    expect([0, Number.NaN].map(numberStyle(0, 2))).toEqual(['0.00', 'nan']);
  });

  it('goes by the largest finite value', () => {
    expect(largestFinite([Number.NaN, -3, 2, Number.NEGATIVE_INFINITY])).toBe(3);
    expect(largestFinite([])).toBe(0);
  });
});

describe('counts, sizes and shares', () => {
  it('separates thousands', () => {
    expect(formatCount(0)).toBe('0');
    expect(formatCount(-0)).toBe('0');
    expect(formatCount(999)).toBe('999');
    expect(formatCount(38400000)).toBe('38,400,000');
    expect(formatCount(-1234)).toBe('-1,234');
    expect(formatCount(2n ** 64n)).toBe('18,446,744,073,709,551,616');
    expect(formatCount(1e21)).toBe('1,000,000,000,000,000,000,000');
    expect(formatCount(1.5)).toBe('1.5000');
  });

  it('gives the short form of what is too long to read', () => {
    expect(formatCountWithShort(38400000)).toBe('38,400,000 (38.4M)');
    expect(formatCountWithShort(50257)).toBe('50,257');
    expect(formatCountWithShort(175181291520n)).toBe('175,181,291,520 (175.2B)');
    expect(formatCountWithShort(Number.NaN)).toBe('nan');
  });

  it('never rounds a short form up to a thousand', () => {
    expect(formatShort(999_949_999)).toBe('999.9M');
    expect(formatShort(999_950_000)).toBe('1B');
    expect(formatShort(1000)).toBe('1k');
    expect(formatShort(999)).toBe('999');
    expect(formatShort(2e18)).toBe('2000000T');
  });

  it('writes bytes in binary units', () => {
    expect(formatSize(0)).toBe('0 B');
    expect(formatSize(1023)).toBe('1,023 B');
    expect(formatSize(1024)).toBe('1.0 KiB');
    expect(formatSize(153600000)).toBe('146.5 MiB');
    expect(formatSize(1024 ** 3 - 1)).toBe('1.0 GiB');
  });

  it('writes shares in per cent without losing small ones', () => {
    expect(formatShare(0.3102)).toBe('31.0%');
    expect(formatShare(1)).toBe('100.0%');
    expect(formatShare(0)).toBe('0%');
    expect(formatShare(0.00043)).toBe('0.043%');
    expect(formatShare(0.0097)).toBe('1.0%');
    expect(formatShare(2e-9)).toBe('2.0e-7%');
  });
});
