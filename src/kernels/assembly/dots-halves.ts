// Rows of 16-bit floats, decoded in registers. Addresses are bytes in the arena.

import { addProduct, addSquares } from './fused';

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

/**
 * The dot product of every row with one query, and the square of every row.
 *
 * Shape: data bf16 [rows, dim], query f32 [dim] → dots f32 [rows], squares f32 [rows]
 */
export function dotBf16(data: usize, rows: i32, dim: i32, query: usize, dots: usize, squares: usize): void {
  const wide = (<usize>(dim & ~15)) << 1;
  const bytes = (<usize>dim) << 1;
  for (let row = 0; row < rows; row++) {
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let s = a;
    let t = a;
    for (let at: usize = 0; at < wide; at += 32) {
      const p = v128.load(data + at);
      const r = v128.load(data + at, 16);
      const q = query + (at << 1);
      const v0 = lowBf16(p);
      const v1 = highBf16(p);
      const v2 = lowBf16(r);
      const v3 = highBf16(r);
      a = addProduct(a, v0, v128.load(q));
      b = addProduct(b, v1, v128.load(q, 16));
      c = addProduct(c, v2, v128.load(q, 32));
      d = addProduct(d, v3, v128.load(q, 48));
      s = addSquares(s, v0, v1);
      t = addSquares(t, v2, v3);
    }
    let dot = sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    let square = sumLanes(f32x4.add(s, t));
    for (let at = wide; at < bytes; at += 2) {
      const value = reinterpret<f32>((<u32>load<u16>(data + at)) << 16);
      dot += value * load<f32>(query + (at << 1));
      square += value * value;
    }
    store<f32>(dots, dot);
    store<f32>(squares, square);
    data += bytes;
    dots += 4;
    squares += 4;
  }
}

/** dotBf16 for rows of binary16. */
export function dotF16(data: usize, rows: i32, dim: i32, query: usize, dots: usize, squares: usize): void {
  const wide = (<usize>(dim & ~15)) << 1;
  const bytes = (<usize>dim) << 1;
  for (let row = 0; row < rows; row++) {
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let s = a;
    let t = a;
    for (let at: usize = 0; at < wide; at += 32) {
      const p = v128.load(data + at);
      const r = v128.load(data + at, 16);
      const q = query + (at << 1);
      const v0 = fromF16(i32x4.extend_low_i16x8_u(p));
      const v1 = fromF16(i32x4.extend_high_i16x8_u(p));
      const v2 = fromF16(i32x4.extend_low_i16x8_u(r));
      const v3 = fromF16(i32x4.extend_high_i16x8_u(r));
      a = addProduct(a, v0, v128.load(q));
      b = addProduct(b, v1, v128.load(q, 16));
      c = addProduct(c, v2, v128.load(q, 32));
      d = addProduct(d, v3, v128.load(q, 48));
      s = addSquares(s, v0, v1);
      t = addSquares(t, v2, v3);
    }
    let dot = sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    let square = sumLanes(f32x4.add(s, t));
    for (let at = wide; at < bytes; at += 2) {
      const value = oneF16(<u32>load<u16>(data + at));
      dot += value * load<f32>(query + (at << 1));
      square += value * value;
    }
    store<f32>(dots, dot);
    store<f32>(squares, square);
    data += bytes;
    dots += 4;
    squares += 4;
  }
}
