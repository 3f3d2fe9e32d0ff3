// The SIMD twin of ../moments.ts, compiled by scripts/generate-wasm.mjs. Every sum is taken in the order of the plain
// kernel, so both give the same bits. Addresses are bytes in the arena; layouts are those of MomentSums.

/**
 * The sum of squares, the smallest and the largest value of each row.
 *
 * Shape: data f32 [rows, dim] → rowSquares f64 [rows], rowLows f32 [rows], rowHighs f32 [rows]
 */
export function measureRows(
  data: usize,
  rows: i32,
  dim: i32,
  rowSquares: usize,
  rowLows: usize,
  rowHighs: usize,
): void {
  const stride = (<usize>dim) << 2;
  for (let row = 0; row < rows; row++) {
    measureRow(data, dim, rowSquares, rowLows, rowHighs);
    data += stride;
    rowSquares += 8;
    rowLows += 4;
    rowHighs += 4;
  }
}

function measureRow(row: usize, dim: i32, squareAt: usize, lowAt: usize, highAt: usize): void {
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let lows = f32x4.splat(Infinity);
  let highs = f32x4.splat(-Infinity);
  const wideEnd = row + ((<usize>(dim & ~7)) << 2);
  const end = row + ((<usize>dim) << 2);
  let at = row;
  while (at < wideEnd) {
    const v = v128.load(at);
    const w = v128.load(at, 16);
    lows = f32x4.pmin(lows, f32x4.pmin(v, w));
    highs = f32x4.pmax(highs, f32x4.pmax(v, w));
    // A second load of the upper half is cheaper than a shuffle: it keeps the vector ports free.
    const v0 = f64x2.promote_low_f32x4(v);
    const v1 = f64x2.promote_low_f32x4(v128.load64_zero(at, 8));
    const w0 = f64x2.promote_low_f32x4(w);
    const w1 = f64x2.promote_low_f32x4(v128.load64_zero(at, 24));
    a = f64x2.add(a, f64x2.mul(v0, v0));
    b = f64x2.add(b, f64x2.mul(v1, v1));
    c = f64x2.add(c, f64x2.mul(w0, w0));
    d = f64x2.add(d, f64x2.mul(w1, w1));
    at += 32;
  }
  const pair = f64x2.add(f64x2.add(a, c), f64x2.add(b, d));
  let square = f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
  let low = min(
    min(f32x4.extract_lane(lows, 0), f32x4.extract_lane(lows, 1)),
    min(f32x4.extract_lane(lows, 2), f32x4.extract_lane(lows, 3)),
  );
  let high = max(
    max(f32x4.extract_lane(highs, 0), f32x4.extract_lane(highs, 1)),
    max(f32x4.extract_lane(highs, 2), f32x4.extract_lane(highs, 3)),
  );
  for (; at < end; at += 4) {
    const x = load<f32>(at);
    low = min(low, x);
    high = max(high, x);
    square += <f64>x * <f64>x;
  }
  store<f64>(squareAt, square);
  store<f32>(lowAt, low);
  store<f32>(highAt, high);
}

/**
 * Adds every finite row, its squares and its unit row to the sums of the dimensions.
 *
 * Shape: data f32 [rows, dim], rowSquares f64 [rows] → sums, squares, units f64 [dim], added to row by row
 */
export function addColumns(
  data: usize,
  rows: i32,
  dim: i32,
  rowSquares: usize,
  sums: usize,
  squares: usize,
  units: usize,
): void {
  const stride = (<usize>dim) << 2;
  let row = 0;
  while (row < rows) {
    if (row + 8 <= rows && eightFinite(rowSquares)) {
      addEightRows(data, stride, dim, rowSquares, sums, squares, units);
      row += 8;
      data += stride << 3;
      rowSquares += 64;
    } else {
      if (load<f64>(rowSquares) < Infinity) addRow(data, dim, rowSquares, sums, squares, units);
      row++;
      data += stride;
      rowSquares += 8;
    }
  }
}

function eightFinite(rowSquares: usize): bool {
  const a = f64x2.add(v128.load(rowSquares), v128.load(rowSquares, 16));
  const b = f64x2.add(v128.load(rowSquares, 32), v128.load(rowSquares, 48));
  const sum = f64x2.add(a, b);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1) < Infinity;
}

function inverseNorm(squareAt: usize): f64 {
  const square = load<f64>(squareAt);
  return square > 0 ? 1 / sqrt(square) : 0;
}

function addRow(at: usize, dim: i32, squareAt: usize, sums: usize, squares: usize, units: usize): void {
  const inverse = inverseNorm(squareAt);
  const inverses = f64x2.splat(inverse);
  const end = at + ((<usize>(dim & ~1)) << 2);
  while (at < end) {
    const v = two(at);
    v128.store(sums, f64x2.add(v128.load(sums), v));
    v128.store(squares, f64x2.add(v128.load(squares), f64x2.mul(v, v)));
    v128.store(units, f64x2.add(v128.load(units), f64x2.mul(v, inverses)));
    at += 8;
    sums += 16;
    squares += 16;
    units += 16;
  }
  if (dim & 1) {
    const x = <f64>load<f32>(at);
    store<f64>(sums, load<f64>(sums) + x);
    store<f64>(squares, load<f64>(squares) + x * x);
    store<f64>(units, load<f64>(units) + x * inverse);
  }
}

function two(at: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(at));
}

