// Source: dequantize_row_* in ggml/src/ggml-quants.c, blocks in ggml/src/ggml-common.h. Products of a scale and a quant are exact in
// float64 and in float32, so rounding once when stored gives what float32 arithmetic gives.
import { type Decode, half } from './half.ts';

/**
 * Block: 32 weights in 18 bytes; w = d (q - 8)
 *   0..1   d     float16
 *   2..17  q     byte j: weight j in the lower half, weight j + 16 in the upper
 */
const q4_0: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 18) {
    const d = half(src[at], src[at + 1]);
    for (let j = at + 2; j < at + 18; j++) {
      const pair = src[j];
      out[to] = d * ((pair & 15) - 8);
      out[to + 16] = d * ((pair >> 4) - 8);
      to++;
    }
    to += 16;
  }
};

/**
 * Block: 32 weights in 20 bytes; w = d q + m
 *   0..1   d     float16
 *   2..3   m     float16
 *   4..19  q     as in Q4_0
 */
const q4_1: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 20) {
    const d = half(src[at], src[at + 1]);
    const m = half(src[at + 2], src[at + 3]);
    for (let j = at + 4; j < at + 20; j++) {
      const pair = src[j];
      out[to] = d * (pair & 15) + m;
      out[to + 16] = d * (pair >> 4) + m;
      to++;
    }
    to += 16;
  }
};

/**
 * Block: 32 weights in 22 bytes; w = d (q - 16)
 *   0..1   d     float16
 *   2..5   high  uint32, bit j: the fifth bit of weight j
 *   6..21  q     as in Q4_0
 */
const q5_0: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 22) {
    const d = half(src[at], src[at + 1]);
    let low = src[at + 2] | (src[at + 3] << 8);
    let high = src[at + 4] | (src[at + 5] << 8);
    for (let j = at + 6; j < at + 22; j++) {
      const pair = src[j];
      out[to] = d * (((pair & 15) | ((low & 1) << 4)) - 16);
      out[to + 16] = d * (((pair >> 4) | ((high & 1) << 4)) - 16);
      low >>= 1;
      high >>= 1;
      to++;
    }
    to += 16;
  }
};

/**
 * Block: 32 weights in 24 bytes; w = d q + m
 *   0..1   d     float16
 *   2..3   m     float16
 *   4..7   high  as in Q5_0
 *   8..23  q     as in Q4_0
 */
const q5_1: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 24) {
    const d = half(src[at], src[at + 1]);
    const m = half(src[at + 2], src[at + 3]);
    let low = src[at + 4] | (src[at + 5] << 8);
    let high = src[at + 6] | (src[at + 7] << 8);
    for (let j = at + 8; j < at + 24; j++) {
      const pair = src[j];
      out[to] = d * ((pair & 15) | ((low & 1) << 4)) + m;
      out[to + 16] = d * ((pair >> 4) | ((high & 1) << 4)) + m;
      low >>= 1;
      high >>= 1;
      to++;
    }
    to += 16;
  }
};

/**
 * Block: 32 weights in 34 bytes; w = d q
 *   0..1   d     float16
 *   2..33  q     int8
 */
const q8_0: Decode = (src, out) => eightBits(src, out, 34, 2);

/**
 * Block: 32 weights in 36 bytes; w = d q. ggml makes it of activations only; gguf-py gives it 40 bytes and does not decode it.
 *   0..1   d     float16
 *   2..3   s     float16, d times the sum of q
 *   4..35  q     int8
 */
const q8_1: Decode = (src, out) => eightBits(src, out, 36, 4);

function eightBits(src: Uint8Array, out: Float32Array, blockBytes: number, header: number): void {
  const quants = new Int8Array(src.buffer, src.byteOffset, src.length);
  let to = 0;
  for (let at = 0; at < src.length; at += blockBytes) {
    const d = half(src[at], src[at + 1]);
    const end = at + blockBytes;
    for (let j = at + header; j < end; j += 4) {
      out[to] = d * quants[j];
      out[to + 1] = d * quants[j + 1];
      out[to + 2] = d * quants[j + 2];
      out[to + 3] = d * quants[j + 3];
      to += 4;
    }
  }
}

export const decoders: Record<string, Decode> = {
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q8_0: q8_0,
  Q8_1: q8_1,
};
