/**
 * The L2 norm of each row.
 *
 * Shape: data [rows, dim] → [rows], summed in float64
 */
export function rowNorms(data: Float32Array, dim: number): Float64Array {
  const norms = new Float64Array(data.length / dim);
  for (let row = 0; row < norms.length; row++) norms[row] = normOf(data, row * dim, dim);
  return norms;
}

/** The L2 norm of `dim` values from `start`. */
export function normOf(data: Float32Array, start: number, dim: number): number {
  let square = 0;
  for (let i = start; i < start + dim; i++) square += data[i] * data[i];
  return Math.sqrt(square);
}

/**
 * Divides each row by its L2 norm, in place.
 *
 * Shape: data [rows, dim]. A row of zeros stays zeros; a row with a NaN or an infinity becomes NaN where no norm exists.
 */
export function normalizeRows(data: Float32Array, dim: number): void {
  for (let start = 0; start < data.length; start += dim) {
    const norm = normOf(data, start, dim);
    if (norm === 0) continue;
    for (let i = start; i < start + dim; i++) data[i] /= norm;
  }
}
