// Rows and queries rounded to 16-bit integers: their products say which rows may be near. Addresses are bytes in the arena.

import { sumLanes } from './dots-halves';
import { dotMetric, isMeasured, l2Metric } from './dots-nearness';
import { addSquares } from './fused';

/** Length of a rounded row; ../rounded.ts knows it too. Its values fit 16 bits, and products of two such rows 32, however they are summed. */
const length: f64 = 32000;

/** 1.5 * 2^23: the sum with a value below 2^22 is a float32 whose low bits are that value, rounded to an integer. */
const rounder: f32 = 12582912;

/** Rows and queries that lie beside each other, eight values of each in turn. */
const groupRows: i32 = 2;
const groupQueries: i32 = 4;

/** Values of a rounded row: two vectors are multiplied at a time. */
// @ts-ignore: decorator
@inline
function paddedDim(dim: i32): i32 {
  return (dim + 15) & ~15;
}

/** The square of a row as dotOne sums it. */
function squareOf(data: usize, dim: i32): f32 {
  const wide = (<usize>(dim & ~15)) << 2;
  const bytes = (<usize>dim) << 2;
  let s = f32x4.splat(0);
  let t = s;
  for (let at: usize = 0; at < wide; at += 64) {
    const v0 = v128.load(data + at);
    const v1 = v128.load(data + at, 16);
    const v2 = v128.load(data + at, 32);
    const v3 = v128.load(data + at, 48);
    s = addSquares(s, v0, v1);
    t = addSquares(t, v2, v3);
  }
  let square = sumLanes(f32x4.add(s, t));
  for (let at = wide; at < bytes; at += 4) {
    const value = load<f32>(data + at);
    square += value * value;
  }
  return square;
}

/** Eight values times a factor, as integers. */
// @ts-ignore: decorator
@inline
function roundEight(at: usize, factor: v128): v128 {
  const shift = f32x4.splat(rounder);
  const v = f32x4.add(f32x4.mul(v128.load(at), factor), shift);
  const w = f32x4.add(f32x4.mul(v128.load(at, 16), factor), shift);
  return i16x8.narrow_i32x4_s(i32x4.sub(v, shift), i32x4.sub(w, shift));
}

/** Rounds one row. step: bytes from one vector of it to the next. */
function roundRow(data: usize, dim: i32, scale: f32, rounded: usize, step: usize): void {
  const factor = f32x4.splat(scale);
  const wide = (<usize>(dim & ~7)) << 2;
  const bytes = (<usize>dim) << 2;
  let out = rounded;
  for (let at: usize = 0; at < wide; at += 32) {
    v128.store(out, roundEight(data + at, factor));
    out += step;
  }
  const end = rounded + (<usize>(paddedDim(dim) >> 3)) * step;
  for (let rest = out; rest < end; rest += step) v128.store(rest, i16x8.splat(0));
  for (let at = wide; at < bytes; at += 4) {
    const value = load<f32>(data + at) * scale + rounder;
    store<i16>(out + ((at - wide) >> 1), <i16>(reinterpret<i32>(value) - reinterpret<i32>(rounder)));
  }
}

/** Measures `count` vectors and rounds them at a length of 32,000, `group` of them beside each other. */
// @ts-ignore: decorator
@inline
function roundAll(
  data: usize,
  count: i32,
  dim: i32,
  group: i32,
  squares: usize,
  inverses: usize,
  rounded: usize,
): void {
  const bytes = (<usize>paddedDim(dim)) << 1;
  for (let index = 0; index < count; index++) {
    const square: f64 = squareOf(data, dim);
    const measured = isMeasured(square);
    const inverse = 1 / sqrt(square);
    const at = (<usize>index) << 2;
    store<f32>(squares + at, <f32>square);
    store<f32>(inverses + at, measured ? <f32>inverse : f32.NaN);
    const lane = index % group;
    const out = rounded + (<usize>(index - lane)) * bytes + ((<usize>lane) << 4);
    roundRow(data, dim, measured ? <f32>(inverse * length) : 0, out, (<usize>group) << 4);
    data += (<usize>dim) << 2;
  }
}

/**
 * Measures rows and rounds them at a length of 32,000.
 *
 * Shape: data f32 [rows, dim] → squares f32 [rows]; inverses f32 [rows], 1 / norm or NaN for a row that float32 does not measure;
 * rounded i16 [rows / 2, dim / 8, 2, 8], both rounded up
 */
export function roundRows(
  data: usize,
  rows: i32,
  dim: i32,
  squares: usize,
  inverses: usize,
  rounded: usize,
): void {
  roundAll(data, rows, dim, groupRows, squares, inverses, rounded);
}

/** roundRows for queries. Shape: rounded i16 [count / 4, dim / 8, 4, 8], both rounded up */
export function roundQueries(
  data: usize,
  count: i32,
  dim: i32,
  squares: usize,
  inverses: usize,
  rounded: usize,
): void {
  roundAll(data, count, dim, groupQueries, squares, inverses, rounded);
}

