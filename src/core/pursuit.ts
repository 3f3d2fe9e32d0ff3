import type { EmbeddingTable } from '../types.ts';
import { leastSquares, nonNegativeLeastSquares, residualOf } from './least-squares.ts';
import { findNeighbors } from './neighbors.ts';

/** A residual below this of the vector is the rounding of float32 rows. */
const rounding = 1e-6;

export interface PursuitOptions {
  /** Most rows of a sum. */
  k: number;
  /** No coefficient below 0. */
  nonNegative?: boolean;
  /** Stops when the residual is at most this of the vector. Units: 0..1 */
  tolerance?: number;
  /** Rows that may not be used. */
  exclude?: ReadonlySet<number>;
  /** 1 for rows that may be used; all when absent. Shape: [rows] */
  among?: Uint8Array;
  kernel?: 'ts' | 'simd';
  /** Told how many rows a pass went through. */
  advance?(rows: number): void;
}

/** A row of the sum, in the order of choice. */
export interface PursuitStep {
  row: number;
  /** What the row as it is in the table is multiplied with in the sum of all steps. */
  coefficient: number;
  /** With the residual it was chosen for. Units: -1..1 */
  cosine: number;
  /** What the sum of the steps so far, with coefficients of its own, leaves: length of the residual / of the vector. */
  residual: number;
}

/**
 * A vector as a sum of few rows: orthogonal matching pursuit.
 *
 * Every step takes the row whose cosine with the residual is farthest from 0 (the highest one when non-negative), and fits all
 * coefficients again by least squares. It ends early when no row helps or nothing is left.
 * Shape: table [rows, dim], vector [dim] → at most k steps
 * Cost: a scan of the table per step.
 * Source: Pati, Rezaiifar & Krishnaprasad 1993; scikit-learn's orthogonal_mp on rows of length 1 gives the same.
 */
export async function pursue(
  table: EmbeddingTable,
  vector: Float32Array,
  options: PursuitOptions,
): Promise<PursuitStep[]> {
  const { k, nonNegative = false, tolerance = 0, among, kernel, advance } = options;
  const target = Float64Array.from(vector);
  const whole = lengthOf(target);
  const used = new Set(options.exclude);
  const solve = nonNegative ? nonNegativeLeastSquares : leastSquares;
  const columns: Float64Array[] = [];
  const chosen: Omit<PursuitStep, 'coefficient'>[] = [];
  let coefficients = new Float64Array(0);
  let rest: Float64Array = target;
  let left = 1;
  while (chosen.length < k && left > Math.max(tolerance, rounding)) {
    const queries = directions(rest, nonNegative ? 1 : 2);
    const exclude = nonNegative ? [used] : [used, used];
    const found = await findNeighbors(table, queries, {
      k: 1,
      metric: 'cosine',
      exclude,
      among,
      kernel,
      advance,
    });
    const [along, against] = found.map(([nearest]) => nearest);
    const opposite = against !== undefined && against.score > (along?.score ?? 0);
    const best = opposite ? against : along;
    if (best === undefined || !(best.score > 0)) break;
    used.add(best.row);
    const { data } = await table.gather(Uint32Array.of(best.row));
    columns.push(Float64Array.from(data));
    coefficients = Float64Array.from(solve(columns, target));
    rest = residualOf(columns, coefficients, target);
    left = lengthOf(rest) / whole;
    chosen.push({ row: best.row, cosine: opposite ? -best.score : best.score, residual: left });
  }
  return chosen.map((step, index) => ({ ...step, coefficient: coefficients[index] }));
}

/** A residual at length 1, so that float32 holds it however small it is, and its opposite. Shape: → [count * dim] */
function directions(rest: Float64Array, count: number): Float32Array {
  const length = lengthOf(rest);
  const queries = new Float32Array(count * rest.length);
  rest.forEach((value, i) => {
    queries[i] = value / length;
    if (count > 1) queries[rest.length + i] = -value / length;
  });
  return queries;
}

/** Float64 holds the squares of all float32 values. */
function lengthOf(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
