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
 * Cost: O(count · rows · dim) time, half of it for all rows at once, O(count · rows) memory.
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
  const end = first + count;
  const dots = new Float64Array(rows);
  for (let a = first; a < end; a++) {
    const from = (a - first) * rows;
    if (metric !== 'l2') {
      dotsOf(data, dim, a, 0, first, dots);
      dotsOf(data, dim, a, a, rows, dots);
    }
    for (let b = 0; b < rows; b++) {
      // Pairs of two rows of these were computed when the other one was a.
      if (b === first) b = a;
      const value =
        metric === 'l2'
          ? distanceOf(data, a * dim, b * dim, dim)
          : metric === 'dot'
            ? dots[b]
            : cosineOf(dots[b], norms[a], norms[b], a === b);
      values[from + b] = value;
      if (b > a && b < end) values[(b - first) * rows + a] = value;
    }
  }
  return values;
}

/** Dot products of row a with rows from..to, four rows at a time: its values are read once for them. Shape: → dots [rows], set from..to */
function dotsOf(
  data: Float32Array,
  dim: number,
  a: number,
  from: number,
  to: number,
  dots: Float64Array,
): void {
  const row = data.subarray(a * dim, (a + 1) * dim);
  let b = from;
  for (; b + 4 <= to; b += 4) {
    const others = data.subarray(b * dim, (b + 4) * dim);
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let i = 0; i < dim; i++) {
      const value = row[i];
      s0 += value * others[i];
      s1 += value * others[i + dim];
      s2 += value * others[i + 2 * dim];
      s3 += value * others[i + 3 * dim];
    }
    dots[b] = s0;
    dots[b + 1] = s1;
    dots[b + 2] = s2;
    dots[b + 3] = s3;
  }
  // In the same order of sums: a pair must not depend on where it stands.
  for (; b < to; b++) {
    let sum = 0;
    for (let i = 0; i < dim; i++) sum += row[i] * data[b * dim + i];
    dots[b] = sum;
  }
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