/**
 * What the least product of a row with a near query is made of, in units of the row's length.
 *
 * Shape: squares f32 [rows] as the rows are compared, inverses f32 [rows] as they are → factors f32 [rows, 2]; the first is NaN for a row
 * that float32 does not measure
 */
export function findFactors(
  squares: usize,
  inverses: usize,
  rows: i32,
  metric: i32,
  factors: usize,
): void {
  for (let row = 0; row < rows; row++) {
    const at = (<usize>row) << 2;
    const square: f64 = load<f32>(squares + at);
    const inverse: f64 = load<f32>(inverses + at);
    const scale = metric == dotMetric || metric == l2Metric ? 1 : sqrt(square);
    const rest = <f32>(metric == l2Metric ? square * inverse : inverse);
    store<f32>(factors + 2 * at, isMeasured(square) && rest < f32.MAX_VALUE ? <f32>(scale * inverse) : f32.NaN);
    store<f32>(factors + 2 * at, rest, 4);
  }
}

/** The sums of the lanes of four vectors. */
// @ts-ignore: decorator
@inline
function sumFour(a: v128, b: v128, c: v128, d: v128): v128 {
  const x = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const y = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i64>(x, y, 0, 2), v128.shuffle<i64>(x, y, 1, 3));
}

/** Which of four queries a row may be near to: those whose product with it is not too small. needs: see selectRounded. */
// @ts-ignore: decorator
@inline
function nearOf(sums: v128, needs: usize, factors: usize): v128 {
  const first = f32x4.mul(v128.load(needs), v128.load32_splat(factors));
  const second = f32x4.mul(v128.load(needs, 16), v128.load32_splat(factors, 4));
  const least = f32x4.add(f32x4.add(first, second), v128.load(needs, 32));
  // What is not a number is near.
  return v128.not(f32x4.le(f32x4.convert_i32x4_s(sums), least));
}

/** Appends a row to the lists of the queries that are near to it. */
function append(near: v128, queries: i32, row: i32, found: usize, stride: usize, counts: usize): void {
  let bits = i32x4.bitmask(near) & ((1 << queries) - 1);
  while (bits != 0) {
    const query: usize = ctz(bits);
    const place = load<u32>(counts + (query << 2));
    store<u32>(found + ((query * stride + place) << 2), row);
    store<u32>(counts + (query << 2), place + 1);
    bits &= bits - 1;
  }
}

/**
 * The rows that may be near to each query: of which needs[0] * factors[0] + needs[1] * factors[1] + needs[2] is below the product of the
 * rounded ones, or not a number.
 *
 * Shape: rounded and queries as roundRows and roundQueries lay them out, factors f32 [rows, 2], needs f32 [count / 4, 3, 4]
 * → found u32 [count, stride], counts u32 [count] to which are added
 */
export function selectRounded(
  rounded: usize,
  rows: i32,
  dim: i32,
  queries: usize,
  count: i32,
  factors: usize,
  needs: usize,
  found: usize,
  stride: i32,
  counts: usize,
): void {
  const bytes = (<usize>paddedDim(dim)) << 1;
  for (let query = 0; query < count; query += groupQueries) {
    const used = min(count - query, groupQueries);
    let data = rounded;
    for (let row = 0; row < rows; row += groupRows) {
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let b0 = a0;
      let b1 = a0;
      let b2 = a0;
      let b3 = a0;
      let other = queries;
      for (const end = data + 2 * bytes; data < end; data += 64) {
        let v = v128.load(data);
        let w = v128.load(data, 16);
        let q = v128.load(other);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v, q));
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(w, q));
        q = v128.load(other, 16);
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v, q));
        b1 = i32x4.add(b1, i32x4.dot_i16x8_s(w, q));
        q = v128.load(other, 32);
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(v, q));
        b2 = i32x4.add(b2, i32x4.dot_i16x8_s(w, q));
        q = v128.load(other, 48);
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(v, q));
        b3 = i32x4.add(b3, i32x4.dot_i16x8_s(w, q));
        v = v128.load(data, 32);
        w = v128.load(data, 48);
        q = v128.load(other, 64);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v, q));
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(w, q));
        q = v128.load(other, 80);
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v, q));
        b1 = i32x4.add(b1, i32x4.dot_i16x8_s(w, q));
        q = v128.load(other, 96);
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(v, q));
        b2 = i32x4.add(b2, i32x4.dot_i16x8_s(w, q));
        q = v128.load(other, 112);
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(v, q));
        b3 = i32x4.add(b3, i32x4.dot_i16x8_s(w, q));
        other += 128;
      }
      const at = factors + ((<usize>row) << 3);
      const first = nearOf(sumFour(a0, a1, a2, a3), needs, at);
      if (v128.any_true(first)) append(first, used, row, found, <usize>stride, counts);
      if (row + 1 < rows) {
        const second = nearOf(sumFour(b0, b1, b2, b3), needs, at + 8);
        if (v128.any_true(second)) append(second, used, row + 1, found, <usize>stride, counts);
      }
    }
    queries += bytes << 2;
    needs += 48;
    found += (<usize>stride) << 4;
    counts += 16;
  }
}
