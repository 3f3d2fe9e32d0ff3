/** A symmetric matrix as Q T Qᵀ with T tridiagonal. */
interface Tridiagonal {
  /** Shape: [n] */
  diagonal: Float64Array;
  /** Shape: [n]; off[i] couples i - 1 and i, off[0] is 0. */
  off: Float64Array;
  /** Householder vectors: row i has that of step i in its first i values. Shape: [n, n] */
  reflectors: Float64Array;
  /** Half the squared length of each vector; 0 where a step was none. Shape: [n] */
  halves: Float64Array;
}

/** Sweeps of the QL iteration for one eigenvalue; two are usual. */
const mostSweeps = 60;

/** Steps of inverse iteration; two are usual. */
const inverseSteps = 4;

/** What a symmetric matrix is made of. */
export interface Eigen {
  /** All eigenvalues, largest first. */
  values: Float64Array;
  /** Unit eigenvectors of the largest ones, orthogonal; the largest component is positive. Shape: [count][n] */
  vectors: Float64Array[];
}

/**
 * All eigenvalues of a symmetric matrix, and the eigenvectors of the largest ones.
 *
 * Householder tridiagonalization, implicit QL for the values, inverse iteration for the vectors.
 * Shape: matrix [n, n], of which the triangle on and below the diagonal is read and overwritten
 * Cost: 4/3 n³ for the values, O(n² · count) for the vectors; no memory beside the matrix but O(n · count).
 * Source: Martin, Reinsch & Wilkinson 1968 (tred1), Bowdler et al. 1968 (tql1), Peters & Wilkinson 1971 (inverse iteration).
 */
export function symmetricEigen(matrix: Float64Array, n: number, count: number): Eigen {
  const tridiagonal = tridiagonalize(matrix, n);
  const values = eigenvaluesOf(tridiagonal).sort().reverse();
  const vectors = leadingVectors(tridiagonal, values, Math.min(count, n));
  return { values, vectors };
}

/** Eliminates the last row first: what is left is a leading block, whose rows lie together. */
function tridiagonalize(a: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const off = new Float64Array(n);
  const halves = new Float64Array(n);
  const product = new Float64Array(n);
  for (let i = n - 1; i > 0; i--) {
    const u = a.subarray(i * n, i * n + i);
    diagonal[i] = a[i * n + i];
    const scale = u.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const last = u[i - 1];
    if (scale === 0 || i === 1) {
      off[i] = last;
      continue;
    }
    let square = 0;
    for (let k = 0; k < i; k++) {
      u[k] /= scale;
      square += u[k] * u[k];
    }
    const g = u[i - 1] >= 0 ? -Math.sqrt(square) : Math.sqrt(square);
    off[i] = scale * g;
    const half = square - u[i - 1] * g;
    u[i - 1] -= g;
    halves[i] = half;
    reflectBlock(a, n, u, half, product);
  }
  diagonal[0] = a[0];
  return { diagonal, off, reflectors: a, halves };
}

/** The leading block, whose size is that of u, becomes P A P with P = 1 - u uᵀ / half. */
function reflectBlock(
  a: Float64Array,
  n: number,
  u: Float64Array,
  half: number,
  product: Float64Array,
): void {
  const size = u.length;
  product.fill(0, 0, size);
  for (let j = 0; j < size; j++) {
    const x = u[j];
    const start = j * n;
    let sum = 0;
    for (let k = 0; k < j; k++) {
      const y = a[start + k];
      sum += y * u[k];
      product[k] += y * x;
    }
    product[j] += sum + a[start + j] * x;
  }
  let along = 0;
  for (let j = 0; j < size; j++) {
    product[j] /= half;
    along += product[j] * u[j];
  }
  const shift = along / (2 * half);
  for (let j = 0; j < size; j++) product[j] -= shift * u[j];
  for (let j = 0; j < size; j++) {
    const x = u[j];
    const y = product[j];
    const start = j * n;
    for (let k = 0; k <= j; k++) a[start + k] -= x * product[k] + y * u[k];
  }
}

/** The eigenvalues in no order. */
function eigenvaluesOf(tridiagonal: Tridiagonal): Float64Array {
  const n = tridiagonal.diagonal.length;
  const d = tridiagonal.diagonal.slice();
  const e = new Float64Array(n);
  e.set(tridiagonal.off.subarray(1));
  for (let low = 0; low < n; low++) {
    for (let sweep = 0; sweep < mostSweeps; sweep++) {
      let high = low;
      while (high < n - 1 && !isNegligible(e[high], d[high], d[high + 1])) high++;
      if (high === low) break;
      sweepQl(d, e, low, high);
    }
  }
  return d;
}

function isNegligible(off: number, a: number, b: number): boolean {
  return Math.abs(off) <= Number.EPSILON * (Math.abs(a) + Math.abs(b));
}

/** One implicit QL sweep over rows low to high, with Wilkinson's shift. */
function sweepQl(d: Float64Array, e: Float64Array, low: number, high: number): void {
  let g = (d[low + 1] - d[low]) / (2 * e[low]);
  let r = Math.hypot(g, 1);
  g = d[high] - d[low] + e[low] / (g + (g >= 0 ? r : -r));
  let [s, c, p] = [1, 1, 0];
  for (let i = high - 1; i >= low; i--) {
    const f = s * e[i];
    const b = c * e[i];
    r = Math.sqrt(f * f + g * g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] -= p;
      e[high] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1] - p;
    r = (d[i] - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
  }
  d[low] -= p;
  e[low] = g;
  e[high] = 0;
}

