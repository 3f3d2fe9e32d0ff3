import type { Report } from '../types.ts';

/** A dtype that vectors are printed or written in. */
export type VectorDtype = NonNullable<Report['vectors']>['dtype'];

export const dtypeBytes: Readonly<Record<VectorDtype, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float64: 8,
};

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/**
 * The bits of the nearest float16, ties to even; beyond 65,520 infinity; the top of a NaN's payload is kept.
 *
 * Source: IEEE 754-2019 binary16; NumPy's npy_floatbits_to_halfbits.
 */
function float16Bits(floatBits: number): number {
  const sign = (floatBits >>> 16) & 0x8000;
  const exponent = (floatBits >>> 23) & 255;
  const fraction = floatBits & 0x7fffff;
  if (exponent === 255) return sign | 0x7c00 | (fraction === 0 ? 0 : Math.max(1, fraction >>> 13));
  if (exponent >= 143) return sign | 0x7c00;
  if (exponent > 112) {
    // A carry out of the fraction raises the exponent, up to infinity: that is the right result.
    return sign | roundShift(((exponent - 112) << 23) | fraction, 13);
  }
  // Below 2^-14 the unit stays 2^-24; below 2^-25 everything is zero.
  if (exponent < 102) return sign;
  return sign | roundShift(fraction | 0x800000, 126 - exponent);
}

/**
 * The bits of the nearest bfloat16, ties to even; a NaN stays one, quiet.
 *
 * Source: bfloat16 is the upper half of a float32.
 */
function bfloat16Bits(floatBits: number): number {
  if ((floatBits & 0x7fffffff) > 0x7f800000) return (floatBits >>> 16) | 0x40;
  return roundShift(floatBits, 16) & 0xffff;
}

function roundShift(bits: number, shift: number): number {
  const kept = bits >>> shift;
  const half = 2 ** (shift - 1);
  const rest = (bits >>> 0) % (2 * half);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}

/** The value of float16 bits. */
export function float16Value(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** One value rounded to a dtype. */
export function roundValue(value: number, dtype: VectorDtype): number {
  if (dtype === 'float64' || Number.isNaN(value)) return value;
  scratch[0] = value;
  if (dtype === 'float16') return float16Value(float16Bits(scratchBits[0]));
  if (dtype === 'bfloat16') scratchBits[0] = bfloat16Bits(scratchBits[0]) << 16;
  return scratch[0];
}

/** Values as a dtype can hold them: the array itself when it holds all, a rounded copy otherwise. */
export function roundValues(values: Float32Array, dtype: VectorDtype): Float32Array {
  return dtype === 'float32' || dtype === 'float64'
    ? values
    : values.map((value) => roundValue(value, dtype));
}

/** Values as little-endian bytes of a dtype; a view of the values themselves for float32. */
export function encodeValues(values: Float32Array, dtype: VectorDtype): Uint8Array {
  if (dtype === 'float32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (dtype === 'float64') return new Uint8Array(Float64Array.from(values).buffer);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const encoded = new Uint16Array(values.length);
  const narrow = dtype === 'float16' ? float16Bits : bfloat16Bits;
  for (let index = 0; index < bits.length; index++) encoded[index] = narrow(bits[index]);
  return new Uint8Array(encoded.buffer);
}

/** True when a value is NaN or infinite; most arrays have none, so all are looked at. */
export function hasNonFinite(values: Float32Array): boolean {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let index = 0; index < bits.length; index++) {
    if ((bits[index] & 0x7f800000) === 0x7f800000) return true;
  }
  return false;
}
