// Sums of products in float32 lanes, compiled twice: engines with relaxed SIMD multiply and add in one instruction, rounded once where the
// processor has it.

/** sum + x y */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function addProduct(sum: v128, x: v128, y: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(x, y, sum);
  return f32x4.add(sum, f32x4.mul(x, y));
}

/** sum + x² + y² */
// @ts-ignore
@inline
export function addSquares(sum: v128, x: v128, y: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(y, y, f32x4.relaxed_madd(x, x, sum));
  return f32x4.add(sum, f32x4.add(f32x4.mul(x, x), f32x4.mul(y, y)));
}
