import { claimBytes, releaseBytes } from '../kernels/arena.ts';
import { type DotKernel, loadDotKernel } from '../kernels/dots.ts';
import type { EmbeddingTable } from '../types.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

/** Up to this width the covariance of all rows is decomposed. */
const exactDim = 1024;

/** Rows of a block that are turned into columns at a time: their float32 sums stay short. */
const chunkRows = 256;

/** Columns that are compared with all columns right of them in one call of the kernel. */
const panelColumns = 128;

/** Values of a sample of rows: 32 MB. */
const sampleValues = 1 << 23;

/** Directions beyond those asked for that subspace iteration carries along: they make it converge. */
const spareDirections = 8;

/** Rounds of subspace iteration at most, and the error, as a part of the eigenvalue, at which it ends. */
const mostRounds = 20;
const goodEnough = 1e-6;

/** What is subtracted from rows and queries before they are compared. */
export interface Components {
  /** Shape: [dim] */
  mean: Float64Array;
  /** Shape: [count, dim], of length 1 and at right angles, the one of the largest variance first. */
  directions: Float64Array;
  count: number;
  /** How many rows the directions were taken from; all of them up to a dim of 1,024. */
  rows: number;
}

/**
 * The mean row and the leading principal components of a table. Rows with a value that is not finite are passed over.
 *
 * Cost: up to a dim of 1,024 two scans, O(rows · dim²) time by SIMD, and an O(dim³) decomposition; above, one scan for the mean, and subspace
 * iteration on evenly spaced rows, at most 32 MB of them.
 * Source: Halko, Martinsson & Tropp 2011, "Finding Structure with Randomness", algorithm 4.4, with Rayleigh-Ritz.
 */
export async function principalComponents(
  table: EmbeddingTable,
  count: number,
  kernelName: 'ts' | 'simd' = 'simd',
): Promise<Components> {
  const { dim } = table;
  const mean = await meanOfFinite(table);
  const kernel = await loadDotKernel(kernelName);
  if (dim <= exactDim) {
    const { gram, rows } = await covariance(table, mean, kernel);
    const { vectors } = symmetricEigen(gram, dim);
    return { mean, directions: vectors.slice(0, count * dim), count, rows };
  }
  const sample = await centeredSample(table, mean);
  const directions = await iterateSubspace(sample, dim, count, kernel);
  return { mean, directions, count, rows: sample.length / dim };
}

/** Takes the mean and the directions out of a row, in place. Shape: row [dim] */
export function removeComponents(row: Float64Array, { mean, directions, count }: Components): void {
  const dim = mean.length;
  for (let i = 0; i < dim; i++) row[i] -= mean[i];
  for (let start = 0; start < count * dim; start += dim) {
    let along = 0;
    for (let i = 0; i < dim; i++) along += row[i] * directions[start + i];
    for (let i = 0; i < dim; i++) row[i] -= along * directions[start + i];
  }
}

/** The sum of values is finite exactly when all of them are: float64 holds the sum of any float32. */
function isFiniteRow(data: Float32Array, start: number, dim: number): boolean {
  let sum = 0;
  for (let i = start; i < start + dim; i++) sum += data[i];
  return Number.isFinite(sum);
}

async function meanOfFinite(table: EmbeddingTable): Promise<Float64Array> {
  const { dim } = table;
  const mean = new Float64Array(dim);
  let rows = 0;
  for await (const { rows: count, data } of table.scan()) {
    for (let start = 0; start < count * dim; start += dim) {
      if (!isFiniteRow(data, start, dim)) continue;
      rows++;
      for (let i = 0; i < dim; i++) mean[i] += data[start + i];
    }
  }
  for (let i = 0; i < dim; i++) mean[i] /= Math.max(1, rows);
  return mean;
}

/** Sums of products of centered columns. Shape: → gram float64 [dim, dim], and the rows that count */
async function covariance(
  table: EmbeddingTable,
  mean: Float64Array,
  kernel: DotKernel,
): Promise<{ gram: Float64Array; rows: number }> {
  const { dim } = table;
  const gram = new Float64Array(dim * dim);
  const columns = claimFloats(dim * chunkRows);
  const dots = claimFloats((panelColumns + 1) * dim);
  const squares = claimFloats(dim);
  let rows = 0;
  try {
    for await (const block of table.scan()) {
      for (let first = 0; first < block.rows; first += chunkRows) {
        const count = Math.min(chunkRows, block.rows - first);
        const data = block.data.subarray(first * dim, (first + count) * dim);
        rows += turnRows(data, mean, columns);
        for (let panel = 0; panel < dim; panel += panelColumns) {
          const width = Math.min(panelColumns, dim - panel);
          const right = columns.subarray(panel * chunkRows);
          const queries = right.subarray(0, width * chunkRows);
          const length = dim - panel;
          kernel.dotRows({
            data: right,
            rows: length,
            dim: chunkRows,
            queries,
            count: width,
            dots,
            stride: length,
            squares,
          });
          for (let line = 0; line < width; line++) {
            const to = (panel + line) * dim + panel;
            for (let i = line; i < length; i++) gram[to + i] += dots[line * length + i];
          }
        }
      }
    }
  } finally {
    for (const floats of [columns, dots, squares])
      releaseBytes(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength));
  }
  for (let line = 0; line < dim; line++)
    for (let i = 0; i < line; i++) gram[line * dim + i] = gram[i * dim + line];
  return { gram, rows };
}

/** Writes centered rows as columns; rows that do not count and those that are not there become zeros. Returns how many count. */
function turnRows(data: Float32Array, mean: Float64Array, columns: Float32Array): number {
  const dim = mean.length;
  let rows = 0;
  for (let row = 0; row < chunkRows; row++) {
    const start = row * dim;
    const counts = start < data.length && isFiniteRow(data, start, dim);
    if (counts) rows++;
    for (let i = 0; i < dim; i++) columns[i * chunkRows + row] = counts ? data[start + i] - mean[i] : 0;
  }
  return rows;
}

