// The SIMD twin of ../differences.ts, compiled by scripts/generate-wasm.mjs: every sum is taken in the order of the plain kernel, so both
// give the same bits. Addresses are bytes in the arena.

/**
 * The sums of squares of two rows and of their difference.
 *
 * Shape: before, after f32 [rows, dim] → sums f64 [rows, 3]
 */
export function sumRows(before: usize, after: usize, rows: i32, dim: i32, sums: usize): void {
  const stride = (<usize>dim) << 2;
  for (let row = 0; row < rows; row++) {
    sumRow(before, after, dim, sums);
    before += stride;
    after += stride;
    sums += 24;
  }
}

function sumRow(a: usize, b: usize, dim: i32, sums: usize): void {
  let a0 = f64x2.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  let d0 = a0;
  let d1 = a0;
  const wideEnd = a + ((<usize>(dim & ~3)) << 2);
  const end = a + ((<usize>dim) << 2);
  while (a < wideEnd) {
    // Two loads are cheaper than a shuffle of the upper half: they keep the vector ports free.
    const x0 = f64x2.promote_low_f32x4(v128.load64_zero(a));
    const y0 = f64x2.promote_low_f32x4(v128.load64_zero(b));
    const z0 = f64x2.sub(y0, x0);
    a0 = f64x2.add(a0, f64x2.mul(x0, x0));
    b0 = f64x2.add(b0, f64x2.mul(y0, y0));
    d0 = f64x2.add(d0, f64x2.mul(z0, z0));
    const x1 = f64x2.promote_low_f32x4(v128.load64_zero(a, 8));
    const y1 = f64x2.promote_low_f32x4(v128.load64_zero(b, 8));
    const z1 = f64x2.sub(y1, x1);
    a1 = f64x2.add(a1, f64x2.mul(x1, x1));
    b1 = f64x2.add(b1, f64x2.mul(y1, y1));
    d1 = f64x2.add(d1, f64x2.mul(z1, z1));
    a += 16;
    b += 16;
  }
  let sumA = sumOf(f64x2.add(a0, a1));
  let sumB = sumOf(f64x2.add(b0, b1));
  let sumD = sumOf(f64x2.add(d0, d1));
  for (; a < end; a += 4, b += 4) {
    const x = <f64>load<f32>(a);
    const y = <f64>load<f32>(b);
    sumA += x * x;
    sumB += y * y;
    sumD += (y - x) * (y - x);
  }
  store<f64>(sums, sumA);
  store<f64>(sums, sumB, 8);
  store<f64>(sums, sumD, 16);
}

// @ts-expect-error: AssemblyScript decorator
@inline
function sumOf(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}
