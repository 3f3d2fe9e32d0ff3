// Source: dequantize_row_*_K in ggml/src/ggml-quants.c, blocks in ggml/src/ggml-common.h. Scale times quant is exact in float64 and in
// float32 (at most 23 bits), so rounding once when stored gives what float32 arithmetic gives.
import { type Decode, half } from './half.ts';

/** The quants of a block, unpacked four at a time: what is done to a word is done to each of its bytes. */
const words = new Int32Array(64);
const quants = new Int8Array(words.buffer);

/** w = scale q of `count` quants. */
function put(out: Float32Array, to: number, from: number, count: number, scale: number): void {
  for (let i = 0; i < count; i += 4) {
    out[to + i] = scale * quants[from + i];
    out[to + i + 1] = scale * quants[from + i + 1];
    out[to + i + 2] = scale * quants[from + i + 2];
    out[to + i + 3] = scale * quants[from + i + 3];
  }
}

/** w = scale q - min of `count` quants. */
function putAbove(
  out: Float32Array,
  to: number,
  from: number,
  count: number,
  scale: number,
  min: number,
): void {
  for (let i = 0; i < count; i += 4) {
    out[to + i] = scale * quants[from + i] - min;
    out[to + i + 1] = scale * quants[from + i + 1] - min;
    out[to + i + 2] = scale * quants[from + i + 2] - min;
    out[to + i + 3] = scale * quants[from + i + 3] - min;
  }
}

const viewOf = (src: Uint8Array) => new DataView(src.buffer, src.byteOffset, src.length);

/**
 * Block: 256 weights in 84 bytes; w = d s q - dmin m, s and m for every 16 weights
 *   0..15   sm    byte i: s of group i in the lower half, m in the upper
 *   16..79  q     32 bytes for 128 weights: byte l holds weights l, l + 32, l + 64, l + 96, two bits each from the lowest
 *   80..81  d     float16
 *   82..83  dmin  float16
 */
const q2_K: Decode = (src, out) => {
  const view = viewOf(src);
  let to = 0;
  for (let at = 0; at < src.length; at += 84) {
    const d = half(src[at + 80], src[at + 81]);
    const dmin = half(src[at + 82], src[at + 83]);
    for (let word = 0; word < 8; word++) unpackTwoBits(view.getInt32(at + 16 + 4 * word, true), word);
    for (let word = 8; word < 16; word++) unpackTwoBits(view.getInt32(at + 16 + 4 * word, true), word + 24);
    for (let group = 0; group < 16; group++) {
      const packed = src[at + group];
      putAbove(out, to, group * 16, 16, d * (packed & 15), dmin * (packed >> 4));
      to += 16;
    }
  }
};

/** Four bytes of two-bit quants to words that lie 32 quants apart. */
function unpackTwoBits(packed: number, word: number): void {
  words[word] = packed & 0x03030303;
  words[word + 8] = (packed >> 2) & 0x03030303;
  words[word + 16] = (packed >> 4) & 0x03030303;
  words[word + 24] = (packed >> 6) & 0x03030303;
}

/**
 * Block: 256 weights in 110 bytes; w = d (s - 32) (q - 4), s for every 16 weights
 *   0..31    high   byte l: the third bit of weights l, l + 32, ... l + 224, from the lowest
 *   32..95   q      the lower two bits, as in Q2_K
 *   96..107  s      sixteen of 6 bits: lower four in bytes 0..7 (s of group i, of i + 8 above it), upper two in bytes 8..11
 *                   (of groups i, i + 4, i + 8, i + 12, from the lowest)
 *   108..109 d      float16
 */
const q3_K: Decode = (src, out) => {
  const view = viewOf(src);
  let to = 0;
  for (let at = 0; at < src.length; at += 110) {
    const d = half(src[at + 108], src[at + 109]);
    for (let word = 0; word < 8; word++) {
      const high = view.getInt32(at + 4 * word, true);
      unpackThreeBits(view.getInt32(at + 32 + 4 * word, true), high, word);
      unpackThreeBits(view.getInt32(at + 64 + 4 * word, true), high >> 4, word + 32);
    }
    for (let group = 0; group < 16; group++) {
      const low = (src[at + 96 + (group & 7)] >> ((group >> 3) << 2)) & 15;
      const high = (src[at + 104 + (group & 3)] >> ((group >> 2) << 1)) & 3;
      put(out, to, group * 16, 16, d * ((low | (high << 4)) - 32));
      to += 16;
    }
  }
};

