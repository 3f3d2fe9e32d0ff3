// Rows and one query. Addresses are bytes in the arena.
//
// T is what a row holds, as wide as it lies there: f32, u16 for bf16, i16 for binary16. Sixteen values are worked on at a time.

import { fromF16, highBf16, lowBf16, oneF16, sumLanes } from './dots-halves';
import { dotMetric, isNear, mayBeNear, measuredDim } from './dots-nearness';
import { addProduct, addSquares } from './fused';

/** The lower four of eight 16-bit floats as float32. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function low<T>(v: v128): v128 {
  return isSigned<T>() ? fromF16(i32x4.extend_low_i16x8_u(v)) : lowBf16(v);
}

/** The upper four. */
// @ts-ignore
@inline
function high<T>(v: v128): v128 {
  return isSigned<T>() ? fromF16(i32x4.extend_high_i16x8_u(v)) : highBf16(v);
}

// @ts-ignore
@inline
function valueAt<T>(at: usize): f32 {
  if (isFloat<T>()) return load<f32>(at);
  const bits = <u32>load<u16>(at);
  return isSigned<T>() ? oneF16(bits) : reinterpret<f32>(bits << 16);
}

/** Where in the query the value stands that a row has at a place. */
// @ts-ignore
@inline
function inQuery<T>(at: usize): usize {
  return isFloat<T>() ? at : at << 1;
}

function dotRows<T>(data: usize, rows: i32, dim: i32, query: usize, dots: usize, squares: usize): void {
  const wide = <usize>(dim & ~15) * sizeof<T>();
  const bytes = <usize>dim * sizeof<T>();
  for (let row = 0; row < rows; row++) {
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let s = a;
    let t = a;
    for (let at: usize = 0; at < wide; at += 16 * sizeof<T>()) {
      const q = query + inQuery<T>(at);
      const p = v128.load(data + at);
      const r = v128.load(data + at, 16);
      const v0 = isFloat<T>() ? p : low<T>(p);
      const v1 = isFloat<T>() ? r : high<T>(p);
      const v2 = isFloat<T>() ? v128.load(data + at, 32) : low<T>(r);
      const v3 = isFloat<T>() ? v128.load(data + at, 48) : high<T>(r);
      a = addProduct(a, v0, v128.load(q));
      b = addProduct(b, v1, v128.load(q, 16));
      c = addProduct(c, v2, v128.load(q, 32));
      d = addProduct(d, v3, v128.load(q, 48));
      s = addSquares(s, v0, v1);
      t = addSquares(t, v2, v3);
    }
    let dot = sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    let square = sumLanes(f32x4.add(s, t));
    for (let at = wide; at < bytes; at += sizeof<T>()) {
      const value = valueAt<T>(data + at);
      dot += value * load<f32>(query + inQuery<T>(at));
      square += value * value;
    }
    store<f32>(dots, dot);
    store<f32>(squares, square);
    data += bytes;
    dots += 4;
    squares += 4;
  }
}

/** The square of a row of which s and t hold the parts up to `from`. */
function squareFrom<T>(data: usize, from: usize, dim: i32, s: v128, t: v128): f32 {
  const wide = <usize>(dim & ~15) * sizeof<T>();
  const bytes = <usize>dim * sizeof<T>();
  let at = from;
  for (; at < wide; at += 16 * sizeof<T>()) {
    const p = v128.load(data + at);
    const r = v128.load(data + at, 16);
    s = addSquares(s, isFloat<T>() ? p : low<T>(p), isFloat<T>() ? r : high<T>(p));
    t = addSquares(
      t,
      isFloat<T>() ? v128.load(data + at, 32) : low<T>(r),
      isFloat<T>() ? v128.load(data + at, 48) : high<T>(r),
    );
  }
  let square = sumLanes(f32x4.add(s, t));
  for (; at < bytes; at += sizeof<T>()) {
    const value = valueAt<T>(data + at);
    square += value * value;
  }
  return square;
}

/** Rows after which it is decided again how much of a row is squared at first. */
const groupRows: i32 = 64;

/** Groups that are squared as a whole, where most rows of one needed it, before a part is tried again. */
const wholeGroups: i32 = 7;

/**
 * The square of a part of a row is at most that of the row, which bounds its nearness from above: most rows need no more. The others have
 * the rest added, and so the products and squares that dotRows gives them. Where most rows do, as in tables whose rows nearly all point
 * one way, all of a row is squared with its products.
 */
