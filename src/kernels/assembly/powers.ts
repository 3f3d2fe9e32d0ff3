// The SIMD twin of ../powers.ts, compiled by scripts/generate-wasm.mjs. Every sum is taken in the order of the plain kernel, so both give
// the same bits. Addresses are bytes in the arena.

/** Two values as float64. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function two(at: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(at));
}

// @ts-ignore
@inline
function sumLanes(a: v128, b: v128): f64 {
  const pair = f64x2.add(a, b);
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
}

/**
 * The sums of the first four powers of the values of every row.
 *
 * Shape: data f32 [rows, dim] → sums f64 [rows, 4]
 */
export function sumPowers(data: usize, rows: i32, dim: i32, sums: usize): void {
  const wide = (<usize>(dim & ~3)) << 2;
  const bytes = (<usize>dim) << 2;
  for (let row = 0; row < rows; row++) {
    let a = f64x2.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let e = a;
    let f = a;
    let g = a;
    let h = a;
    for (let at: usize = 0; at < wide; at += 16) {
      const v = two(data + at);
      const w = two(data + at + 8);
      const vv = f64x2.mul(v, v);
      const ww = f64x2.mul(w, w);
      a = f64x2.add(a, v);
      b = f64x2.add(b, w);
      c = f64x2.add(c, vv);
      d = f64x2.add(d, ww);
      e = f64x2.add(e, f64x2.mul(vv, v));
      f = f64x2.add(f, f64x2.mul(ww, w));
      g = f64x2.add(g, f64x2.mul(vv, vv));
      h = f64x2.add(h, f64x2.mul(ww, ww));
    }
    let one = sumLanes(a, b);
    let square = sumLanes(c, d);
    let cube = sumLanes(e, f);
    let fourth = sumLanes(g, h);
    for (let at = wide; at < bytes; at += 4) {
      const x = <f64>load<f32>(data + at);
      const xx = x * x;
      one += x;
      square += xx;
      cube += xx * x;
      fourth += xx * xx;
    }
    store<f64>(sums, one);
    store<f64>(sums, square, 8);
    store<f64>(sums, cube, 16);
    store<f64>(sums, fourth, 24);
    data += bytes;
    sums += 32;
  }
}

/**
 * Adds rows and their squares to the sums of the columns, row by row.
 *
 * Shape: data f32 [rows, dim] → totals, squares f64 [dim], added to
 */
export function addToColumns(data: usize, rows: i32, dim: i32, totals: usize, squares: usize): void {
  const stride = (<usize>dim) << 2;
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    addRows(data, stride, 4, dim, totals, squares);
    data += stride << 2;
  }
  for (; row < rows; row++) {
    addRows(data, stride, 1, dim, totals, squares);
    data += stride;
  }
}

/** One row or four: the sums of two columns stay in registers for all of them. */
// @ts-ignore
@inline
function addRows(data: usize, stride: usize, count: i32, dim: i32, totals: usize, squares: usize): void {
  const wide = data + ((<usize>(dim & ~1)) << 2);
  let at = data;
  let place: usize = 0;
  for (; at < wide; at += 8) {
    let s = v128.load(totals + place);
    let q = v128.load(squares + place);
    for (let row = 0; row < count; row++) {
      const v = two(at + <usize>row * stride);
      s = f64x2.add(s, v);
      q = f64x2.add(q, f64x2.mul(v, v));
    }
    v128.store(totals + place, s);
    v128.store(squares + place, q);
    place += 16;
  }
  if (!(dim & 1)) return;
  let s = load<f64>(totals + place);
  let q = load<f64>(squares + place);
  for (let row = 0; row < count; row++) {
    const x = <f64>load<f32>(at + <usize>row * stride);
    s += x;
    q += x * x;
  }
  store<f64>(totals + place, s);
  store<f64>(squares + place, q);
}
