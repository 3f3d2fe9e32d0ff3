// The SIMD twins of src/dtypes, compiled by scripts/generate-wasm.mjs. Blocks and formulas are drawn there; the bits are the same, but
// for the payloads of NaN. Addresses are bytes in the arena.
import { bits, half, put, putAdded } from './dequantize-put';

export { q2_K, q3_K, q4_K, q5_K, q6_K } from './dequantize-k';
export { f8 } from './dequantize-f8';

export function bf16(src: usize, count: i32, out: usize): void {
  const zero = i32x4.splat(0);
  const end = src + ((<usize>count) << 1);
  const wide = src + ((<usize>(count & ~7)) << 1);
  for (; src < wide; src += 16) {
    const v = v128.load(src);
    v128.store(out, i16x8.shuffle(zero, v, 0, 8, 0, 9, 0, 10, 0, 11));
    v128.store(out, i16x8.shuffle(zero, v, 0, 12, 0, 13, 0, 14, 0, 15), 16);
    out += 32;
  }
  for (; src < end; src += 2) {
    store<u32>(out, (<u32>load<u16>(src)) << 16);
    out += 4;
  }
}

export function f16(src: usize, count: i32, out: usize): void {
  const end = src + ((<usize>count) << 1);
  const wide = src + ((<usize>(count & ~7)) << 1);
  const rest = i32x4.splat(0x8fffe000);
  const scale = i32x4.splat(0x77800000);
  const exponent = i16x8.splat(0x7c00);
  for (; src < wide; src += 16) {
    const v = v128.load(src);
    const a = v128.and(i32x4.shl(i32x4.extend_low_i16x8_s(v), 13), rest);
    const b = v128.and(i32x4.shl(i32x4.extend_high_i16x8_s(v), 13), rest);
    let x = f32x4.mul(a, scale);
    let y = f32x4.mul(b, scale);
    const special = i16x8.eq(v128.and(v, exponent), exponent);
    if (v128.any_true(special)) {
      x = v128.or(x, v128.and(i32x4.extend_low_i16x8_s(special), i32x4.splat(0x7f800000)));
      y = v128.or(y, v128.and(i32x4.extend_high_i16x8_s(special), i32x4.splat(0x7f800000)));
    }
    v128.store(out, x);
    v128.store(out, y, 16);
    out += 32;
  }
  for (; src < end; src += 2) {
    store<f32>(out, half(src));
    out += 4;
  }
}

export function q4_0(src: usize, blocks: i32, out: usize): void {
  const eight = i8x16.splat(8);
  for (let block = 0; block < blocks; block++) {
    const d = f32x4.splat(half(src));
    const q = v128.load(src, 2);
    put(out, i8x16.sub(bits(q, 0, 15), eight), d);
    put(out + 64, i8x16.sub(bits(q, 4, 15), eight), d);
    src += 18;
    out += 128;
  }
}

export function q4_1(src: usize, blocks: i32, out: usize): void {
  for (let block = 0; block < blocks; block++) {
    const d = f32x4.splat(half(src));
    const m = f32x4.splat(half(src + 2));
    const q = v128.load(src, 4);
    putAdded(out, bits(q, 0, 15), d, m);
    putAdded(out + 64, bits(q, 4, 15), d, m);
    src += 20;
    out += 128;
  }
}

