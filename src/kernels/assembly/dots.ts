// The SIMD twin of ../dots.ts, compiled by scripts/generate-wasm.mjs. Addresses are bytes in the arena.

import { sumLanes } from './dots-halves';
import { dotOne } from './dots-one';
import { addProduct } from './fused';

export { dotBf16, dotF16, dotOne, selectBf16, selectF16, selectF32 } from './dots-one';
export { candidates, sumExactly } from './dots-nearness';
export { findFactors, roundQueries, roundRows, selectRounded } from './dots-rounded';

/**
 * The dot products of two rows with four queries: eight sums that stay in registers.
 *
 * Shape: data f32 [2, dim], queries f32 [4, dim] → dots f32 at dots + (query * stride + row) * 4
 */
function dotTile(data: usize, dim: i32, queries: usize, dots: usize, stride: usize): void {
  const bytes = (<usize>dim) << 2;
  const wide = (<usize>(dim & ~3)) << 2;
  const r1 = data + bytes;
  const q1 = queries + bytes;
  const q2 = q1 + bytes;
  const q3 = q2 + bytes;
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  for (let at: usize = 0; at < wide; at += 16) {
    const v = v128.load(data + at);
    const w = v128.load(r1 + at);
    let q = v128.load(queries + at);
    a0 = addProduct(a0, v, q);
    b0 = addProduct(b0, w, q);
    q = v128.load(q1 + at);
    a1 = addProduct(a1, v, q);
    b1 = addProduct(b1, w, q);
    q = v128.load(q2 + at);
    a2 = addProduct(a2, v, q);
    b2 = addProduct(b2, w, q);
    q = v128.load(q3 + at);
    a3 = addProduct(a3, v, q);
    b3 = addProduct(b3, w, q);
  }
  let x0 = sumLanes(a0);
  let x1 = sumLanes(a1);
  let x2 = sumLanes(a2);
  let x3 = sumLanes(a3);
  let y0 = sumLanes(b0);
  let y1 = sumLanes(b1);
  let y2 = sumLanes(b2);
  let y3 = sumLanes(b3);
  for (let at = wide; at < bytes; at += 4) {
    const v = load<f32>(data + at);
    const w = load<f32>(r1 + at);
    x0 += v * load<f32>(queries + at);
    x1 += v * load<f32>(q1 + at);
    x2 += v * load<f32>(q2 + at);
    x3 += v * load<f32>(q3 + at);
    y0 += w * load<f32>(queries + at);
    y1 += w * load<f32>(q1 + at);
    y2 += w * load<f32>(q2 + at);
    y3 += w * load<f32>(q3 + at);
  }
  const step = stride << 2;
  store<f32>(dots, x0);
  store<f32>(dots, y0, 4);
  store<f32>(dots + step, x1);
  store<f32>(dots + step, y1, 4);
  store<f32>(dots + 2 * step, x2);
  store<f32>(dots + 2 * step, y2, 4);
  store<f32>(dots + 3 * step, x3);
  store<f32>(dots + 3 * step, y3, 4);
}

/**
 * The dot products of rows with queries, two rows by four queries at a time.
 *
 * Shape: data f32 [rows, dim], rows even; queries f32 [count, dim], count a multiple of 4 → dots f32 [count, stride]
 */
export function dotMany(
  data: usize,
  rows: i32,
  dim: i32,
  queries: usize,
  count: i32,
  dots: usize,
  stride: i32,
): void {
  const bytes = (<usize>dim) << 2;
  for (let row = 0; row < rows; row += 2) {
    let group = queries;
    let out = dots + ((<usize>row) << 2);
    for (let query = 0; query < count; query += 4) {
      dotTile(data, dim, group, out, <usize>stride);
      group += bytes << 2;
      out += (<usize>stride) << 4;
    }
    data += bytes << 1;
  }
}

/**
 * The dot products of one query with four rows, summed as dotTile sums them.
 *
 * Shape: data f32 [rows, dim], n0 to n3 rows of it, query f32 [dim] → dots f32 [rows], set for these
 */
function dotFour(
  data: usize,
  dim: i32,
  n0: usize,
  n1: usize,
  n2: usize,
  n3: usize,
  query: usize,
  dots: usize,
): void {
  const bytes = (<usize>dim) << 2;
  const wide = (<usize>(dim & ~3)) << 2;
  const r0 = data + n0 * bytes;
  const r1 = data + n1 * bytes;
  const r2 = data + n2 * bytes;
  const r3 = data + n3 * bytes;
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (let at: usize = 0; at < wide; at += 16) {
    const q = v128.load(query + at);
    a = addProduct(a, v128.load(r0 + at), q);
    b = addProduct(b, v128.load(r1 + at), q);
    c = addProduct(c, v128.load(r2 + at), q);
    d = addProduct(d, v128.load(r3 + at), q);
  }
  let x0 = sumLanes(a);
  let x1 = sumLanes(b);
  let x2 = sumLanes(c);
  let x3 = sumLanes(d);
  for (let at = wide; at < bytes; at += 4) {
    const q = load<f32>(query + at);
    x0 += load<f32>(r0 + at) * q;
    x1 += load<f32>(r1 + at) * q;
    x2 += load<f32>(r2 + at) * q;
    x3 += load<f32>(r3 + at) * q;
  }
  store<f32>(dots + (n0 << 2), x0);
  store<f32>(dots + (n1 << 2), x1);
  store<f32>(dots + (n2 << 2), x2);
  store<f32>(dots + (n3 << 2), x3);
}

/**
 * The dot products of queries with the rows that were found for each, with the bits that dotMany gives rows below `even` and queries below
 * `tiled`, and dotOne the others.
 *
 * Shape: data f32 [rows, dim], queries f32 [count, dim], found u32 [count, stride] of which counts u32 [count] are rows, ascending
 * → dots f32 [count, stride], set for these. spare: f32 [1] that is overwritten
 */
export function dotFound(
  data: usize,
  dim: i32,
  even: i32,
  queries: usize,
  count: i32,
  tiled: i32,
  found: usize,
  stride: i32,
  counts: usize,
  dots: usize,
  spare: usize,
): void {
  const bytes = (<usize>dim) << 2;
  for (let query = 0; query < count; query++) {
    const end = found + ((<usize>load<u32>(counts)) << 2);
    let at = found;
    if (query < tiled) {
      let last = end;
      while (last > found && load<u32>(last - 4) >= <u32>even) last -= 4;
      // Fewer than four are filled up with the last of them.
      for (; at < last; at = min(at + 16, last)) {
        const n1 = load<u32>(min(at + 4, last - 4));
        const n2 = load<u32>(min(at + 8, last - 4));
        const n3 = load<u32>(min(at + 12, last - 4));
        dotFour(data, dim, load<u32>(at), n1, n2, n3, queries, dots);
      }
    }
    for (; at < end; at += 4) {
      const row: usize = load<u32>(at);
      dotOne(data + row * bytes, 1, dim, queries, dots + (row << 2), spare);
    }
    queries += bytes;
    found += (<usize>stride) << 2;
    dots += (<usize>stride) << 2;
    counts += 4;
  }
}
