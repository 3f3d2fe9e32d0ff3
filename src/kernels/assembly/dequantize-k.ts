// The K types; blocks are drawn in src/dtypes/ggml-k.ts.
import { bits, half, put, putAdded } from './dequantize-put';

export function q2_K(src: usize, blocks: i32, out: usize): void {
  for (let block = 0; block < blocks; block++) {
    const d = half(src + 80);
    const dmin = -half(src + 82);
    // Sixteen bytes hold four groups of sixteen weights, 32 weights apart.
    for (let part = 0; part < 4; part++) {
      const q = v128.load(src + (part << 4), 16);
      const sm = src + ((part >> 1) << 3) + (part & 1);
      const to = out + ((part >> 1) << 9) + ((part & 1) << 6);
      putGroup(to, bits(q, 0, 3), d, dmin, load<u8>(sm));
      putGroup(to + 128, bits(q, 2, 3), d, dmin, load<u8>(sm, 2));
      putGroup(to + 256, bits(q, 4, 3), d, dmin, load<u8>(sm, 4));
      putGroup(to + 384, bits(q, 6, 3), d, dmin, load<u8>(sm, 6));
    }
    src += 84;
    out += 1024;
  }
}

// @ts-ignore: decorator
@inline
function putGroup(out: usize, q: v128, d: f32, minus: f32, sm: u32): void {
  putAdded(out, q, f32x4.splat(d * <f32>(sm & 15)), f32x4.splat(minus * <f32>(sm >> 4)));
}

export function q3_K(src: usize, blocks: i32, out: usize): void {
  for (let block = 0; block < blocks; block++) {
    const d = half(src + 108);
    for (let part = 0; part < 4; part++) {
      const side = part & 1;
      const q = v128.load(src + (part << 4), 32);
      const h = v128.load(src + (side << 4));
      const to = out + ((part >> 1) << 9) + (side << 6);
      const bit = (part >> 1) << 2;
      const group = ((part >> 1) << 3) + side;
      put(to, threeBits(bits(q, 0, 3), bits(h, bit, 1)), scaleOfQ3(src, d, group));
      put(to + 128, threeBits(bits(q, 2, 3), bits(h, bit + 1, 1)), scaleOfQ3(src, d, group + 2));
      put(to + 256, threeBits(bits(q, 4, 3), bits(h, bit + 2, 1)), scaleOfQ3(src, d, group + 4));
      put(to + 384, threeBits(bits(q, 6, 3), bits(h, bit + 3, 1)), scaleOfQ3(src, d, group + 6));
    }
    src += 110;
    out += 1024;
  }
}

/** q + 4 h - 4 */
// @ts-ignore: decorator
@inline
function threeBits(q: v128, h: v128): v128 {
  return i8x16.sub(v128.or(q, i16x8.shl(h, 2)), i8x16.splat(4));
}

// @ts-ignore: decorator
@inline
function scaleOfQ3(src: usize, d: f32, group: i32): v128 {
  const low = (<i32>load<u8>(src + (group & 7), 96) >> ((group >> 3) << 2)) & 15;
  const high = (<i32>load<u8>(src + (group & 3), 104) >> ((group >> 2) << 1)) & 3;
  return f32x4.splat(d * <f32>((low | (high << 4)) - 32));
}

export function q4_K(src: usize, blocks: i32, out: usize): void {
  for (let block = 0; block < blocks; block++) {
    const d = half(src);
    const dmin = -half(src + 2);
    for (let group = 0; group < 8; group += 2) {
      const a = f32x4.splat(d * <f32>scaleOf(src + 4, group));
      const am = f32x4.splat(dmin * <f32>minOf(src + 4, group));
      const b = f32x4.splat(d * <f32>scaleOf(src + 4, group + 1));
      const bm = f32x4.splat(dmin * <f32>minOf(src + 4, group + 1));
      const q = v128.load(src + (group << 4), 16);
      const r = v128.load(src + (group << 4), 32);
      putAdded(out, bits(q, 0, 15), a, am);
      putAdded(out + 64, bits(r, 0, 15), a, am);
      putAdded(out + 128, bits(q, 4, 15), b, bm);
      putAdded(out + 192, bits(r, 4, 15), b, bm);
      out += 256;
    }
    src += 144;
  }
}

