// Source: dequantize_row_*_K in ggml/src/ggml-quants.c, blocks in ggml/src/ggml-common.h. Scale times quant is exact in float64 and in
// float32 (at most 23 bits), so rounding once when stored gives what float32 arithmetic gives.
import { type Decode, half } from './half.ts';

/**
 * Block: 256 weights in 84 bytes; w = d s q - dmin m, s and m for every 16 weights
 *   0..15   sm    byte i: s of group i in the lower half, m in the upper
 *   16..79  q     32 bytes for 128 weights: byte l holds weights l, l + 32, l + 64, l + 96, two bits each from the lowest
 *   80..81  d     float16
 *   82..83  dmin  float16
 */
const q2_K: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 84) {
    const d = half(src[at + 80], src[at + 81]);
    const dmin = half(src[at + 82], src[at + 83]);
    for (let group = 0; group < 16; group++) {
      const packed = src[at + group];
      const scale = d * (packed & 15);
      const min = dmin * (packed >> 4);
      const shift = group & 6;
      const first = at + 16 + ((group >> 3) << 5) + ((group & 1) << 4);
      for (let j = first; j < first + 16; j += 2) {
        out[to] = scale * ((src[j] >> shift) & 3) - min;
        out[to + 1] = scale * ((src[j + 1] >> shift) & 3) - min;
        to += 2;
      }
    }
  }
};

/**
 * Block: 256 weights in 110 bytes; w = d (s - 32) (q - 4), s for every 16 weights
 *   0..31    high   byte l: the third bit of weights l, l + 32, ... l + 224, from the lowest
 *   32..95   q      the lower two bits, as in Q2_K
 *   96..107  s      sixteen of 6 bits: lower four in bytes 0..7 (s of group i, of i + 8 above it), upper two in bytes 8..11
 *                   (of groups i, i + 4, i + 8, i + 12, from the lowest)
 *   108..109 d      float16
 */
const q3_K: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 110) {
    const d = half(src[at + 108], src[at + 109]);
    for (let group = 0; group < 16; group++) {
      const low = (src[at + 96 + (group & 7)] >> ((group >> 3) << 2)) & 15;
      const high = (src[at + 104 + (group & 3)] >> ((group >> 2) << 1)) & 3;
      const scale = d * ((low | (high << 4)) - 32);
      const shift = group & 6;
      const bit = group >> 1;
      let h = at + ((group & 1) << 4);
      const first = at + 32 + ((group >> 3) << 5) + ((group & 1) << 4);
      for (let j = first; j < first + 16; j += 2) {
        out[to] = scale * (((src[j] >> shift) & 3) + (((src[h] >> bit) & 1) << 2) - 4);
        out[to + 1] = scale * (((src[j + 1] >> shift) & 3) + (((src[h + 1] >> bit) & 1) << 2) - 4);
        h += 2;
        to += 2;
      }
    }
  }
};

/**
 * Block: 256 weights in 144 bytes; w = d s q - dmin m, s and m for every 32 weights
 *   0..1     d     float16
 *   2..3     dmin  float16
 *   4..15    sm    eight s and eight m of 6 bits. Groups 0..3: the lower six bits of bytes i and i + 4; groups 4..7: the lower four
 *                  are the halves of byte i + 4, the upper two the highest bits of bytes i - 4 (s) and i (m)
 *   16..143  q     32 bytes for 64 weights: byte l holds weight l in the lower half, l + 32 in the upper
 */
const q4_K: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 144) {
    const d = half(src[at], src[at + 1]);
    const dmin = half(src[at + 2], src[at + 3]);
    for (let pair = 0; pair < 8; pair += 2) {
      const lowScale = d * scaleOf(src, at + 4, pair);
      const lowMin = dmin * minOf(src, at + 4, pair);
      const highScale = d * scaleOf(src, at + 4, pair + 1);
      const highMin = dmin * minOf(src, at + 4, pair + 1);
      const first = at + 16 + pair * 16;
      for (let j = first; j < first + 32; j++) {
        const both = src[j];
        out[to] = lowScale * (both & 15) - lowMin;
        out[to + 32] = highScale * (both >> 4) - highMin;
        to++;
      }
      to += 32;
    }
  }
};

