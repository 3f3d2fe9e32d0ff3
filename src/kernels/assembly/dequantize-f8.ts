/**
 * Eight-bit floats of sign, exponent and mantissa: their bits, moved to where float32 has them, times a power of two that makes up for
 * the bias. It makes subnormal ones right as well.
 *
 * kind 0: E4M3, 1: E5M2, 2: E4M3FNUZ, 3: E5M2FNUZ
 */
export function f8(src: usize, count: i32, out: usize, kind: i32): void {
  if (kind == 0) decode(src, count, out, 20, 0x7b800000, 0x7f, 0x7f, 0x7fc00000);
  else if (kind == 1) decode(src, count, out, 21, 0x77800000, 0x7c, 0x7c, 0x7f800000);
  else if (kind == 2) decode(src, count, out, 20, 0x7b000000, 0xff, 0x80, 0x7fc00000);
  else decode(src, count, out, 21, 0x77000000, 0xff, 0x80, 0x7fc00000);
}

/** Bytes that are `special` under `mask` get the bits `added`: an exponent of infinity, or of a NaN. */
// @ts-ignore: decorator
@inline
function decode(
  src: usize,
  count: i32,
  out: usize,
  shift: i32,
  scaleBits: u32,
  mask: i32,
  special: i32,
  added: u32,
): void {
  const scale = i32x4.splat(scaleBits);
  // Sign extension fills the bits between the sign and the exponent.
  const kept = i32x4.splat(0x80000000 | (0x7f << shift));
  const masked = i8x16.splat(<i8>mask);
  const wanted = i8x16.splat(<i8>special);
  const end = src + <usize>count;
  const wide = src + <usize>(count & ~15);
  for (; src < wide; src += 16) {
    const v = v128.load(src);
    const low = i16x8.extend_low_i8x16_s(v);
    const high = i16x8.extend_high_i8x16_s(v);
    let a = f32x4.mul(v128.and(i32x4.shl(i32x4.extend_low_i16x8_s(low), shift), kept), scale);
    let b = f32x4.mul(v128.and(i32x4.shl(i32x4.extend_high_i16x8_s(low), shift), kept), scale);
    let c = f32x4.mul(v128.and(i32x4.shl(i32x4.extend_low_i16x8_s(high), shift), kept), scale);
    let d = f32x4.mul(v128.and(i32x4.shl(i32x4.extend_high_i16x8_s(high), shift), kept), scale);
    const found = i8x16.eq(v128.and(v, masked), wanted);
    if (v128.any_true(found)) {
      const bits = i32x4.splat(added);
      const first = i16x8.extend_low_i8x16_s(found);
      const second = i16x8.extend_high_i8x16_s(found);
      a = v128.or(a, v128.and(i32x4.extend_low_i16x8_s(first), bits));
      b = v128.or(b, v128.and(i32x4.extend_high_i16x8_s(first), bits));
      c = v128.or(c, v128.and(i32x4.extend_low_i16x8_s(second), bits));
      d = v128.or(d, v128.and(i32x4.extend_high_i16x8_s(second), bits));
    }
    v128.store(out, a);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
    out += 64;
  }
  for (; src < end; src++) {
    const v = <i32>load<i8>(src);
    const moved = (<u32>v << shift) & (0x80000000 | (0x7f << shift));
    let value = reinterpret<u32>(reinterpret<f32>(moved) * reinterpret<f32>(scaleBits));
    if ((v & mask) == special) value |= added;
    store<u32>(out, value);
    out += 4;
  }
}
