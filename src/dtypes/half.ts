/** 2^(e - 25) by the upper six bits of a binary16, sign and exponent; of the largest exponent: infinity. */
const scales = Float64Array.from({ length: 64 }, (_, bits) => {
  const exponent = bits & 31;
  const scale = exponent === 31 ? Number.POSITIVE_INFINITY : 2 ** (Math.max(exponent, 1) - 25);
  return bits & 32 ? -scale : scale;
});

/** The binary16 of two bytes, as the scales of blocks are stored. */
export function half(low: number, high: number): number {
  const mantissa = ((high & 3) << 8) | low;
  const exponent = high & 0x7c;
  if (exponent === 0) return mantissa * scales[high >> 2];
  if (exponent === 0x7c && mantissa !== 0) return Number.NaN;
  return (1024 + mantissa) * scales[high >> 2];
}

/** Decodes src.length / blockBytes blocks. */
export type Decode = (src: Uint8Array, out: Float32Array) => void;
