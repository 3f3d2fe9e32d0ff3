// Types with two to four values per weight. Source: dequantize_row_* in ggml/src/ggml-quants.c, blocks in ggml/src/ggml-common.h.
import { type Decode, half } from './half.ts';

/**
 * Block: 256 weights in 54 bytes; w = d (t - 1), t a digit of base 3
 *   0..31   five digits of 32 weights: byte l holds weights l, l + 32, ... l + 128, the first in the highest digit
 *   32..47  five digits of 16 weights: byte l holds weights 160 + l, 160 + l + 16, ... 160 + l + 64
 *   48..51  four digits: byte l holds weights 240 + l, 240 + l + 4, ... 240 + l + 12
 *   52..53  d     float16
 * A byte is the fraction t0/3 + t1/9 + ... in 256ths, rounded up: times 3^i mod 256 puts digit i first, times 3 makes it the carry.
 */
const tq1_0: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 54) {
    const d = half(src[at + 52], src[at + 53]);
    to = digits(src, at, 32, 5, out, to, d);
    to = digits(src, at + 32, 16, 5, out, to, d);
    to = digits(src, at + 48, 4, 4, out, to, d);
  }
};

function digits(
  src: Uint8Array,
  at: number,
  width: number,
  count: number,
  out: Float32Array,
  start: number,
  d: number,
): number {
  let to = start;
  let power = 1;
  for (let digit = 0; digit < count; digit++) {
    for (let j = at; j < at + width; j++) out[to++] = d * (((((src[j] * power) & 255) * 3) >> 8) - 1);
    power *= 3;
  }
  return to;
}

/**
 * Block: 256 weights in 66 bytes; w = d (q - 1)
 *   0..63   q     32 bytes for 128 weights: byte l holds weights l, l + 32, l + 64, l + 96, two bits each from the lowest
 *   64..65  d     float16
 */
const tq2_0: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 66) {
    const d = half(src[at + 64], src[at + 65]);
    for (let first = at; first < at + 64; first += 32) {
      for (let j = first; j < first + 32; j++) {
        const four = src[j];
        out[to] = d * ((four & 3) - 1);
        out[to + 32] = d * (((four >> 2) & 3) - 1);
        out[to + 64] = d * (((four >> 4) & 3) - 1);
        out[to + 96] = d * ((four >> 6) - 1);
        to++;
      }
      to += 96;
    }
  }
};

/**
 * Block: 128 weights in 18 bytes; w = d where the bit is set, else -d
 *   0..1   d     float16
 *   2..17  bits  from the lowest
 */
const q1_0: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 18) {
    const d = half(src[at], src[at + 1]);
    for (let j = at + 2; j < at + 18; j++) {
      for (let bit = 0; bit < 8; bit++) out[to++] = d * ((((src[j] >> bit) & 1) << 1) - 1);
    }
  }
};

/**
 * Block: 64 weights in 18 bytes; w = d (q - 1)
 *   0..1   d     float16
 *   2..17  q     two bits each, from the lowest
 */
const q2_0: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 18) {
    const d = half(src[at], src[at + 1]);
    for (let j = at + 2; j < at + 18; j++) {
      const four = src[j];
      out[to] = d * ((four & 3) - 1);
      out[to + 1] = d * (((four >> 2) & 3) - 1);
      out[to + 2] = d * (((four >> 4) & 3) - 1);
      out[to + 3] = d * ((four >> 6) - 1);
      to += 4;
    }
  }
};

export const decoders: Record<string, Decode> = { TQ1_0: tq1_0, TQ2_0: tq2_0, Q1_0: q1_0, Q2_0: q2_0 };
