/** Rounds after which an eigenvalue counts as not found: one or two are usual. */
const mostRounds = 60;

/** Eigenvalues in falling order, and beside each its vector of length 1. */
export interface EigenPairs {
  /** Shape: [n] */
  values: Float64Array;
  /** Shape: [n, n], one vector a line; the largest component of each is positive. */
  vectors: Float64Array;
}

/**
 * All eigenvalues and eigenvectors of a symmetric matrix.
 *
 * Shape: matrix [n, n] → n pairs; the matrix is overwritten.
 * Cost: O(n³) time, about 2 s for n = 1,024; one more matrix of memory.
 * Source: Householder reduction to tridiagonal form and the QL algorithm with implicit shifts, as in Golub & Van Loan, "Matrix
 * Computations", 8.3.
 */
export function symmetricEigen(matrix: Float64Array, n: number): EigenPairs {
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const vectors = tridiagonalize(matrix, n, diagonal, beside);
  diagonalize(diagonal, beside, vectors, n);
  return sorted(diagonal, vectors, n);
}

/** Reflects column by column until only the diagonal and the line beside it are left. Shape: → [n, n], what led there, transposed */
function tridiagonalize(a: Float64Array, n: number, diagonal: Float64Array, beside: Float64Array) {
  const product = new Float64Array(n);
  const scales = new Float64Array(n);
  for (let column = 0; column < n - 1; column++) {
    diagonal[column] = a[column * n + column];
    // The matrix is symmetric: the column below the diagonal is the line right of it.
    const v = a.subarray(column * n, column * n + n);
    const first = column + 1;
    let square = 0;
    for (let i = first + 1; i < n; i++) square += v[i] * v[i];
    if (square === 0) {
      beside[column] = v[first];
      continue;
    }
    const norm = Math.sqrt(square + v[first] * v[first]);
    const image = v[first] > 0 ? -norm : norm;
    beside[column] = image;
    v[first] -= image;
    const scale = 2 / (square + v[first] * v[first]);
    scales[column] = scale;
    reflectBothSides(a, n, first, v, scale, product);
  }
  diagonal[n - 1] = a[n * n - 1];
  return reflections(a, n, scales);
}

/** A ← H A H of the lower right part, where H = 1 - scale v vᵀ. */
function reflectBothSides(
  a: Float64Array,
  n: number,
  first: number,
  v: Float64Array,
  scale: number,
  product: Float64Array,
): void {
  let along = 0;
  for (let row = first; row < n; row++) {
    const start = row * n;
    let sum = 0;
    for (let i = first; i < n; i++) sum += a[start + i] * v[i];
    product[row] = scale * sum;
    along += product[row] * v[row];
  }
  const half = (scale * along) / 2;
  for (let i = first; i < n; i++) product[i] -= half * v[i];
  for (let row = first; row < n; row++) {
    const start = row * n;
    const [p, q] = [product[row], v[row]];
    for (let i = first; i < n; i++) a[start + i] -= p * v[i] + q * product[i];
  }
}

/** The product of all reflections, transposed: line i becomes the vector of eigenvalue i. */
function reflections(a: Float64Array, n: number, scales: Float64Array): Float64Array {
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) q[i * n + i] = 1;
  for (let column = n - 2; column >= 0; column--) {
    const scale = scales[column];
    if (scale === 0) continue;
    const v = a.subarray(column * n, column * n + n);
    for (let row = column + 1; row < n; row++) {
      const start = row * n;
      let sum = 0;
      for (let i = column + 1; i < n; i++) sum += q[start + i] * v[i];
      sum *= scale;
      for (let i = column + 1; i < n; i++) q[start + i] -= sum * v[i];
    }
  }
  return q;
}

/** Rotates the line beside the diagonal away; the same rotations turn the vectors. */
function diagonalize(d: Float64Array, e: Float64Array, vectors: Float64Array, n: number): void {
  for (let low = 0; low < n; low++) {
    for (let round = 0; ; round++) {
      let end = low;
      while (end < n - 1 && Math.abs(e[end]) > Number.EPSILON * (Math.abs(d[end]) + Math.abs(d[end + 1])))
        end++;
      if (end === low || round === mostRounds) break;
      rotateAway(d, e, vectors, n, low, end);
    }
  }
}

/** One sweep of implicit QL steps over the part low..end. */
function rotateAway(
  d: Float64Array,
  e: Float64Array,
  vectors: Float64Array,
  n: number,
  low: number,
  end: number,
): void {
  const slope = (d[low + 1] - d[low]) / (2 * e[low]);
  const root = Math.hypot(slope, 1);
  let g = d[end] - d[low] + e[low] / (slope + (slope < 0 ? -root : root));
  let sine = 1;
  let cosine = 1;
  let shift = 0;
  for (let i = end - 1; i >= low; i--) {
    const f = sine * e[i];
    const b = cosine * e[i];
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] -= shift;
      e[end] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = d[i + 1] - shift;
    const t = (d[i] - g) * sine + 2 * cosine * b;
    shift = sine * t;
    d[i + 1] = g + shift;
    g = cosine * t - b;
    rotateLines(vectors, i * n, (i + 1) * n, n, sine, cosine);
  }
  d[low] -= shift;
  e[low] = g;
  e[end] = 0;
}

function rotateLines(v: Float64Array, one: number, other: number, n: number, sine: number, cosine: number) {
  for (let k = 0; k < n; k++) {
    const x = v[one + k];
    const y = v[other + k];
    v[other + k] = sine * x + cosine * y;
    v[one + k] = cosine * x - sine * y;
  }
}

function sorted(d: Float64Array, vectors: Float64Array, n: number): EigenPairs {
  const order = Array.from(d, (_, index) => index).sort((a, b) => d[b] - d[a] || a - b);
  const values = Float64Array.from(order, (index) => d[index]);
  const lines = new Float64Array(n * n);
  for (const [place, index] of order.entries()) {
    const line = vectors.subarray(index * n, (index + 1) * n);
    let largest = 0;
    for (const value of line) if (Math.abs(value) > Math.abs(largest)) largest = value;
    const sign = largest < 0 ? -1 : 1;
    for (let i = 0; i < n; i++) lines[place * n + i] = sign * line[i];
  }
  return { values, vectors: lines };
}
