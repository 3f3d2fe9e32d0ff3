// Types whose quants are points of a grid. Source: dequantize_row_iq* in ggml/src/ggml-quants.c, blocks in ggml/src/ggml-common.h.
import { iq1s, iq2s, iq2xs, iq2xxs, iq3s, iq3xxs } from './ggml-i-grids.ts';
import { type Decode, half } from './half.ts';

/** A grid with its values unpacked when it is first used. */
function grid(packed: string, bits: 2 | 4, values: readonly number[]): () => Int8Array {
  let unpacked: Int8Array | undefined;
  return () => {
    if (unpacked === undefined) {
      const bytes = Buffer.from(packed, 'base64');
      const each = 8 / bits;
      unpacked = new Int8Array(bytes.length * each);
      for (let i = 0; i < unpacked.length; i++) {
        const code = bytes[Math.floor(i / each)] >> (bits * (i % each));
        unpacked[i] = values[code & ((1 << bits) - 1)];
      }
    }
    return unpacked;
  };
}

const threeLevels = [8, 25, 43];
const grid2xxs = grid(iq2xxs, 2, threeLevels);
const grid2xs = grid(iq2xs, 2, threeLevels);
const grid2s = grid(iq2s, 2, threeLevels);
const grid3xxs = grid(iq3xxs, 4, [4, 12, 20, 28, 36, 44, 52, 62]);
const grid3s = grid(iq3s, 4, [1, 3, 5, 7, 9, 11, 13, 15]);
const grid1s = grid(iq1s, 2, [-1, 0, 1]);

/** Eight signs from seven bits: the eighth makes their number even. */
const evenSigns = Uint8Array.from({ length: 128 }, (_, bits) => {
  let odd = 0;
  for (let rest = bits; rest > 0; rest >>= 1) odd ^= rest & 1;
  return bits | (odd << 7);
});

/** The values of IQ4_NL and IQ4_XS. */
const nonlinear = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

/** Writes `count` grid values times scale, negative where a bit of signs is set. */
function putSigned(
  out: Float32Array,
  to: number,
  points: Int8Array,
  from: number,
  count: number,
  signs: number,
  scale: number,
): void {
  for (let i = 0; i < count; i++) {
    // Without a branch: signs are random, and half of all guesses would be wrong.
    const sign = -((signs >> i) & 1);
    out[to + i] = scale * ((points[from + i] ^ sign) - sign);
  }
}

/**
 * Block: 256 weights in 66 bytes; w = d (s + 1/2) / 4 * sign * grid, s for every 32 weights
 *   0..1   d     float16
 *   2..65  8 bytes for 32 weights: four points, then a uint32 of four times 7 sign bits and s in the upper 4
 */
const iq2_xxs: Decode = (src, out) => {
  const points = grid2xxs();
  let to = 0;
  for (let at = 0; at < src.length; at += 66) {
    const d = half(src[at], src[at + 1]);
    for (let j = at + 2; j < at + 66; j += 8) {
      const word = src[j + 4] | (src[j + 5] << 8) | (src[j + 6] << 16) | (src[j + 7] << 24);
      const scale = d * (0.5 + (word >>> 28)) * 0.25;
      for (let k = 0; k < 4; k++) {
        putSigned(out, to, points, src[j + k] * 8, 8, evenSigns[(word >>> (7 * k)) & 127], scale);
        to += 8;
      }
    }
  }
};

/**
 * Block: 256 weights in 74 bytes; w = d (s + 1/2) / 4 * sign * grid, s for every 16 weights
 *   0..1    d     float16
 *   2..65   uint16 for 8 weights: a point in the lower 9 bits, 7 sign bits above
 *   66..73  s     4 bits each, the first in the lower half
 */
const iq2_xs: Decode = (src, out) => {
  const points = grid2xs();
  let to = 0;
  for (let at = 0; at < src.length; at += 74) {
    const d = half(src[at], src[at + 1]);
    for (let group = 0; group < 16; group++) {
      const s = (src[at + 66 + (group >> 1)] >> ((group & 1) << 2)) & 15;
      const scale = d * (0.5 + s) * 0.25;
      for (let j = at + 2 + group * 4; j < at + 6 + group * 4; j += 2) {
        const word = src[j] | (src[j + 1] << 8);
        putSigned(out, to, points, (word & 511) * 8, 8, evenSigns[word >> 9], scale);
        to += 8;
      }
    }
  }
};

