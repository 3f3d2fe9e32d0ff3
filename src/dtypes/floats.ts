import type { DType } from '../types.ts';
import { aligned } from './unaligned.ts';

/**
 * Block: one weight, IEEE 754 binary32, little endian.
 *   byte 0..3  mantissa 23, exponent 8, sign 1
 */
export const f32: DType = {
  name: 'F32',
  blockWeights: 1,
  blockBytes: 4,
  decode(src, out) {
    // Bytes, not values: a signaling NaN keeps its payload.
    new Uint8Array(out.buffer, out.byteOffset, src.length).set(src);
  },
};

/**
 * Block: one weight, IEEE 754 binary64, little endian. Rounded once, to the nearest float32, ties to even.
 *   byte 0..7  mantissa 52, exponent 11, sign 1
 */
export const f64: DType = {
  name: 'F64',
  blockWeights: 1,
  blockBytes: 8,
  rounds: true,
  decode(src, out) {
    const bytes = aligned(src, 8);
    out.set(new Float64Array(bytes.buffer, bytes.byteOffset, src.length / 8));
  },
};

/**
 * Block: one weight, the upper half of a binary32.
 *   byte 0..1  mantissa 7, exponent 8, sign 1
 * Cost: two weights per 32-bit read, which is twice as fast as one.
 */
export const bf16: DType = {
  name: 'BF16',
  blockWeights: 1,
  blockBytes: 2,
  decode(src, out) {
    const bytes = aligned(src, 4);
    const count = src.length >> 1;
    const pairs = count >> 1;
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, pairs);
    const bits = new Int32Array(out.buffer, out.byteOffset, count);
    let at = 0;
    let word = 0;
    for (; word + 1 < pairs; word += 2) {
      const first = words[word];
      const second = words[word + 1];
      bits[at] = first << 16;
      bits[at + 1] = first & 0xffff0000;
      bits[at + 2] = second << 16;
      bits[at + 3] = second & 0xffff0000;
      at += 4;
    }
    for (; at < count; at++) bits[at] = (bytes[2 * at] << 16) | (bytes[2 * at + 1] << 24);
  },
};

/** Below this many weights the table is not worth building. */
const tableWorth = 1 << 15;
let table: Uint32Array | undefined;

/**
 * Block: one weight, IEEE 754 binary16.
 *   byte 0..1  mantissa 10, exponent 5, sign 1
 * Cost: a table of 65,536 entries once it pays, computed bits before.
 */
export const f16: DType = {
  name: 'F16',
  blockWeights: 1,
  blockBytes: 2,
  decode(src, out) {
    const bytes = aligned(src, 2);
    const count = src.length >> 1;
    const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, count);
    const bits = new Uint32Array(out.buffer, out.byteOffset, count);
    if (table === undefined && count >= tableWorth) {
      table = new Uint32Array(65_536);
      for (let half = 0; half < 65_536; half++) table[half] = floatBits(half);
    }
    if (table === undefined) {
      for (let at = 0; at < count; at++) bits[at] = floatBits(halves[at]);
    } else {
      lookUp(halves, bits, table, count);
    }
  },
};

function lookUp(halves: Uint16Array, bits: Uint32Array, values: Uint32Array, count: number): void {
  let at = 0;
  for (; at + 3 < count; at += 4) {
    bits[at] = values[halves[at]];
    bits[at + 1] = values[halves[at + 1]];
    bits[at + 2] = values[halves[at + 2]];
    bits[at + 3] = values[halves[at + 3]];
  }
  for (; at < count; at++) bits[at] = values[halves[at]];
}

/** The bits of the float32 that equals a binary16; NaN payloads are kept in the upper bits. */
function floatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (mantissa << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (mantissa << 13);
  if (mantissa === 0) return sign;
  // A subnormal m * 2^-24 is normal in float32: shift its leading bit to the hidden place.
  const shift = Math.clz32(mantissa) - 21;
  return sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13);
}