// Two columns of eight rows: the sums stay in registers for sixteen values.
function addEightRows(
  at: usize,
  stride: usize,
  dim: i32,
  rowSquares: usize,
  sums: usize,
  squares: usize,
  units: usize,
): void {
  const n0 = f64x2.splat(inverseNorm(rowSquares));
  const n1 = f64x2.splat(inverseNorm(rowSquares + 8));
  const n2 = f64x2.splat(inverseNorm(rowSquares + 16));
  const n3 = f64x2.splat(inverseNorm(rowSquares + 24));
  const n4 = f64x2.splat(inverseNorm(rowSquares + 32));
  const n5 = f64x2.splat(inverseNorm(rowSquares + 40));
  const n6 = f64x2.splat(inverseNorm(rowSquares + 48));
  const n7 = f64x2.splat(inverseNorm(rowSquares + 56));
  const end = at + ((<usize>(dim & ~1)) << 2);
  while (at < end) {
    let s = v128.load(sums);
    let q = v128.load(squares);
    let u = v128.load(units);
    let row = at;
    let v = two(row);
    s = f64x2.add(s, v);
    q = f64x2.add(q, f64x2.mul(v, v));
    u = f64x2.add(u, f64x2.mul(v, n0));
    row += stride;
    v = two(row);
    s = f64x2.add(s, v);
    q = f64x2.add(q, f64x2.mul(v, v));
    u = f64x2.add(u, f64x2.mul(v, n1));
    row += stride;
    v = two(row);
    s = f64x2.add(s, v);
    q = f64x2.add(q, f64x2.mul(v, v));
    u = f64x2.add(u, f64x2.mul(v, n2));
    row += stride;
    v = two(row);
    s = f64x2.add(s, v);
    q = f64x2.add(q, f64x2.mul(v, v));
    u = f64x2.add(u, f64x2.mul(v, n3));
    row += stride;
    v = two(row);
    s = f64x2.add(s, v);
    q = f64x2.add(q, f64x2.mul(v, v));
    u = f64x2.add(u, f64x2.mul(v, n4));
    row += stride;
    v = two(row);
    s = f64x2.add(s, v);
    q = f64x2.add(q, f64x2.mul(v, v));
    u = f64x2.add(u, f64x2.mul(v, n5));
    row += stride;
    v = two(row);
    s = f64x2.add(s, v);
    q = f64x2.add(q, f64x2.mul(v, v));
    u = f64x2.add(u, f64x2.mul(v, n6));
    row += stride;
    v = two(row);
    s = f64x2.add(s, v);
    q = f64x2.add(q, f64x2.mul(v, v));
    u = f64x2.add(u, f64x2.mul(v, n7));
    v128.store(sums, s);
    v128.store(squares, q);
    v128.store(units, u);
    at += 8;
    sums += 16;
    squares += 16;
    units += 16;
  }
  if (dim & 1) {
    for (let r = 0; r < 8; r++) {
      addRow(at, 1, rowSquares, sums, squares, units);
      at += stride;
      rowSquares += 8;
    }
  }
}

/**
 * Adds rows to the totals, and writes the numbers of those that are not finite or lie beyond a bound. Returns their count.
 *
 * Shape: rowSquares f64 [rows], rowLows, rowHighs f32 [rows] → totals f64 [5] (sum of norms, of squares of their distances from
 * the mean, rows of zeros, rows, mean), notable u32 [rows]
 */
export function reviewRows(
  rowSquares: usize,
  rowLows: usize,
  rowHighs: usize,
  rows: i32,
  totals: usize,
  notable: usize,
  low: f64,
  high: f64,
  smallestNorm: f64,
  largestNorm: f64,
): i32 {
  let norms = load<f64>(totals);
  let spread = load<f64>(totals, 8);
  let zeros = load<f64>(totals, 16);
  let counted = load<f64>(totals, 24);
  let mean = load<f64>(totals, 32);
  let end = notable;
  for (let row = 0; row < rows; row++) {
    const square = load<f64>(rowSquares + ((<usize>row) << 3));
    let inside = false;
    if (square < Infinity) {
      const at = (<usize>row) << 2;
      const norm = sqrt(square);
      norms += norm;
      counted += 1;
      const gap = norm - mean;
      mean += gap / counted;
      spread += gap * (norm - mean);
      if (square == 0) zeros += 1;
      inside =
        norm >= smallestNorm &&
        norm <= largestNorm &&
        <f64>load<f32>(rowLows + at) >= low &&
        <f64>load<f32>(rowHighs + at) <= high;
    }
    if (!inside) {
      store<u32>(end, row);
      end += 4;
    }
  }
  store<f64>(totals, norms);
  store<f64>(totals, spread, 8);
  store<f64>(totals, zeros, 16);
  store<f64>(totals, counted, 24);
  store<f64>(totals, mean, 32);
  return <i32>((end - notable) >> 2);
}

/**
 * Counts the upper 16 bits of every value of every `every`-th row, beginning with row `first`.
 *
 * Shape: data f32 [rows, dim] → buckets u32 [65536], added to
 */
export function countBuckets(data: usize, rows: i32, dim: i32, first: i32, every: i32, buckets: usize): void {
  const stride = (<usize>dim) << 2;
  for (let row = first; row < rows; row += every) {
    let at = data + <usize>row * stride;
    const wideEnd = at + ((<usize>(dim & ~3)) << 2);
    const end = at + stride;
    for (; at < wideEnd; at += 16) {
      countValue(at, buckets);
      countValue(at + 4, buckets);
      countValue(at + 8, buckets);
      countValue(at + 12, buckets);
    }
    for (; at < end; at += 4) countValue(at, buckets);
  }
}

function countValue(at: usize, buckets: usize): void {
  const slot = buckets + ((<usize>load<u16>(at, 2)) << 2);
  store<u32>(slot, load<u32>(slot) + 1);
}