export function q5_K(src: usize, blocks: i32, out: usize): void {
  for (let block = 0; block < blocks; block++) {
    const d = half(src);
    const dmin = -half(src + 2);
    const h = v128.load(src, 16);
    const k = v128.load(src, 32);
    for (let group = 0; group < 8; group += 2) {
      const a = f32x4.splat(d * <f32>scaleOf(src + 4, group));
      const am = f32x4.splat(dmin * <f32>minOf(src + 4, group));
      const b = f32x4.splat(d * <f32>scaleOf(src + 4, group + 1));
      const bm = f32x4.splat(dmin * <f32>minOf(src + 4, group + 1));
      const q = v128.load(src + (group << 4), 48);
      const r = v128.load(src + (group << 4), 64);
      putAdded(out, fiveBits(bits(q, 0, 15), bits(h, group, 1)), a, am);
      putAdded(out + 64, fiveBits(bits(r, 0, 15), bits(k, group, 1)), a, am);
      putAdded(out + 128, fiveBits(bits(q, 4, 15), bits(h, group + 1, 1)), b, bm);
      putAdded(out + 192, fiveBits(bits(r, 4, 15), bits(k, group + 1, 1)), b, bm);
      out += 256;
    }
    src += 176;
  }
}

// @ts-ignore: decorator
@inline
function fiveBits(q: v128, h: v128): v128 {
  return v128.or(q, i16x8.shl(h, 4));
}

// @ts-ignore: decorator
@inline
function scaleOf(sm: usize, group: i32): i32 {
  if (group < 4) return <i32>load<u8>(sm + group) & 63;
  return (<i32>load<u8>(sm + group, 4) & 15) | ((<i32>load<u8>(sm + group - 4) >> 6) << 4);
}

// @ts-ignore: decorator
@inline
function minOf(sm: usize, group: i32): i32 {
  if (group < 4) return <i32>load<u8>(sm + group, 4) & 63;
  return (<i32>load<u8>(sm + group, 4) >> 4) | ((<i32>load<u8>(sm + group) >> 6) << 4);
}

export function q6_K(src: usize, blocks: i32, out: usize): void {
  for (let block = 0; block < blocks; block++) {
    const d = half(src + 208);
    for (let part = 0; part < 4; part++) {
      const side = part & 1;
      const near = v128.load(src + ((part >> 1) << 6) + (side << 4));
      const far = v128.load(src + ((part >> 1) << 6) + (side << 4), 32);
      const h = v128.load(src + (part << 4), 128);
      const s = src + ((part >> 1) << 3) + side;
      const to = out + ((part >> 1) << 9) + (side << 6);
      put(to, sixBits(bits(near, 0, 15), bits(h, 0, 3)), f32x4.splat(d * <f32>load<i8>(s, 192)));
      put(to + 128, sixBits(bits(far, 0, 15), bits(h, 2, 3)), f32x4.splat(d * <f32>load<i8>(s, 194)));
      put(to + 256, sixBits(bits(near, 4, 15), bits(h, 4, 3)), f32x4.splat(d * <f32>load<i8>(s, 196)));
      put(to + 384, sixBits(bits(far, 4, 15), bits(h, 6, 3)), f32x4.splat(d * <f32>load<i8>(s, 198)));
    }
    src += 210;
    out += 1024;
  }
}

/** q + 16 h - 32 */
// @ts-ignore: decorator
@inline
function sixBits(q: v128, h: v128): v128 {
  return i8x16.sub(v128.or(q, i16x8.shl(h, 4)), i8x16.splat(32));
}
