import { normOf } from './norms.ts';
import { dotOf } from './project.ts';

/**
 * The cosine of every pair of rows.
 *
 * Shape: data [rows, dim] → float64 [rows, rows], symmetric, 1 on the diagonal
 * Units: -1..1; NaN where a row has norm 0 or a value that is not finite.
 */
export function pairwiseCosines(data: Float32Array, dim: number): Float64Array {
  const rows = data.length / dim;
  const norms = Float64Array.from({ length: rows }, (_, row) => normOf(data, row * dim, dim));
  const cosines = new Float64Array(rows * rows);
  for (let a = 0; a < rows; a++) {
    for (let b = 0; b <= a; b++) {
      const cosine = cosineOf(dotOf(data, a * dim, data, b * dim, dim), norms[a], norms[b], a === b);
      cosines[a * rows + b] = cosine;
      cosines[b * rows + a] = cosine;
    }
  }
  return cosines;
}

function cosineOf(dot: number, a: number, b: number, same: boolean): number {
  if (!(a > 0 && b > 0 && a < Number.POSITIVE_INFINITY && b < Number.POSITIVE_INFINITY)) return Number.NaN;
  return same ? 1 : Math.max(-1, Math.min(1, dot / a / b));
}