/** 16 where the bit of the byte's place is set: of the first or the second 16 bits. */
// @ts-ignore: decorator
@inline
function fifthBits(high: u32): v128 {
  const bytes = i8x16.shuffle(i32x4.splat(high), i32x4.splat(0), 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  const place = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
  return v128.and(i8x16.eq(v128.and(bytes, place), place), i8x16.splat(16));
}

export function q5_0(src: usize, blocks: i32, out: usize): void {
  const sixteen = i8x16.splat(16);
  for (let block = 0; block < blocks; block++) {
    const d = f32x4.splat(half(src));
    const high = load<u32>(src, 2);
    const q = v128.load(src, 6);
    put(out, i8x16.sub(v128.or(bits(q, 0, 15), fifthBits(high)), sixteen), d);
    put(out + 64, i8x16.sub(v128.or(bits(q, 4, 15), fifthBits(high >> 16)), sixteen), d);
    src += 22;
    out += 128;
  }
}

export function q5_1(src: usize, blocks: i32, out: usize): void {
  for (let block = 0; block < blocks; block++) {
    const d = f32x4.splat(half(src));
    const m = f32x4.splat(half(src + 2));
    const high = load<u32>(src, 4);
    const q = v128.load(src, 8);
    putAdded(out, v128.or(bits(q, 0, 15), fifthBits(high)), d, m);
    putAdded(out + 64, v128.or(bits(q, 4, 15), fifthBits(high >> 16)), d, m);
    src += 24;
    out += 128;
  }
}

export function q8_0(src: usize, blocks: i32, out: usize): void {
  for (let block = 0; block < blocks; block++) {
    const d = f32x4.splat(half(src));
    put(out, v128.load(src, 2), d);
    put(out + 64, v128.load(src, 18), d);
    src += 34;
    out += 128;
  }
}

export function tq2_0(src: usize, blocks: i32, out: usize): void {
  const one = i8x16.splat(1);
  for (let block = 0; block < blocks; block++) {
    const d = f32x4.splat(half(src + 64));
    for (let part = 0; part < 4; part++) {
      const q = v128.load(src + (part << 4));
      const to = out + ((part >> 1) << 9) + ((part & 1) << 6);
      put(to, i8x16.sub(bits(q, 0, 3), one), d);
      put(to + 128, i8x16.sub(bits(q, 2, 3), one), d);
      put(to + 256, i8x16.sub(bits(q, 4, 3), one), d);
      put(to + 384, i8x16.sub(bits(q, 6, 3), one), d);
    }
    src += 66;
    out += 1024;
  }
}

// @ts-ignore: decorator
@inline
function nonlinear(q: v128): v128 {
  const values = i8x16(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
  return i8x16.swizzle(values, q);
}

export function iq4_nl(src: usize, blocks: i32, out: usize): void {
  for (let block = 0; block < blocks; block++) {
    const d = f32x4.splat(half(src));
    const q = v128.load(src, 2);
    put(out, nonlinear(bits(q, 0, 15)), d);
    put(out + 64, nonlinear(bits(q, 4, 15)), d);
    src += 18;
    out += 128;
  }
}

export function iq4_xs(src: usize, blocks: i32, out: usize): void {
  for (let block = 0; block < blocks; block++) {
    const d = half(src);
    const high = <u32>load<u16>(src, 2);
    const low = load<u32>(src, 4);
    for (let group = 0; group < 8; group++) {
      const s = ((low >> (group << 2)) & 15) | (((high >> (group << 1)) & 3) << 4);
      const scale = f32x4.splat(d * <f32>(<i32>s - 32));
      const q = v128.load(src + (group << 4), 8);
      put(out, nonlinear(bits(q, 0, 15)), scale);
      put(out + 64, nonlinear(bits(q, 4, 15)), scale);
      out += 128;
    }
    src += 136;
  }
}

export function mxfp4(src: usize, blocks: i32, out: usize): void {
  const values = i8x16(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
  for (let block = 0; block < blocks; block++) {
    const e = <u32>load<u8>(src);
    // Half of 2^(e - 127): below 2^-126 a bit of a subnormal number.
    const d = f32x4.splat(reinterpret<f32>(e < 2 ? 0x00200000 << e : (e - 1) << 23));
    const q = v128.load(src, 1);
    put(out, i8x16.swizzle(values, bits(q, 0, 15)), d);
    put(out + 64, i8x16.swizzle(values, bits(q, 4, 15)), d);
    src += 17;
    out += 128;
  }
}