/**
 * Block: 256 weights in 82 bytes; w = d (s + 1/2) / 4 * sign * grid, s for every 16 weights
 *   0..1    d     float16
 *   2..33   lower 8 bits of a point for 8 weights
 *   34..65  signs of 8 weights
 *   66..73  upper two bits of four points, from the lowest
 *   74..81  s     4 bits each, the first in the lower half
 */
const iq2_s: Decode = (src, out) => {
  const points = grid2s();
  let to = 0;
  for (let at = 0; at < src.length; at += 82) {
    const d = half(src[at], src[at + 1]);
    for (let i = 0; i < 32; i++) {
      const s = (src[at + 74 + (i >> 2)] >> ((i & 2) << 1)) & 15;
      const high = (src[at + 66 + (i >> 2)] >> ((i & 3) << 1)) & 3;
      const point = src[at + 2 + i] | (high << 8);
      putSigned(out, to, points, point * 8, 8, src[at + 34 + i], d * (0.5 + s) * 0.25);
      to += 8;
    }
  }
};

/**
 * Block: 256 weights in 98 bytes; w = d (s + 1/2) / 2 * sign * grid, s for every 32 weights
 *   0..1    d     float16
 *   2..65   a point for 4 weights
 *   66..97  uint32 for 32 weights: four times 7 sign bits and s in the upper 4
 */
const iq3_xxs: Decode = (src, out) => {
  const points = grid3xxs();
  let to = 0;
  for (let at = 0; at < src.length; at += 98) {
    const d = half(src[at], src[at + 1]);
    for (let group = 0; group < 8; group++) {
      const j = at + 66 + group * 4;
      const word = src[j] | (src[j + 1] << 8) | (src[j + 2] << 16) | (src[j + 3] << 24);
      const scale = d * (0.5 + (word >>> 28)) * 0.5;
      for (let k = 0; k < 4; k++) {
        const signs = evenSigns[(word >>> (7 * k)) & 127];
        const first = at + 2 + group * 8 + 2 * k;
        putSigned(out, to, points, src[first] * 4, 4, signs, scale);
        putSigned(out, to + 4, points, src[first + 1] * 4, 4, signs >> 4, scale);
        to += 8;
      }
    }
  }
};

/**
 * Block: 256 weights in 110 bytes; w = d (2 s + 1) * sign * grid, s for every 32 weights
 *   0..1      d     float16
 *   2..65     lower 8 bits of a point for 4 weights
 *   66..73    ninth bits of eight points, from the lowest
 *   74..105   signs of 8 weights
 *   106..109  s     4 bits each, the first in the lower half
 */
const iq3_s: Decode = (src, out) => {
  const points = grid3s();
  let to = 0;
  for (let at = 0; at < src.length; at += 110) {
    const d = half(src[at], src[at + 1]);
    for (let i = 0; i < 64; i++) {
      const group = i >> 3;
      const s = (src[at + 106 + (group >> 1)] >> ((group & 1) << 2)) & 15;
      const point = src[at + 2 + i] | (((src[at + 66 + group] >> (i & 7)) & 1) << 8);
      const signs = src[at + 74 + (i >> 1)] >> ((i & 1) << 2);
      putSigned(out, to, points, point * 4, 4, signs, d * (1 + 2 * s));
      to += 4;
    }
  }
};

/**
 * Block: 256 weights in 50 bytes; w = d (2 s + 1) (grid +- 1/8), s and the sign for every 32 weights
 *   0..1    d     float16
 *   2..33   lower 8 bits of a point for 8 weights
 *   34..49  uint16 for 32 weights: upper 3 bits of four points, s in bits 12 to 14, bit 15 the sign
 */
