// Rows of 16-bit floats that are near a query, by one pass that leaves out most squares. Addresses are bytes in the arena.

import { fromF16, highBf16, lowBf16, oneF16, sumLanes } from './dots-halves';
import { isNear, mayBeNear, measuredDim } from './dots-nearness';
import { addProduct, addSquares } from './fused';

/**
 * selectF32 for rows of bf16: with the products and squares that dotBf16 gives them.
 *
 * Shape: data bf16 [rows, dim], query f32 [dim] → found u32 [count]; dots, squares f32 [rows], set for the found rows
 */
export function selectBf16(
  data: usize,
  rows: i32,
  dim: i32,
  query: usize,
  metric: i32,
  bound: f64,
  dots: usize,
  squares: usize,
  found: usize,
): i32 {
  const wide = (<usize>(dim & ~15)) << 1;
  const measured = (<usize>measuredDim(dim)) << 1;
  const bytes = (<usize>dim) << 1;
  let end = found;
  for (let row = 0; row < rows; row++) {
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let s = a;
    let t = a;
    let at: usize = 0;
    for (; at < measured; at += 32) {
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
    for (; at < wide; at += 32) {
      const p = v128.load(data + at);
      const r = v128.load(data + at, 16);
      const q = query + (at << 1);
      a = addProduct(a, lowBf16(p), v128.load(q));
      b = addProduct(b, highBf16(p), v128.load(q, 16));
      c = addProduct(c, lowBf16(r), v128.load(q, 32));
      d = addProduct(d, highBf16(r), v128.load(q, 48));
    }
    let dot = sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    for (; at < bytes; at += 2)
      dot += reinterpret<f32>((<u32>load<u16>(data + at)) << 16) * load<f32>(query + (at << 1));
    if (mayBeNear(metric, dot, sumLanes(f32x4.add(s, t)), bound)) {
      for (at = measured; at < wide; at += 32) {
        const p = v128.load(data + at);
        const r = v128.load(data + at, 16);
        s = addSquares(s, lowBf16(p), highBf16(p));
        t = addSquares(t, lowBf16(r), highBf16(r));
      }
      let square = sumLanes(f32x4.add(s, t));
      for (; at < bytes; at += 2) {
        const value = reinterpret<f32>((<u32>load<u16>(data + at)) << 16);
        square += value * value;
      }
      if (isNear(metric, dot, square, bound)) {
        const place = (<usize>row) << 2;
        store<f32>(dots + place, dot);
        store<f32>(squares + place, square);
        store<u32>(end, row);
        end += 4;
      }
    }
    data += bytes;
  }
  return <i32>((end - found) >> 2);
}

/** The same for rows of binary16. */
export function selectF16(
  data: usize,
  rows: i32,
  dim: i32,
  query: usize,
  metric: i32,
  bound: f64,
  dots: usize,
  squares: usize,
  found: usize,
): i32 {
  const wide = (<usize>(dim & ~15)) << 1;
  const measured = (<usize>measuredDim(dim)) << 1;
  const bytes = (<usize>dim) << 1;
  let end = found;
  for (let row = 0; row < rows; row++) {
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let s = a;
    let t = a;
    let at: usize = 0;
    for (; at < wide; at += 32) {
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
      if (at < measured) {
        s = addSquares(s, v0, v1);
        t = addSquares(t, v2, v3);
      }
    }
    let dot = sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    for (; at < bytes; at += 2) dot += oneF16(<u32>load<u16>(data + at)) * load<f32>(query + (at << 1));
    if (mayBeNear(metric, dot, sumLanes(f32x4.add(s, t)), bound)) {
      for (at = measured; at < wide; at += 32) {
        const p = v128.load(data + at);
        const r = v128.load(data + at, 16);
        s = addSquares(
          s,
          fromF16(i32x4.extend_low_i16x8_u(p)),
          fromF16(i32x4.extend_high_i16x8_u(p)),
        );
        t = addSquares(
          t,
          fromF16(i32x4.extend_low_i16x8_u(r)),
          fromF16(i32x4.extend_high_i16x8_u(r)),
        );
      }
      let square = sumLanes(f32x4.add(s, t));
      for (; at < bytes; at += 2) {
        const value = oneF16(<u32>load<u16>(data + at));
        square += value * value;
      }
      if (isNear(metric, dot, square, bound)) {
        const place = (<usize>row) << 2;
        store<f32>(dots + place, dot);
        store<f32>(squares + place, square);
        store<u32>(end, row);
        end += 4;
      }
    }
    data += bytes;
  }
  return <i32>((end - found) >> 2);
}
