// Source: OCP 8-bit Floating Point Specification v1.0 (E4M3, E5M2); Microscaling Formats v1.0 (E8M0); Noune et al. 2022,
// "8-bit Numerical Formats for Deep Neural Networks" (FNUZ: no infinities, and what would be -0 is the one NaN).
import type { Decode } from './half.ts';

interface Float8 {
  exponentBits: number;
  bias: number;
  /** The value of a byte whose exponent and mantissa are no plain number; undefined for a plain one. */
  special(bits: number): number | undefined;
}

/** The 256 values of a dtype of sign, exponent and mantissa. */
function valuesOf({ exponentBits, bias, special }: Float8): Float32Array {
  const mantissaBits = 7 - exponentBits;
  return Float32Array.from({ length: 256 }, (_, bits) => {
    const known = special(bits);
    if (known !== undefined) return known;
    const sign = bits & 0x80 ? -1 : 1;
    const exponent = (bits & 0x7f) >> mantissaBits;
    const fraction = (bits & ((1 << mantissaBits) - 1)) / (1 << mantissaBits);
    return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
  });
}

const onlyNaN = (bits: number) => (bits === 0x80 ? Number.NaN : undefined);

/**
 * Block: one weight: sign 1, exponent 4, mantissa 3; no infinities, 0x7f and 0xff are NaN
 */
const e4m3 = () =>
  valuesOf({
    exponentBits: 4,
    bias: 7,
    special: (bits) => ((bits & 0x7f) === 0x7f ? Number.NaN : undefined),
  });

/**
 * Block: one weight: sign 1, exponent 5, mantissa 2, the upper half of a binary16
 */
const e5m2 = () =>
  valuesOf({
    exponentBits: 5,
    bias: 15,
    special(bits) {
      if ((bits & 0x7c) !== 0x7c) return undefined;
      if (bits & 3) return Number.NaN;
      return bits & 0x80 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    },
  });

/**
 * Block: one weight: exponent 8, the power of two 2^(e - 127); 0xff is NaN
 */
const e8m0 = () =>
  Float32Array.from({ length: 256 }, (_, bits) => (bits === 0xff ? Number.NaN : 2 ** (bits - 127)));

/** A decoder by a table that is built when first used. */
function lookUp(values: () => Float32Array): Decode {
  let single: Int32Array | undefined;
  return (src, out) => {
    single ??= new Int32Array(values().buffer);
    const bits = new Int32Array(out.buffer, out.byteOffset, src.length);
    const table = single;
    const wide = src.length & ~3;
    let at = 0;
    for (; at < wide; at += 4) {
      bits[at] = table[src[at]];
      bits[at + 1] = table[src[at + 1]];
      bits[at + 2] = table[src[at + 2]];
      bits[at + 3] = table[src[at + 3]];
    }
    for (; at < src.length; at++) bits[at] = table[src[at]];
  };
}

export const decoders: Record<string, Decode> = {
  F8_E4M3: lookUp(e4m3),
  F8_E5M2: lookUp(e5m2),
  F8_E8M0: lookUp(e8m0),
  F8_E4M3FNUZ: lookUp(() => valuesOf({ exponentBits: 4, bias: 8, special: onlyNaN })),
  F8_E5M2FNUZ: lookUp(() => valuesOf({ exponentBits: 5, bias: 16, special: onlyNaN })),
};