function selectRows<T>(
  data: usize,
  rows: i32,
  dim: i32,
  query: usize,
  metric: i32,
  bound: f64,
  reach: f64,
  slack: f64,
  dots: usize,
  squares: usize,
  found: usize,
): i32 {
  const wide = <usize>(dim & ~15) * sizeof<T>();
  // The products of dot may be off by a part of the row's norm, of which a part of the square says nothing.
  const part = metric == dotMetric ? wide : <usize>measuredDim(dim) * sizeof<T>();
  const bytes = <usize>dim * sizeof<T>();
  let end = found;
  let measured = part;
  let passed = 0;
  let groupsLeft = 0;
  for (let row = 0; row < rows; row++) {
    if (row % groupRows == 0) {
      if (groupsLeft > 0) groupsLeft--;
      else groupsLeft = passed > groupRows / 2 ? wholeGroups : 0;
      measured = groupsLeft > 0 ? wide : part;
      passed = 0;
    }
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let s = a;
    let t = a;
    let at: usize = 0;
    for (; at < measured; at += 16 * sizeof<T>()) {
      const q = query + inQuery<T>(at);
      const p = v128.load(data + at);
      const r = v128.load(data + at, 16);
      const v0 = isFloat<T>() ? p : low<T>(p);
      const v1 = isFloat<T>() ? r : high<T>(p);
      const v2 = isFloat<T>() ? v128.load(data + at, 32) : low<T>(r);
      const v3 = isFloat<T>() ? v128.load(data + at, 48) : high<T>(r);
      a = addProduct(a, v0, v128.load(q));
      b = addProduct(b, v1, v128.load(q, 16));
      c = addProduct(c, v2, v128.load(q, 32));
      d = addProduct(d, v3, v128.load(q, 48));
      s = addSquares(s, v0, v1);
      t = addSquares(t, v2, v3);
    }
    for (; at < wide; at += 16 * sizeof<T>()) {
      const q = query + inQuery<T>(at);
      const p = v128.load(data + at);
      const r = v128.load(data + at, 16);
      a = addProduct(a, isFloat<T>() ? p : low<T>(p), v128.load(q));
      b = addProduct(b, isFloat<T>() ? r : high<T>(p), v128.load(q, 16));
      c = addProduct(c, isFloat<T>() ? v128.load(data + at, 32) : low<T>(r), v128.load(q, 32));
      d = addProduct(d, isFloat<T>() ? v128.load(data + at, 48) : high<T>(r), v128.load(q, 48));
    }
    let dot = sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    for (; at < bytes; at += sizeof<T>()) dot += valueAt<T>(data + at) * load<f32>(query + inQuery<T>(at));
    if (mayBeNear(metric, dot, sumLanes(f32x4.add(s, t)), bound, reach, slack)) {
      passed++;
      const square = squareFrom<T>(data, measured, dim, s, t);
      if (isNear(metric, dot, square, bound, reach, slack)) {
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

/**
 * The dot product of every row with one query, and the square of every row.
 *
 * Shape: data f32 [rows, dim], query f32 [dim] → dots f32 [rows], squares f32 [rows]
 */
export function dotOne(data: usize, rows: i32, dim: i32, query: usize, dots: usize, squares: usize): void {
  dotRows<f32>(data, rows, dim, query, dots, squares);
}

/** dotOne for rows of bf16. */
export function dotBf16(data: usize, rows: i32, dim: i32, query: usize, dots: usize, squares: usize): void {
  dotRows<u16>(data, rows, dim, query, dots, squares);
}

/** dotOne for rows of binary16. */
export function dotF16(data: usize, rows: i32, dim: i32, query: usize, dots: usize, squares: usize): void {
  dotRows<i16>(data, rows, dim, query, dots, squares);
}

/**
 * The rows that may be nearer than the bound, or whose square float32 cannot hold, with the products and squares that dotOne gives them.
 * Returns their count.
 *
 * Shape: data f32 [rows, dim], query f32 [dim] → found u32 [count]; dots, squares f32 [rows], set for the found rows
 */
export function selectF32(
  data: usize,
  rows: i32,
  dim: i32,
  query: usize,
  metric: i32,
  bound: f64,
  reach: f64,
  slack: f64,
  dots: usize,
  squares: usize,
  found: usize,
): i32 {
  return selectRows<f32>(data, rows, dim, query, metric, bound, reach, slack, dots, squares, found);
}

/** selectF32 for rows of bf16. */
export function selectBf16(
  data: usize,
  rows: i32,
  dim: i32,
  query: usize,
  metric: i32,
  bound: f64,
  reach: f64,
  slack: f64,
  dots: usize,
  squares: usize,
  found: usize,
): i32 {
  return selectRows<u16>(data, rows, dim, query, metric, bound, reach, slack, dots, squares, found);
}

/** selectF32 for rows of binary16. */
export function selectF16(
  data: usize,
  rows: i32,
  dim: i32,
  query: usize,
  metric: i32,
  bound: f64,
  reach: f64,
  slack: f64,
  dots: usize,
  squares: usize,
  found: usize,
): i32 {
  return selectRows<i16>(data, rows, dim, query, metric, bound, reach, slack, dots, squares, found);
}
