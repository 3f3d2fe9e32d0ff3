// Rows of 16-bit floats, decoded in registers. Addresses are bytes in the arena.

/** Adds the four lanes in pairs. */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  return (
    f32x4.extract_lane(v, 0) +
    f32x4.extract_lane(v, 1) +
    (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
  );
}

/** The lower four bf16 of eight as float32. */
// @ts-ignore: decorator
@inline
export function lowBf16(v: v128): v128 {
  return v128.shuffle<i16>(i16x8.splat(0), v, 0, 8, 1, 9, 2, 10, 3, 11);
}

/** The upper four bf16 of eight as float32. */
// @ts-ignore: decorator
@inline
export function highBf16(v: v128): v128 {
  return v128.shuffle<i16>(i16x8.splat(0), v, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** Four binary16 as float32: their bits as float32 of too small an exponent, times 2^112; the largest exponent stays the largest. */
// @ts-ignore: decorator
@inline
export function fromF16(h: v128): v128 {
  const magnitude = i32x4.shl(v128.and(h, i32x4.splat(0x7fff)), 13);
  const value = f32x4.mul(magnitude, f32x4.splat(reinterpret<f32>(0x77800000)));
  const special = v128.and(i32x4.gt_s(magnitude, i32x4.splat(0x0f7fffff)), i32x4.splat(0x7f800000));
  const sign = i32x4.shl(v128.and(h, i32x4.splat(0x8000)), 16);
  return v128.or(v128.or(value, special), sign);
}

// @ts-ignore: decorator
@inline
export function oneF16(bits: u32): f32 {
  let value = reinterpret<u32>(reinterpret<f32>((bits & 0x7fff) << 13) * reinterpret<f32>(0x77800000));
  if ((bits & 0x7c00) == 0x7c00) value |= 0x7f800000;
  return reinterpret<f32>(value | ((bits & 0x8000) << 16));
}
