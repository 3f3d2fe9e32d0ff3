// Rows of float32 and one query. Addresses are bytes in the arena.

import { sumLanes } from './dots-halves';
import { isNear, mayBeNear, measuredDim } from './dots-nearness';
import { addProduct, addSquares } from './fused';

/**
 * The dot product of every row with one query, and the square of every row.
 *
 * Shape: data f32 [rows, dim], query f32 [dim] → dots f32 [rows], squares f32 [rows]
 */
export function dotOne(data: usize, rows: i32, dim: i32, query: usize, dots: usize, squares: usize): void {
  const wide = (<usize>(dim & ~15)) << 2;
  const bytes = (<usize>dim) << 2;
  for (let row = 0; row < rows; row++) {
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let s = a;
    let t = a;
    for (let at: usize = 0; at < wide; at += 64) {
      const p = data + at;
      const q = query + at;
      const v0 = v128.load(p);
      const v1 = v128.load(p, 16);
      const v2 = v128.load(p, 32);
      const v3 = v128.load(p, 48);
      a = addProduct(a, v0, v128.load(q));
      b = addProduct(b, v1, v128.load(q, 16));
      c = addProduct(c, v2, v128.load(q, 32));
      d = addProduct(d, v3, v128.load(q, 48));
      s = addSquares(s, v0, v1);
      t = addSquares(t, v2, v3);
    }
    let dot = sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    let square = sumLanes(f32x4.add(s, t));
    for (let at = wide; at < bytes; at += 4) {
      const value = load<f32>(data + at);
      dot += value * load<f32>(query + at);
      square += value * value;
    }
    store<f32>(dots, dot);
    store<f32>(squares, square);
    data += bytes;
    dots += 4;
    squares += 4;
  }
}

/**
 * The rows that are nearer than the bound, or whose square float32 cannot hold, with the products and squares that dotOne gives them.
 * Returns their count.
 *
 * The square of a part of a row is at most that of the row, which bounds its nearness from above: most rows need no more.
 * Shape: data f32 [rows, dim], query f32 [dim] → found u32 [count]; dots, squares f32 [rows], set for the found rows
 */
export function selectF32(
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
  const wide = (<usize>(dim & ~15)) << 2;
  const measured = (<usize>measuredDim(dim)) << 2;
  const bytes = (<usize>dim) << 2;
  let end = found;
  for (let row = 0; row < rows; row++) {
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let s = a;
    let t = a;
    let at: usize = 0;
    for (; at < measured; at += 64) {
      const p = data + at;
      const q = query + at;
      const v0 = v128.load(p);
      const v1 = v128.load(p, 16);
      const v2 = v128.load(p, 32);
      const v3 = v128.load(p, 48);
      a = addProduct(a, v0, v128.load(q));
      b = addProduct(b, v1, v128.load(q, 16));
      c = addProduct(c, v2, v128.load(q, 32));
      d = addProduct(d, v3, v128.load(q, 48));
      s = addSquares(s, v0, v1);
      t = addSquares(t, v2, v3);
    }
    for (; at < wide; at += 64) {
      const p = data + at;
      const q = query + at;
      a = addProduct(a, v128.load(p), v128.load(q));
      b = addProduct(b, v128.load(p, 16), v128.load(q, 16));
      c = addProduct(c, v128.load(p, 32), v128.load(q, 32));
      d = addProduct(d, v128.load(p, 48), v128.load(q, 48));
    }
    let dot = sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    for (; at < bytes; at += 4) dot += load<f32>(data + at) * load<f32>(query + at);
    if (mayBeNear(metric, dot, sumLanes(f32x4.add(s, t)), bound)) {
      for (at = measured; at < wide; at += 64) {
        const p = data + at;
        s = addSquares(s, v128.load(p), v128.load(p, 16));
        t = addSquares(t, v128.load(p, 32), v128.load(p, 48));
      }
      let square = sumLanes(f32x4.add(s, t));
      for (; at < bytes; at += 4) {
        const value = load<f32>(data + at);
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