/**
 * Block: 256 weights in 176 bytes; w = d s q - dmin m, s and m for every 32 weights
 *   0..15    d, dmin, sm as in Q4_K
 *   16..47   high  byte l: the fifth bit of weights l, l + 32, ... l + 224, from the lowest
 *   48..175  q     the lower four bits, as in Q4_K
 */
const q5_K: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 176) {
    const d = half(src[at], src[at + 1]);
    const dmin = half(src[at + 2], src[at + 3]);
    for (let pair = 0; pair < 8; pair += 2) {
      const lowScale = d * scaleOf(src, at + 4, pair);
      const lowMin = dmin * minOf(src, at + 4, pair);
      const highScale = d * scaleOf(src, at + 4, pair + 1);
      const highMin = dmin * minOf(src, at + 4, pair + 1);
      const first = at + 48 + pair * 16;
      let h = at + 16;
      for (let j = first; j < first + 32; j++) {
        const both = src[j];
        const bits = src[h++] >> pair;
        out[to] = lowScale * ((both & 15) | ((bits & 1) << 4)) - lowMin;
        out[to + 32] = highScale * ((both >> 4) | ((bits & 2) << 3)) - highMin;
        to++;
      }
      to += 32;
    }
  }
};

function scaleOf(src: Uint8Array, at: number, group: number): number {
  if (group < 4) return src[at + group] & 63;
  return (src[at + group + 4] & 15) | ((src[at + group - 4] >> 6) << 4);
}

function minOf(src: Uint8Array, at: number, group: number): number {
  if (group < 4) return src[at + group + 4] & 63;
  return (src[at + group + 4] >> 4) | ((src[at + group] >> 6) << 4);
}

/**
 * Block: 256 weights in 210 bytes; w = d s (q - 32), s for every 16 weights
 *   0..127    low   64 bytes for 128 weights: byte l holds the lower four bits of weight l and of l + 64
 *   128..191  high  32 bytes for 128 weights: byte l holds the upper two bits of weights l, l + 32, l + 64, l + 96, from the lowest
 *   192..207  s     int8
 *   208..209  d     float16
 */
const q6_K: Decode = (src, out) => {
  const signed = new Int8Array(src.buffer, src.byteOffset, src.length);
  let to = 0;
  for (let at = 0; at < src.length; at += 210) {
    const d = half(src[at + 208], src[at + 209]);
    // Sixteen weights of four groups each time: l, l + 32, l + 64 and l + 96 share bytes.
    for (let part = 0; part < 4; part++) {
      const side = part & 1;
      const s = at + 192 + ((part >> 1) << 3) + side;
      const [a, b, c, e] = [d * signed[s], d * signed[s + 2], d * signed[s + 4], d * signed[s + 6]];
      let h = at + 128 + ((part >> 1) << 5) + (side << 4);
      const first = at + ((part >> 1) << 6) + (side << 4);
      for (let j = first; j < first + 16; j++) {
        const high = src[h++];
        const near = src[j];
        const far = src[j + 32];
        out[to] = a * (((near & 15) | ((high & 3) << 4)) - 32);
        out[to + 32] = b * (((far & 15) | ((high & 12) << 2)) - 32);
        out[to + 64] = c * (((near >> 4) | (high & 48)) - 32);
        out[to + 96] = e * (((far >> 4) | ((high & 192) >> 2)) - 32);
        to++;
      }
      if (side === 1) to += 96;
    }
  }
};

/**
 * Block: 256 weights in 292 bytes; w = d q. ggml makes it of activations only; gguf-py does not decode it.
 *   0..3      d     float32
 *   4..259    q     int8
 *   260..291  sums  int16, of every 16 q
 */
const q8_K: Decode = (src, out) => {
  const view = new DataView(src.buffer, src.byteOffset, src.length);
  const quants = new Int8Array(src.buffer, src.byteOffset, src.length);
  let to = 0;
  for (let at = 0; at < src.length; at += 292) {
    const d = view.getFloat32(at, true);
    for (let j = at + 4; j < at + 260; j += 4) {
      out[to] = d * quants[j];
      out[to + 1] = d * quants[j + 1];
      out[to + 2] = d * quants[j + 2];
      out[to + 3] = d * quants[j + 3];
      to += 4;
    }
  }
};

export const decoders: Record<string, Decode> = {
  Q2_K: q2_K,
  Q3_K: q3_K,
  Q4_K: q4_K,
  Q5_K: q5_K,
  Q6_K: q6_K,
  Q8_K: q8_K,
};
