import type { EmbeddingTable } from '../types.ts';
import { type RowSums, squareOf, sumRows, visitRows } from './audit-rows.ts';
import { principalComponents } from './principal.ts';

/** Numbers that are low where a row was hardly trained, as `--indicator` names them. */
export const indicatorNames = ['input-norm', 'output-cosine', 'output-cosine-pc1', 'output-l2'] as const;

export type IndicatorName = (typeof indicatorNames)[number];

/** Norms below it count as it: rows of zeros have a distance, not a NaN. Source: magikarp/utils.py, cosine_distance */
const smallestNorms = 1e-6;

/** Unused rows that are averaged at most: those of a table padded to twice its size would be a scan of their own. */
const mostAveraged = 4096;

/** The distances of every row of an output table to the mean of unused rows. */
export interface OutputDistances {
  /** Shape: [rows]. 1 - cosine, 0..2. */
  cosine: Float64Array;
  /** Shape: [rows]. The same when the first principal component is taken from both; absent when it was not asked for. */
  cosineWithoutFirst?: Float64Array;
  /** Shape: [rows] */
  l2: Float64Array;
}

/** The mean of the rows that nothing can have trained. */
export interface Reference {
  /** Rows of zeros and rows with values that are not finite are left out. */
  ids: number[];
  /** Shape: [dim] */
  mean: Float64Array;
}

/** The mean of chosen rows, of 4,096 evenly spaced ones when they are more; undefined when none can be used. Cost: reads the rows. */
export async function meanOfUnused(
  table: EmbeddingTable,
  ids: readonly number[],
): Promise<Reference | undefined> {
  const mean = new Float64Array(table.dim);
  const used: number[] = [];
  const step = Math.max(1, ids.length / mostAveraged);
  const chosen = Array.from(
    { length: Math.min(ids.length, mostAveraged) },
    (_, i) => ids[Math.floor(i * step)],
  );
  await visitRows(table, chosen, (id, row) => {
    const square = squareOf(row);
    if (!(square > 0 && square < Number.POSITIVE_INFINITY)) return;
    used.push(id);
    for (let i = 0; i < row.length; i++) mean[i] += row[i];
  });
  if (used.length === 0) return undefined;
  for (let i = 0; i < mean.length; i++) mean[i] /= used.length;
  return { ids: used, mean };
}

export interface OutputOptions {
  /** Take the first principal component out as well: one scan more, of a sample of rows above 1,024 dimensions. */
  withoutFirst: boolean;
  advance?(rows: number): void;
}

/** An output table in one scan: sums of its rows and how far they are from the mean of unused rows. */
export interface OutputScan {
  sums: RowSums;
  distances: OutputDistances;
  /** The same distances of chosen rows in float64, written over those of the scan. Cost: reads the rows again. */
  refine(ids: readonly number[]): Promise<void>;
}

/**
 * How far every row of an output table is from the mean of rows that nothing can have trained.
 *
 * Cosine distance 1 - x·u / max(|x| |u|, 1e-6); without the first principal component c (of the centered table) the same of
 * x - (x·c)c and u - (u·c)c; L2 distance |x - u|.
 * Units: from float32 sums, good to about 1e-6 of |x| |u|; refine() makes chosen ones exact.
 * Source: Land & Bartolo 2024, "Fishing for Magikarp", section 3.2; magikarp/utils.py, embedding_distance_metrics
 */
export async function scanOutput(
  table: EmbeddingTable,
  { mean }: Reference,
  options: OutputOptions,
): Promise<OutputScan> {
  const first = options.withoutFirst ? await firstComponent(table) : undefined;
  const sums = await sumRows(table, first === undefined ? [mean] : [mean, first], options.advance);
  const { rows } = table;
  const distances: OutputDistances = {
    cosine: new Float64Array(rows),
    l2: new Float64Array(rows),
    ...(first === undefined ? {} : { cosineWithoutFirst: new Float64Array(rows) }),
  };
  const meter = new Meter(distances, mean, first);
  for (let row = 0; row < rows; row++)
    meter.measure(row, sums.squares[row], sums.dots[0][row], sums.dots[1]?.[row]);
  const refine = (ids: readonly number[]) =>
    visitRows(table, ids, (id, row) => {
      sums.squares[id] = squareOf(row);
      meter.measure(id, sums.squares[id], dot(row, mean), first && dot(row, first));
      // Near the mean the difference of squares has lost what the difference of values has not.
      distances.l2[id] = distance(row, mean);
    });
  return { sums, distances, refine };
}

/** Nothing is taken out of a table whose rows do not differ. Shape: [dim] */
async function firstComponent(table: EmbeddingTable): Promise<Float64Array> {
  const { directions } = await principalComponents(table, 1);
  return directions[0] ?? new Float64Array(table.dim);
}

/** Distances from sums. */
class Meter {
  readonly #into: OutputDistances;
  readonly #meanSquare: number;
  readonly #meanAlongFirst: number;

  constructor(into: OutputDistances, mean: Float64Array, first: Float64Array | undefined) {
    this.#into = into;
    this.#meanSquare = squareOf(mean);
    this.#meanAlongFirst = first === undefined ? 0 : dot(mean, first);
  }

  measure(row: number, square: number, along: number, alongFirst: number | undefined): void {
    this.#into.cosine[row] = cosineDistance(along, square, this.#meanSquare);
    this.#into.l2[row] = Math.sqrt(Math.max(0, square - 2 * along + this.#meanSquare));
    if (alongFirst === undefined || this.#into.cosineWithoutFirst === undefined) return;
    const meanAlong = this.#meanAlongFirst;
    this.#into.cosineWithoutFirst[row] = cosineDistance(
      along - alongFirst * meanAlong,
      Math.max(0, square - alongFirst * alongFirst),
      Math.max(0, this.#meanSquare - meanAlong * meanAlong),
    );
  }
}

function cosineDistance(dotProduct: number, square: number, other: number): number {
  return 1 - dotProduct / Math.max(smallestNorms, Math.sqrt(square) * Math.sqrt(other));
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return Math.sqrt(sum);
}