function leadingVectors(tridiagonal: Tridiagonal, values: Float64Array, count: number): Float64Array[] {
  const n = values.length;
  const vectors: Float64Array[] = [];
  const norm = Math.max(Math.abs(values[0] ?? 0), Math.abs(values[n - 1] ?? 0));
  if (norm === 0) return Array.from({ length: count }, (_, i) => new Float64Array(n).fill(1, i, i + 1));
  let value = Number.POSITIVE_INFINITY;
  for (let k = 0; k < count; k++) {
    // Equal values are told apart by less than their own error, so that no two systems are one.
    value = Math.min(values[k], value - norm * Number.EPSILON);
    vectors.push(inverseIteration(tridiagonal, value, norm, vectors));
  }
  for (const vector of vectors) {
    rotateBack(tridiagonal, vector);
    orient(vector);
  }
  return vectors;
}

/** The eigenvector of T for a value, orthogonal to those found before. */
function inverseIteration(
  tridiagonal: Tridiagonal,
  value: number,
  norm: number,
  before: readonly Float64Array[],
): Float64Array {
  const n = tridiagonal.diagonal.length;
  const solve = shiftedSolver(tridiagonal, value, norm * Number.EPSILON);
  const vector = new Float64Array(n);
  // Any start that has a part along every vector; the same each time.
  let state = 12345 + before.length;
  for (let i = 0; i < n; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    vector[i] = state / 2 ** 32 - 0.5;
  }
  for (let step = 0; step < inverseSteps; step++) {
    solve(vector);
    normalize(vector);
    // Twice: after the first time rounding leaves something where a vector lay almost wholly in those before.
    for (let time = 0; time < 2; time++) {
      for (const other of before) subtractAlong(vector, other);
      normalize(vector);
    }
  }
  return vector;
}

/** Solves (T - value) x = b in place, by Gaussian elimination with row exchanges; pivots of zero become tiny. */
function shiftedSolver(
  { diagonal, off }: Tridiagonal,
  value: number,
  tiny: number,
): (b: Float64Array) => void {
  const n = diagonal.length;
  // Upper triangle: three diagonals; multipliers and exchanges of the elimination.
  const [first, second, third] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  const multipliers = new Float64Array(n);
  const swapped = new Uint8Array(n);
  let a = diagonal[0] - value;
  let b = n > 1 ? off[1] : 0;
  for (let i = 0; i < n - 1; i++) {
    const below = off[i + 1];
    const next = diagonal[i + 1] - value;
    const after = i + 2 < n ? off[i + 2] : 0;
    if (Math.abs(below) > Math.abs(a)) {
      swapped[i] = 1;
      const factor = a / below;
      [first[i], second[i], third[i], multipliers[i]] = [below, next, after, factor];
      [a, b] = [b - factor * next, -factor * after];
    } else {
      const pivot = a === 0 ? tiny : a;
      const factor = below / pivot;
      [first[i], second[i], third[i], multipliers[i]] = [pivot, b, 0, factor];
      [a, b] = [next - factor * b, after];
    }
  }
  first[n - 1] = Math.abs(a) < tiny ? tiny : a;
  return (x) => {
    for (let i = 0; i < n - 1; i++) {
      if (swapped[i] === 1) [x[i], x[i + 1]] = [x[i + 1], x[i]];
      x[i + 1] -= multipliers[i] * x[i];
    }
    for (let i = n - 1; i >= 0; i--) {
      const more = i + 1 < n ? second[i] * x[i + 1] : 0;
      x[i] = (x[i] - more - (i + 2 < n ? third[i] * x[i + 2] : 0)) / first[i];
    }
  };
}

/** Largest first, so that no square overflows. */
function normalize(vector: Float64Array): void {
  let most = 0;
  for (const x of vector) most = Math.max(most, Math.abs(x));
  if (!(most > 0)) return;
  let square = 0;
  for (const x of vector) square += (x / most) ** 2;
  const norm = Math.sqrt(square);
  for (let i = 0; i < vector.length; i++) vector[i] = vector[i] / most / norm;
}

function subtractAlong(vector: Float64Array, unit: Float64Array): void {
  let along = 0;
  for (let i = 0; i < vector.length; i++) along += vector[i] * unit[i];
  for (let i = 0; i < vector.length; i++) vector[i] -= along * unit[i];
}

/** From an eigenvector of T to one of the matrix. */
function rotateBack({ reflectors, halves }: Tridiagonal, vector: Float64Array): void {
  const n = vector.length;
  for (let i = 1; i < n; i++) {
    if (halves[i] === 0) continue;
    const start = i * n;
    let along = 0;
    for (let k = 0; k < i; k++) along += reflectors[start + k] * vector[k];
    along /= halves[i];
    for (let k = 0; k < i; k++) vector[k] -= along * reflectors[start + k];
  }
}

/** Of a vector and its opposite, the one whose largest component is positive. */
function orient(vector: Float64Array): void {
  let at = 0;
  for (let i = 1; i < vector.length; i++) if (Math.abs(vector[i]) > Math.abs(vector[at])) at = i;
  if (vector[at] < 0) for (let i = 0; i < vector.length; i++) vector[i] = -vector[i];
}
