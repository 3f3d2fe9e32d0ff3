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

/**
 * Some rows of the matrix of all pairs: cosine, dot product or L2 distance.
 *
 * Shape: data [rows, dim] → [count, rows], rows first to first + count; symmetric over all of them
 * Units: computed in float64, rounded once. A cosine is 1 on the diagonal, NaN where a row has no direction.
 * Cost: O(count · rows · dim) time, O(count · rows) memory.
 */
export function similarityRows(
  data: Float32Array,
  dim: number,
  metric: 'cosine' | 'dot' | 'l2',
  first: number,
  count: number,
): Float32Array {
  const rows = data.length / dim;
  const norms = Float64Array.from({ length: rows }, (_, row) => normOf(data, row * dim, dim));
  const values = new Float32Array(count * rows);
  for (let a = first; a < first + count; a++) {
    for (let b = 0; b < rows; b++) {
      const at = (a - first) * rows + b;
      if (metric === 'l2') {
        values[at] = distanceOf(data, a * dim, b * dim, dim);
        continue;
      }
      const dot = dotOf(data, a * dim, data, b * dim, dim);
      values[at] = metric === 'dot' ? dot : cosineOf(dot, norms[a], norms[b], a === b);
    }
  }
  return values;
}

function distanceOf(data: Float32Array, a: number, b: number, dim: number): number {
  let sum = 0;
  for (let i = 0; i < dim; i++) sum += (data[a + i] - data[b + i]) ** 2;
  return Math.sqrt(sum);
}

function cosineOf(dot: number, a: number, b: number, same: boolean): number {
  if (!(a > 0 && b > 0 && a < Number.POSITIVE_INFINITY && b < Number.POSITIVE_INFINITY)) return Number.NaN;
  return same ? 1 : Math.max(-1, Math.min(1, dot / a / b));
}