/** Evenly spaced rows, centered. Shape: → [sampled, dim] */
async function centeredSample(table: EmbeddingTable, mean: Float64Array): Promise<Float32Array> {
  const { dim } = table;
  const count = Math.max(1, Math.min(table.rows, Math.floor(sampleValues / dim)));
  const ids = Uint32Array.from({ length: count }, (_, index) => Math.floor((index * table.rows) / count));
  const { data } = await table.gather(ids);
  let kept = 0;
  for (let start = 0; start < count * dim; start += dim) {
    if (!isFiniteRow(data, start, dim)) continue;
    for (let i = 0; i < dim; i++) data[kept + i] = data[start + i] - mean[i];
    kept += dim;
  }
  return data.subarray(0, kept);
}

/** The leading directions of centered rows. Shape: rows [n, dim] → [count, dim] */
async function iterateSubspace(
  rows: Float32Array,
  dim: number,
  count: number,
  kernel: DotKernel,
): Promise<Float64Array> {
  const width = Math.min(dim, count + spareDirections);
  const basis = startingBasis(width, dim);
  orthonormalize(basis, width, dim);
  for (let round = 1; ; round++) {
    const { images, inner } = multiplyTwice(rows, basis, width, dim, kernel);
    const { values, vectors } = symmetricEigen(inner, width);
    const turned = turn(basis, vectors, width, dim);
    const turnedImages = turn(images, vectors, width, dim);
    const error = largestError(turned, turnedImages, values, count, dim);
    if (error <= goodEnough || round === mostRounds) return turned.slice(0, count * dim);
    basis.set(turnedImages);
    orthonormalize(basis, width, dim);
    // Signals get through between two rounds.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Values between -1 and 1 from a fixed sequence. */
function startingBasis(width: number, dim: number): Float64Array {
  let state = 1;
  return Float64Array.from({ length: width * dim }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** images: Xᵀ X V; inner: (X V)ᵀ (X V). Shape: rows X [n, dim], basis Vᵀ [width, dim] */
function multiplyTwice(
  rows: Float32Array,
  basis: Float64Array,
  width: number,
  dim: number,
  kernel: DotKernel,
): { images: Float64Array; inner: Float64Array } {
  const images = new Float64Array(width * dim);
  const inner = new Float64Array(width * width);
  const queries = claimFloats(width * dim);
  const dots = claimFloats((width + 1) * chunkRows);
  const squares = claimFloats(chunkRows);
  queries.set(basis);
  for (let first = 0; first < rows.length / dim; first += chunkRows) {
    const data = rows.subarray(first * dim, (first + chunkRows) * dim);
    const count = data.length / dim;
    kernel.dotRows({ data, rows: count, dim, queries, count: width, dots, stride: chunkRows, squares });
    for (let line = 0; line < width; line++) {
      const to = images.subarray(line * dim, (line + 1) * dim);
      for (let row = 0; row < count; row++) {
        const weight = dots[line * chunkRows + row];
        for (let i = 0; i < dim; i++) to[i] += weight * data[row * dim + i];
        for (let other = 0; other < width; other++)
          inner[line * width + other] += weight * dots[other * chunkRows + row];
      }
    }
  }
  for (const floats of [queries, dots, squares])
    releaseBytes(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength));
  return { images, inner };
}

/** Lines of `vectors` times `lines`. Shape: vectors [width, width], lines [width, dim] → [width, dim] */
function turn(lines: Float64Array, vectors: Float64Array, width: number, dim: number): Float64Array {
  const turned = new Float64Array(width * dim);
  for (let line = 0; line < width; line++) {
    for (let from = 0; from < width; from++) {
      const weight = vectors[line * width + from];
      for (let i = 0; i < dim; i++) turned[line * dim + i] += weight * lines[from * dim + i];
    }
  }
  return turned;
}

/** Length of C v - value v as a part of the value, of the worst of the first directions. */
function largestError(
  turned: Float64Array,
  images: Float64Array,
  values: Float64Array,
  count: number,
  dim: number,
): number {
  let worst = 0;
  for (let line = 0; line < count; line++) {
    let square = 0;
    for (let i = line * dim; i < (line + 1) * dim; i++) square += (images[i] - values[line] * turned[i]) ** 2;
    worst = Math.max(worst, Math.sqrt(square) / Math.max(values[line], Number.MIN_VALUE));
  }
  return worst;
}

/** Gram-Schmidt, twice: once leaves rounding errors. A line that is nothing but those becomes zeros. */
function orthonormalize(lines: Float64Array, width: number, dim: number): void {
  for (let line = 0; line < width; line++) {
    const own = lines.subarray(line * dim, (line + 1) * dim);
    const before = normOf(own);
    for (let again = 0; again < 2; again++) {
      for (let start = 0; start < line * dim; start += dim) {
        let along = 0;
        for (let i = 0; i < dim; i++) along += own[i] * lines[start + i];
        for (let i = 0; i < dim; i++) own[i] -= along * lines[start + i];
      }
    }
    const norm = normOf(own);
    const scale = norm > before * 1e-10 ? 1 / norm : 0;
    for (let i = 0; i < dim; i++) own[i] *= scale;
  }
}

function normOf(line: Float64Array): number {
  let square = 0;
  for (const value of line) square += value * value;
  return Math.sqrt(square);
}

function claimFloats(length: number): Float32Array {
  const bytes = claimBytes(length * 4);
  return new Float32Array(bytes.buffer, bytes.byteOffset, length);
}
