// Rows of 16-bit floats that may be near a query, by one pass that leaves out most squares. Addresses are bytes in the arena.

import { dotBf16, dotF16, fromF16, highBf16, lowBf16, oneF16, sumLanes } from './dots-halves';
import { mayBeNear, isNear } from './dots-nearness';

/**
 * The rows that are nearer than the bound, or whose square float32 cannot hold, with their products and squares. Returns their count.
 *
 * The square of a part of a row is at most that of the row, which bounds its nearness from above: most rows need no more.
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
  const measured = partOf(dim);
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
      a = f32x4.add(a, f32x4.mul(v0, v128.load(q)));
      b = f32x4.add(b, f32x4.mul(v1, v128.load(q, 16)));
      c = f32x4.add(c, f32x4.mul(v2, v128.load(q, 32)));
      d = f32x4.add(d, f32x4.mul(v3, v128.load(q, 48)));
      s = f32x4.add(s, f32x4.add(f32x4.mul(v0, v0), f32x4.mul(v1, v1)));
      t = f32x4.add(t, f32x4.add(f32x4.mul(v2, v2), f32x4.mul(v3, v3)));
    }
    for (; at < wide; at += 32) {
      const p = v128.load(data + at);
      const r = v128.load(data + at, 16);
      const q = query + (at << 1);
      a = f32x4.add(a, f32x4.mul(lowBf16(p), v128.load(q)));
      b = f32x4.add(b, f32x4.mul(highBf16(p), v128.load(q, 16)));
      c = f32x4.add(c, f32x4.mul(lowBf16(r), v128.load(q, 32)));
      d = f32x4.add(d, f32x4.mul(highBf16(r), v128.load(q, 48)));
    }
    let dot = sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    for (; at < bytes; at += 2)
      dot += reinterpret<f32>((<u32>load<u16>(data + at)) << 16) * load<f32>(query + (at << 1));
    if (mayBeNear(metric, dot, sumLanes(f32x4.add(s, t)), bound)) {
      const place = (<usize>row) << 2;
      dotBf16(data, 1, dim, query, dots + place, squares + place);
      if (isNear(metric, load<f32>(dots + place), load<f32>(squares + place), bound)) {
        store<u32>(end, row);
        end += 4;
      }
    }
    data += bytes;
  }
  return <i32>((end - found) >> 2);
}

/** selectBf16 for rows of binary16. */
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
  const measured = partOf(dim);
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
      a = f32x4.add(a, f32x4.mul(v0, v128.load(q)));
      b = f32x4.add(b, f32x4.mul(v1, v128.load(q, 16)));
      c = f32x4.add(c, f32x4.mul(v2, v128.load(q, 32)));
      d = f32x4.add(d, f32x4.mul(v3, v128.load(q, 48)));
      if (at < measured) {
        s = f32x4.add(s, f32x4.add(f32x4.mul(v0, v0), f32x4.mul(v1, v1)));
        t = f32x4.add(t, f32x4.add(f32x4.mul(v2, v2), f32x4.mul(v3, v3)));
      }
    }
    let dot = sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    for (; at < bytes; at += 2) dot += oneF16(<u32>load<u16>(data + at)) * load<f32>(query + (at << 1));
    if (mayBeNear(metric, dot, sumLanes(f32x4.add(s, t)), bound)) {
      const place = (<usize>row) << 2;
      dotF16(data, 1, dim, query, dots + place, squares + place);
      if (isNear(metric, load<f32>(dots + place), load<f32>(squares + place), bound)) {
        store<u32>(end, row);
        end += 4;
      }
    }
    data += bytes;
  }
  return <i32>((end - found) >> 2);
}

/** Bytes at the start of a row that are squared: a quarter, all of a short row. */
function partOf(dim: i32): usize {
  const part = dim < 256 ? dim & ~15 : (dim >> 2) & ~15;
  return (<usize>part) << 1;
}