const iq1_s: Decode = (src, out) => {
  const points = grid1s();
  let to = 0;
  for (let at = 0; at < src.length; at += 50) {
    const d = half(src[at], src[at + 1]);
    for (let i = 0; i < 32; i++) {
      const j = at + 34 + ((i >> 2) << 1);
      const word = src[j] | (src[j + 1] << 8);
      const point = src[at + 2 + i] | (((word >> (3 * (i & 3))) & 7) << 8);
      putShifted(out, to, points, point, (word & 0x8000) === 0, d * (2 * ((word >> 12) & 7) + 1));
      to += 8;
    }
  }
};

/**
 * Block: 256 weights in 56 bytes; w = d (2 s + 1) (grid +- 1/8), s for every 16 weights, the sign for every 8
 *   0..31   lower 8 bits of a point for 8 weights
 *   32..47  4 bits for 8 weights: upper 3 bits of the point, then the sign
 *   48..55  four uint16: in each the s of four times 16 weights, 3 bits each, and above them 4 bits of d, the lowest first
 */
const iq1_m: Decode = (src, out) => {
  const points = grid1s();
  let to = 0;
  for (let at = 0; at < src.length; at += 56) {
    const d = half((src[at + 49] >> 4) | (src[at + 51] & 0xf0), (src[at + 53] >> 4) | (src[at + 55] & 0xf0));
    for (let i = 0; i < 32; i++) {
      const j = at + 48 + ((i >> 3) << 1);
      const s = ((src[j] | (src[j + 1] << 8)) >> (3 * ((i >> 1) & 3))) & 7;
      const high = (src[at + 32 + (i >> 1)] >> ((i & 1) << 2)) & 15;
      putShifted(out, to, points, src[at + i] | ((high & 7) << 8), (high & 8) === 0, d * (2 * s + 1));
      to += 8;
    }
  }
};

function putShifted(
  out: Float32Array,
  to: number,
  points: Int8Array,
  point: number,
  isUp: boolean,
  scale: number,
): void {
  const delta = isUp ? 0.125 : -0.125;
  const from = point * 8;
  for (let i = 0; i < 8; i++) out[to + i] = scale * (points[from + i] + delta);
}

/**
 * Block: 32 weights in 18 bytes; w = d times one of 16 values
 *   0..1   d     float16
 *   2..17  q     byte j: weight j in the lower half, weight j + 16 in the upper
 */
const iq4_nl: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 18) {
    putNonlinear(src, at + 2, out, to, half(src[at], src[at + 1]));
    to += 32;
  }
};

/**
 * Block: 256 weights in 136 bytes; w = d (s - 32) times one of 16 values, s for every 32 weights
 *   0..1    d     float16
 *   2..3    upper two bits of eight s, from the lowest
 *   4..7    lower four bits of eight s, the first in the lower half
 *   8..135  q     16 bytes for 32 weights, as in IQ4_NL
 */
const iq4_xs: Decode = (src, out) => {
  let to = 0;
  for (let at = 0; at < src.length; at += 136) {
    const d = half(src[at], src[at + 1]);
    const high = src[at + 2] | (src[at + 3] << 8);
    for (let group = 0; group < 8; group++) {
      const low = (src[at + 4 + (group >> 1)] >> ((group & 1) << 2)) & 15;
      const s = low | (((high >> (2 * group)) & 3) << 4);
      putNonlinear(src, at + 8 + group * 16, out, to, d * (s - 32));
      to += 32;
    }
  }
};

function putNonlinear(src: Uint8Array, at: number, out: Float32Array, start: number, scale: number): void {
  let to = start;
  for (let j = at; j < at + 16; j++) {
    const pair = src[j];
    out[to] = scale * nonlinear[pair & 15];
    out[to + 16] = scale * nonlinear[pair >> 4];
    to++;
  }
}

export const decoders: Record<string, Decode> = {
  IQ1_S: iq1_s,
  IQ1_M: iq1_m,
  IQ2_XXS: iq2_xxs,
  IQ2_XS: iq2_xs,
  IQ2_S: iq2_s,
  IQ3_XXS: iq3_xxs,
  IQ3_S: iq3_s,
  IQ4_NL: iq4_nl,
  IQ4_XS: iq4_xs,
};
