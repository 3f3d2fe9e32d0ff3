// What the decoders of ../assembly/dequantize*.ts share. Addresses are bytes in the arena.

/** The binary16 at an address: its bits as a float32 of too small an exponent, times 2^112. */
// @ts-ignore: decorator
@inline
export function half(at: usize): f32 {
  const bits = <u32>load<u16>(at);
  let value = reinterpret<u32>(reinterpret<f32>((bits & 0x7fff) << 13) * reinterpret<f32>(0x77800000));
  if ((bits & 0x7c00) == 0x7c00) value |= 0x7f800000;
  return reinterpret<f32>(value | ((bits & 0x8000) << 16));
}

/** w = d q. Shape: q i8 [16], d f32 [4] of one value → out f32 [16] */
// @ts-ignore: decorator
@inline
export function put(out: usize, q: v128, d: v128): void {
  const low = i16x8.extend_low_i8x16_s(q);
  const high = i16x8.extend_high_i8x16_s(q);
  v128.store(out, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low))));
  v128.store(out, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low))), 16);
  v128.store(out, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high))), 32);
  v128.store(out, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high))), 48);
}

/** w = d q + m. */
// @ts-ignore: decorator
@inline
export function putAdded(out: usize, q: v128, d: v128, m: v128): void {
  const low = i16x8.extend_low_i8x16_s(q);
  const high = i16x8.extend_high_i8x16_s(q);
  v128.store(out, f32x4.add(f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low))), m));
  v128.store(out, f32x4.add(f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low))), m), 16);
  v128.store(out, f32x4.add(f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high))), m), 32);
  v128.store(out, f32x4.add(f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high))), m), 48);
}

/** Some bits of every byte, the lowest of them bit `shift`. Shifting lanes of 16 bits is one instruction, of 8 bits many. */
// @ts-ignore: decorator
@inline
export function bits(v: v128, shift: i32, mask: i32): v128 {
  return v128.and(i16x8.shr_u(v, shift), i8x16.splat(<i8>mask));
}