/** As unpackTwoBits, with third bits, less 4. */
function unpackThreeBits(packed: number, high: number, word: number): void {
  words[word] = lessFour((packed & 0x03030303) | ((high << 2) & 0x04040404));
  words[word + 8] = lessFour(((packed >> 2) & 0x03030303) | ((high << 1) & 0x04040404));
  words[word + 16] = lessFour(((packed >> 4) & 0x03030303) | (high & 0x04040404));
  words[word + 24] = lessFour(((packed >> 6) & 0x03030303) | ((high >> 1) & 0x04040404));
}

/** Takes 4 from each of four bytes below 8; the highest bit keeps each from borrowing of the next. */
function lessFour(four: number): number {
  return ((four | 0x80808080) - 0x04040404) ^ 0x80808080;
}

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
  const view = viewOf(src);
  let to = 0;
  for (let at = 0; at < src.length; at += 176) {
    const d = half(src[at], src[at + 1]);
    const dmin = half(src[at + 2], src[at + 3]);
    for (let word = 0; word < 8; word++) {
      const high = view.getInt32(at + 16 + 4 * word, true);
      for (let pair = 0; pair < 4; pair++) {
        const packed = view.getInt32(at + 48 + 32 * pair + 4 * word, true);
        const bits = high >> (2 * pair);
        words[16 * pair + word] = (packed & 0x0f0f0f0f) | ((bits << 4) & 0x10101010);
        words[16 * pair + 8 + word] = ((packed >> 4) & 0x0f0f0f0f) | ((bits << 3) & 0x10101010);
      }
    }
    for (let group = 0; group < 8; group++) {
      putAbove(out, to, 32 * group, 32, d * scaleOf(src, at + 4, group), dmin * minOf(src, at + 4, group));
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
  const view = viewOf(src);
  const signed = new Int8Array(src.buffer, src.byteOffset, src.length);
  let to = 0;
  for (let at = 0; at < src.length; at += 210) {
    const d = half(src[at + 208], src[at + 209]);
    for (let word = 0; word < 16; word++) {
      // Of each 128 weights eight words: l, l + 32, l + 64 and l + 96 share bytes.
      const side = word >> 3;
      const near = view.getInt32(at + 64 * side + 4 * (word & 7), true);
      const far = view.getInt32(at + 64 * side + 32 + 4 * (word & 7), true);
      const high = view.getInt32(at + 128 + 4 * word, true);
      const first = 32 * side + (word & 7);
      words[first] = less32((near & 0x0f0f0f0f) | ((high << 4) & 0x30303030));
      words[first + 8] = less32((far & 0x0f0f0f0f) | ((high << 2) & 0x30303030));
      words[first + 16] = less32(((near >> 4) & 0x0f0f0f0f) | (high & 0x30303030));
      words[first + 24] = less32(((far >> 4) & 0x0f0f0f0f) | ((high >> 2) & 0x30303030));
    }
    for (let group = 0; group < 16; group++) {
      put(out, to, 16 * group, 16, d * signed[at + 192 + group]);
      to += 16;
    }
  }
};

/** As lessFour, 32 of four bytes below 64. */
function less32(four: number): number {
  return ((four | 0x80808080) - 0x20202020) ^ 0x80808080;
}

/**
 * Block: 256 weights in 292 bytes; w = d q. ggml makes it of activations only; gguf-py does not decode it.
 *   0..3      d     float32
 *   4..259    q     int8
 *   260..291  sums  int16, of every 16 q
 */
const q8_K: Decode = (src, out) => {
  const view = viewOf(src);
  const signed = new Int8Array(src.buffer, src.byteOffset, src.length);
  let to = 0;
  for (let at = 0; at < src.length; at += 292) {
    const d = view.getFloat32(at, true);
    for (let j = at + 4; j < at + 260; j += 4) {
      out[to] = d * signed[j];
      out[to + 1] = d * signed[j + 1];
      out[to + 2] = d * signed[j + 2];
      out[to + 3] = d * signed[j + 3];
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
