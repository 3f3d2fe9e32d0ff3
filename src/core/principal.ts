import { claimGramSums, gramRows, loadGramKernel, releaseGramSums } from '../kernels/gram.ts';
import type { Matrix, RowBlock } from '../types.ts';
import { type CovarianceOptions, covarianceOf, scaleOf } from './covariance.ts';
import { symmetricEigen } from './eigen.ts';

/** Widest table whose covariance is formed: its eigenvalues take about a second. */
export const widestExact = 1024;

/** Multiplications that take one thread some ten times as long as another one needs to begin. */
const worthSharing = 2 ** 32;

/** Rows of the sample of a wider table, and the bytes that it may take. */
const sampleRows = 1024;
const sampleBytes = 32 << 20;

/** Directions whose variance is less than this part of the largest are rounding. */
const smallestShare = 1e-12;

/** Rows that can be scanned and gathered: a table, or some of its rows. */
export interface RowSource {
  readonly rows: number;
  readonly dim: number;
  /** As a table does. */
  gather(ids: Uint32Array, into?: Float32Array): Promise<Matrix>;
  scan(): AsyncIterable<RowBlock>;
}

/** Whether a second thread is worth its start: where the covariance of all rows is formed, and is much work. */
export function isWorthSharing({ rows, dim }: Pick<RowSource, 'rows' | 'dim'>): boolean {
  return dim <= widestExact && (rows * dim ** 2) / 2 >= worthSharing;
}

/** Directions of largest variance. */
export interface PrincipalComponents {
  /** Rows that took part: the finite ones of the table or of its sample. */
  rows: number;
  /** Only a sample of the rows was looked at. */
  sampled: boolean;
  /** Shape: [dim]; of the rows that took part. NaN when there are none. */
  mean: Float64Array;
  /** Variances along all principal directions, largest first; of the population. Shape: [dim], or [rows] of a wide table */
  variances: Float64Array;
  /** Unit vectors, the component of largest magnitude positive; fewer than asked for when the rows span fewer. Shape: [count][dim] */
  directions: Float64Array[];
}

/**
 * The principal components of the centered rows of a table.
 *
 * Up to 1024 dimensions exact, from the covariance of all rows. Above, from up to 1024 rows at equal distances: a sample can show no more
 * directions than it has rows. Rows with a value that is not finite are left out.
 * Shape: table [rows, dim] → count directions [dim]
 * Cost: one scan, rows · dim² / 2 multiplications and 4/3 dim³ for the eigenvalues; memory 16 dim² bytes. Above 1024 dimensions a gather
 * of the sample, 32 MiB at most.
 */
export async function principalComponents(
  table: RowSource,
  count: number,
  options: CovarianceOptions = {},
): Promise<PrincipalComponents> {
  const { dim } = table;
  if (dim > widestExact) return componentsOfSample(table, count, options);
  const { rows, mean, matrix } = await covarianceOf(() => table.scan(), dim, options);
  if (rows === 0) return { rows, sampled: false, mean, variances: new Float64Array(0), directions: [] };
  const { values, vectors } = symmetricEigen(matrix, dim, Math.min(count, dim));
  const known = countAbove(values, vectors.length);
  return {
    rows,
    sampled: false,
    mean,
    variances: values.map((value) => Math.max(0, value)),
    directions: vectors.slice(0, known),
  };
}

function countAbove(values: Float64Array, most: number): number {
  let known = 0;
  while (known < most && values[known] > 0 && values[known] >= values[0] * smallestShare) known++;
  return known;
}

/** From the products of the rows of a sample: they have the eigenvalues of the covariance, and fewer rows than columns. */
async function componentsOfSample(
  table: RowSource,
  count: number,
  options: CovarianceOptions,
): Promise<PrincipalComponents> {
  const { dim } = table;
  const wanted = Math.min(table.rows, sampleRows, Math.max(2, Math.floor(sampleBytes / (dim * 4))));
  const ids = Uint32Array.from({ length: wanted }, (_, i) => Math.floor((i * table.rows) / wanted));
  const { data } = await table.gather(ids);
  options.advance?.(table.rows);
  const { rows, mean, deviation } = centerSample(data, dim);
  const sampled = wanted < table.rows;
  if (rows === 0) return { rows, sampled, mean, variances: new Float64Array(0), directions: [] };
  const products = await rowProducts(data, rows, dim, deviation, options.kernel ?? 'simd');
  const { values, vectors } = symmetricEigen(products, rows, Math.min(count, rows));
  const known = countAbove(values, vectors.length);
  return {
    rows,
    sampled,
    mean,
    variances: values.map((value) => Math.max(0, value / rows)),
    directions: vectors.slice(0, known).map((weights) => combineRows(data, dim, weights)),
  };
}

/** Moves the finite rows to the front and subtracts their mean, in place. deviation: root mean square of what is left. */
function centerSample(
  data: Float32Array,
  dim: number,
): { rows: number; mean: Float64Array; deviation: number } {
  const mean = new Float64Array(dim);
  let rows = 0;
  for (let start = 0; start < data.length; start += dim) {
    let rest = 0;
    for (let i = start; i < start + dim; i++) rest += data[i] - data[i];
    if (rest !== 0) continue;
    data.copyWithin(rows * dim, start, start + dim);
    for (let i = 0; i < dim; i++) mean[i] += data[start + i];
    rows++;
  }
  for (let i = 0; i < dim; i++) mean[i] /= rows;
  let square = 0;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < dim; i++) {
      const centered = data[row * dim + i] - mean[i];
      data[row * dim + i] = centered;
      square += centered * centered;
    }
  }
  return { rows, mean, deviation: Math.sqrt(square / (rows * dim)) };
}

/**
 * The products of all pairs of rows: those of the columns of the transposed matrix.
 *
 * Shape: data [rows, dim] → [rows, rows], the triangle on and below the diagonal
 */
async function rowProducts(
  data: Float32Array,
  rows: number,
  dim: number,
  deviation: number,
  name: 'ts' | 'simd',
): Promise<Float64Array> {
  const kernel = await loadGramKernel(name, true);
  const scale = scaleOf(deviation);
  const gram = claimGramSums(rows, new Float32Array(rows), scale);
  const turned = new Float32Array(gramRows * rows);
  try {
    for (let first = 0; first < dim; first += gramRows) {
      const columns = Math.min(gramRows, dim - first);
      for (let row = 0; row < rows; row++) {
        for (let i = 0; i < columns; i++) turned[i * rows + row] = data[row * dim + first + i];
      }
      kernel.addRows(gram, turned, columns);
    }
    const products = new Float64Array(rows * rows);
    for (let i = 0; i < rows; i++) {
      for (let j = i; j < rows; j++) products[j * rows + i] = gram.sums[i * gram.width + j] / scale / scale;
    }
    return products;
  } finally {
    releaseGramSums(gram);
  }
}

/** The unit vector along a weighted sum of rows, its component of largest magnitude positive. */
function combineRows(data: Float32Array, dim: number, weights: Float64Array): Float64Array {
  const sum = new Float64Array(dim);
  for (const [row, weight] of weights.entries()) {
    for (let i = 0; i < dim; i++) sum[i] += weight * data[row * dim + i];
  }
  let [at, square] = [0, 0];
  for (let i = 0; i < dim; i++) {
    square += sum[i] * sum[i];
    if (Math.abs(sum[i]) > Math.abs(sum[at])) at = i;
  }
  const length = sum[at] < 0 ? -Math.sqrt(square) : Math.sqrt(square);
  return sum.map((x) => x / length);
}
