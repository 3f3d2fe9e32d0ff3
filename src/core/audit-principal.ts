import type { EmbeddingTable } from '../types.ts';

/** Scans at most: directions that so many do not tell apart are as good as each other. */
const mostSteps = 48;

/** Residual, as a part of the variance, at which the direction is known. */
const tolerance = 1e-9;

/** Inverse iterations at an eigenvalue that is known to the last bits: one is usual. */
const inverseRounds = 3;

/** Its inverse, squared, is still a number. */
const smallestPivot = 1e-150;

/**
 * The first principal component of a table, of length 1; rows with values that are not finite are left out.
 *
 * Lanczos iteration on the covariance, reorthogonalized, in float64, until the residual is 1e-9 of the variance.
 * Shape: table [rows, dim] → [dim]
 * Cost: one scan for the mean and about 10 to 20 more, at most 48; O(dim) memory for each.
 */
export async function principalDirection(table: EmbeddingTable): Promise<Float64Array> {
  const { dim } = table;
  const { mean, count } = await finiteMean(table);
  const basis: Float64Array[] = [];
  const diagonal: number[] = [];
  const beside: number[] = [];
  // Any start will do that no table is likely to be orthogonal to.
  let next = scaled(Float64Array.from({ length: dim }, (_, i) => Math.cos(i * i + 1)));
  let weights = new Float64Array([1]);
  for (let step = 0; step < Math.min(mostSteps, dim); step++) {
    basis.push(next);
    const image = await timesCovariance(table, next, mean, count);
    diagonal.push(dot(image, next));
    // Twice is enough: what rounding leaves of the earlier vectors would come back as copies of the answer.
    for (let pass = 0; pass < 2; pass++)
      for (const vector of basis) addTo(image, vector, -dot(image, vector));
    const left = Math.sqrt(dot(image, image));
    const top = topOfTridiagonal(diagonal, beside);
    weights = top.vector;
    if (left * Math.abs(weights[step]) <= tolerance * Math.abs(top.value)) break;
    beside.push(left);
    next = scaled(image);
  }
  const direction = new Float64Array(dim);
  for (const [index, weight] of weights.entries()) addTo(direction, basis[index], weight);
  return scaled(direction);
}

async function finiteMean(table: EmbeddingTable): Promise<{ mean: Float64Array; count: number }> {
  const { dim } = table;
  const mean = new Float64Array(dim);
  let count = 0;
  for await (const { data, rows } of table.scan()) {
    for (let row = 0; row < rows; row++) {
      const start = row * dim;
      let sum = 0;
      for (let i = 0; i < dim; i++) sum += data[start + i];
      if (!Number.isFinite(sum)) continue;
      for (let i = 0; i < dim; i++) mean[i] += data[start + i];
      count++;
    }
  }
  for (let i = 0; i < dim; i++) mean[i] /= Math.max(1, count);
  return { mean, count };
}

/** (Σ x xᵀ / n - m mᵀ) v */
async function timesCovariance(
  table: EmbeddingTable,
  vector: Float64Array,
  mean: Float64Array,
  count: number,
): Promise<Float64Array<ArrayBuffer>> {
  const { dim } = table;
  const image = new Float64Array(dim);
  for await (const { data, rows } of table.scan()) {
    for (let row = 0; row < rows; row++) {
      const start = row * dim;
      let along = 0;
      for (let i = 0; i < dim; i++) along += data[start + i] * vector[i];
      if (!Number.isFinite(along)) continue;
      for (let i = 0; i < dim; i++) image[i] += along * data[start + i];
    }
  }
  for (let i = 0; i < dim; i++) image[i] /= Math.max(1, count);
  addTo(image, mean, -dot(mean, vector));
  return image;
}

/** The largest eigenvalue of a symmetric tridiagonal matrix by bisection, and its vector by inverse iteration. */
function topOfTridiagonal(
  diagonal: readonly number[],
  beside: readonly number[],
): { value: number; vector: Float64Array<ArrayBuffer> } {
  const reach = diagonal.map((value, i) => value + Math.abs(beside[i - 1] ?? 0) + Math.abs(beside[i] ?? 0));
  let low = Math.max(...diagonal);
  let high = Math.max(...reach);
  for (;;) {
    const middle = (low + high) / 2;
    if (!(middle > low && middle < high)) break;
    if (hasAbove(diagonal, beside, middle)) low = middle;
    else high = middle;
  }
  let vector = new Float64Array(diagonal.length).fill(1);
  for (let round = 0; round < inverseRounds; round++)
    vector = scaled(solveShifted(diagonal, beside, high, vector));
  return { value: high, vector };
}

/** Whether the matrix has an eigenvalue above x: the signs of Sturm's sequence. */
function hasAbove(diagonal: readonly number[], beside: readonly number[], x: number): boolean {
  let pivot = diagonal[0] - x;
  for (let i = 1; i < diagonal.length && pivot <= 0; i++)
    pivot = diagonal[i] - x - (beside[i - 1] * beside[i - 1]) / awayFromZero(pivot);
  return pivot > 0;
}

/** Solves (T - shift) y = right; no eigenvalue lies above the shift, so no pivot need be sought. */
function solveShifted(
  diagonal: readonly number[],
  beside: readonly number[],
  shift: number,
  right: Float64Array,
): Float64Array<ArrayBuffer> {
  const size = diagonal.length;
  const solved = Float64Array.from(right);
  const pivots = Float64Array.from(diagonal, (value) => value - shift);
  pivots[0] = awayFromZero(pivots[0]);
  for (let i = 1; i < size; i++) {
    const factor = beside[i - 1] / pivots[i - 1];
    pivots[i] = awayFromZero(pivots[i] - factor * beside[i - 1]);
    solved[i] -= factor * solved[i - 1];
  }
  for (let i = size - 1; i >= 0; i--) {
    if (i + 1 < size) solved[i] -= beside[i] * solved[i + 1];
    solved[i] /= pivots[i];
  }
  return solved;
}

/** A pivot that rounding made 0 counts as the smallest that a vector survives. */
function awayFromZero(pivot: number): number {
  return Math.abs(pivot) < smallestPivot ? -smallestPivot : pivot;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function addTo(into: Float64Array, vector: Float64Array, factor: number): void {
  for (let i = 0; i < into.length; i++) into[i] += factor * vector[i];
}

function scaled(vector: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const length = Math.sqrt(dot(vector, vector));
  return length > 0 ? vector.map((value) => value / length) : vector;
}
