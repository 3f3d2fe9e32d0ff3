// Four-bit floats, alone and with a scale for each block.
// Source: OCP Microscaling Formats v1.0 (E2M1, E8M0); dequantize_row_mxfp4 and dequantize_row_nvfp4 in ggml/src/ggml-quants.c.
import type { Decode } from './half.ts';

/** E2M1: sign 1, exponent 2, mantissa 1; the values are 0, 0.5, 1, 1.5, 2, 3, 4, 6. */
const e2m1 = Float32Array.of(0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6);

/** ggml's table of the same, doubled: its minus zero is 0, and scales are halved. */
const doubled = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

/** E8M0, halved. */
const halvedPowers = Float64Array.from({ length: 256 }, (_, e) => 2 ** (e - 128));

/** E4M3, halved, as ggml reads it: the sign is passed over, but 0xff is a number where 0x7f is 0. */
const halvedE4m3 = Float64Array.from({ length: 256 }, (_, bits) => {
  if (bits === 0x7f) return 0;
  const exponent = (bits >> 3) & 15;
  const mantissa = bits & 7;
  return exponent === 0 ? mantissa * 2 ** -10 : (8 + mantissa) * 2 ** (exponent - 11);
});

/**
 * Block: two weights in a byte, the first in the lower half, as torch's float4_e2m1fn_x2 has them
 */
const f4: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at++) {
    out[to++] = e2m1[src[at] & 15];
    out[to++] = e2m1[src[at] >> 4];
  }
};

/**
 * Block: 32 weights in 17 bytes; w = 2^(e - 128) times the doubled E2M1
 *   0      e     a power of two
 *   1..16  q     byte j: weight j in the lower half, weight j + 16 in the upper
 */
const mxfp4: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 17) {
    const d = halvedPowers[src[at]];
    for (let j = at + 1; j < at + 17; j++) {
      out[to] = d * doubled[src[j] & 15];
      out[to + 16] = d * doubled[src[j] >> 4];
      to++;
    }
    to += 16;
  }
};

/**
 * Block: 64 weights in 36 bytes; w = d/2 times the doubled E2M1, d for every 16 weights
 *   0..3   d     E4M3 without sign; 0x7f is 0
 *   4..35  q     8 bytes for 16 weights: byte j holds weight j in the lower half, weight j + 8 in the upper
 */
const nvfp4: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 36) {
    for (let group = 0; group < 4; group++) {
      const d = halvedE4m3[src[at + group]];
      const first = at + 4 + group * 8;
      for (let j = first; j < first + 8; j++) {
        out[to] = d * doubled[src[j] & 15];
        out[to + 8] = d * doubled[src[j] >> 4];
        to++;
      }
      to += 8;
    }
  }
};

export const decoders: Record<string, Decode> = { F4: f4, MXFP4: mxfp4, NVFP4: nvfp4 };
