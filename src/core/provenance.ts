import type { EmbeddingTable } from '../types.ts';
import { findTwins, visitRows } from './audit-rows.ts';
import { type Moments, measureRows } from './row-moments.ts';

/** Where a row comes from, in the order in which it is reported. */
export const provenances = ['nan', 'zero', 'copy', 'mean-init', 'normal-init', 'trained'] as const;

export type Provenance = (typeof provenances)[number];

/** A mean-initialized row lies this much nearer to the mean than rows do on average. */
const meanShare = 0.02;

/** With fewer values or rows nothing is told from chance. */
const fewestColumns = 16;
const fewestRows = 16;

/** A statistic of a drawn row is off by this many of its standard errors at most: one row in two million would be. */
const errors = 5;

/** How much likelier a row must be as drawn than as one of the table's. Units: natural logarithm, to which that of the rows is added */
const evidence = 20;

/** Standard deviations that libraries draw with, where the config names none. */
const knownSigmas = [0.02, 0.01, 0.006, 1];

/** Share of rows that are as drawn in a table that was not trained. */
const untrainedShare = 0.98;

export interface ProvenanceOptions {
  /** Rows from here on are new: added to the vocabulary, or padding. Default: none */
  newFrom?: number;
  /** The config's initializer_range. */
  sigma?: number;
  advance?(rows: number): void;
}

/** What is known of every row. */
export interface Provenances {
  /** Shape: [rows]. Index into provenances. */
  kinds: Uint8Array;
  /** Shape: [rows]. The earlier row with the same values, -1 where there is none. */
  twins: Int32Array;
  /** Root mean square of the table as a whole is that of one normal distribution, of this sigma; null for a trained table. */
  untrained: number | null;
  /** The standard deviation that a normal-init row was drawn with: a known one where it fits, else the row's own. */
  sigmaOf(row: number): number;
}

/**
 * Where every row of a table comes from.
 *
 * nan: a value is no number or infinite. zero: all values are 0. mean-init: within a fiftieth of the usual distance of the mean of the old
 * rows. copy: the values of an earlier row. normal-init: values as a normal distribution around 0 gives them, of a standard deviation
 * that libraries use (new rows: of any), far likelier than as a row of this table, and not along its mean. trained: everything else.
 *
 * Shape: table [rows, dim]
 * Cost: one scan, and again the rows that share a sum of squares, or that may be one of the two.
 * Source: resize_token_embeddings of transformers, which draws new rows from N(mean, covariance · 1e-9), or from N(0, initializer_range²).
 */
export async function findProvenances(
  table: EmbeddingTable,
  { newFrom = table.rows, sigma, advance }: ProvenanceOptions = {},
): Promise<Provenances> {
  const moments = await measureRows(table, newFrom, advance);
  const twins = await findTwins(table, moments.squares);
  const sigmas = sigma !== undefined && sigma > 0 ? [sigma, ...knownSigmas] : knownSigmas;
  const untrained = drawnAsWhole(moments, table, sigmas);
  const kinds = new Uint8Array(table.rows);
  const code = (kind: Provenance) => provenances.indexOf(kind);
  const open: number[] = [];
  for (let row = 0; row < table.rows; row++) {
    const square = moments.squares[row];
    if (!Number.isFinite(square)) kinds[row] = code('nan');
    else if (square === 0) kinds[row] = code('zero');
    else {
      kinds[row] = code(twins[row] >= 0 ? 'copy' : 'trained');
      open.push(row);
    }
  }
  const sigmaOf = (row: number) => {
    const own = Math.sqrt(moments.squares[row] / table.dim);
    return sigmas.find((known) => fits(own, known, table.dim)) ?? own;
  };
  const judge = new Judge(moments, table.dim, newFrom);
  if (judge.canTell) {
    const doubtful = open.filter((row) => judge.maybeMean(row) || judge.maybeDrawn(row, sigmas));
    await visitRows(table, doubtful, (row, values) => {
      // Rows that were all set to one mean are copies of each other, too: the mean says more.
      if (judge.isMean(values)) kinds[row] = code('mean-init');
      else if (twins[row] >= 0) return;
      else if (untrained === null && judge.maybeDrawn(row, sigmas) && judge.isDrawn(values, sigmaOf(row)))
        kinds[row] = code('normal-init');
    });
  }
  if (untrained !== null) {
    for (const row of open) if (kinds[row] === code('trained')) kinds[row] = code('normal-init');
  }
  return { kinds, twins, untrained, sigmaOf };
}

/** Whether a standard deviation of so many values may be that of a distribution. */
function fits(own: number, sigma: number, dim: number): boolean {
  return Math.abs(own / sigma - 1) < errors / Math.sqrt(2 * dim);
}

/** Whether mean, skewness and kurtosis of a row are those of a normal distribution around 0. */
function isNormal({ sums, squares, cubes, fourths }: Moments, row: number, dim: number): boolean {
  const variance = squares[row] / dim;
  const mean = sums[row] / dim / Math.sqrt(variance);
  const skewness = cubes[row] / dim / variance ** 1.5;
  const kurtosis = fourths[row] / dim / variance ** 2;
  const error = errors / Math.sqrt(dim);
  // Around 0, not around the row's mean: the variance of x³ is 15, of x⁴ 96; scaled by the row's own variance, 24 is left of it.
  return (
    Math.abs(mean) < error &&
    Math.abs(skewness) < error * Math.sqrt(15) &&
    Math.abs(kurtosis - 3) < error * Math.sqrt(24)
  );
}

/** The sigma of a table that is as it was drawn; null where rows or columns differ by more than chance. */
function drawnAsWhole(
  moments: Moments,
  { rows, dim }: EmbeddingTable,
  sigmas: readonly number[],
): number | null {
  const { squares, counted, columnMeans, columnVariances } = moments;
  if (dim < fewestColumns || counted < fewestRows) return null;
  const variance = columnVariances.reduce((sum, one, d) => sum + one + columnMeans[d] ** 2, 0) / dim;
  const own = Math.sqrt(variance);
  let [judged, drawn] = [0, 0];
  for (let row = 0; row < rows; row++) {
    if (squares[row] === 0 || !Number.isFinite(squares[row])) continue;
    judged++;
    if (fits(Math.sqrt(squares[row] / dim), own, dim) && isNormal(moments, row, dim)) drawn++;
  }
  if (drawn < untrainedShare * judged) return null;
  // Columns over many rows are sharper than rows are: a trained table has some that are larger, or off 0.
  const meanError = (errors + 1) / Math.sqrt(counted);
  const isEven = columnMeans.every(
    (mean, d) =>
      Math.abs(mean) < meanError * own &&
      Math.abs(columnVariances[d] / variance - 1) < meanError * Math.SQRT2 + errors / counted,
  );
  if (!isEven) return null;
  const valueError = errors / Math.sqrt(2 * dim * counted);
  return sigmas.find((sigma) => Math.abs(own / sigma - 1) < valueError + 1e-3) ?? own;
}

/** Holds rows against the mean and the spread of a table. */
class Judge {
  readonly canTell: boolean;
  readonly #moments: Moments;
  readonly #dim: number;
  readonly #newFrom: number;
  readonly #distance: number;
  readonly #meanNorm: number;
  readonly #threshold: number;

  constructor(moments: Moments, dim: number, newFrom: number) {
    const { columnMeans, columnVariances, counted, squares } = moments;
    this.#moments = moments;
    this.#dim = dim;
    this.#newFrom = newFrom;
    this.#distance = Math.sqrt(columnVariances.reduce((sum, one) => sum + one, 0));
    this.#meanNorm = Math.sqrt(columnMeans.reduce((sum, one) => sum + one * one, 0));
    this.#threshold = evidence + Math.log(squares.length);
    this.canTell = dim >= fewestColumns && counted >= fewestRows && this.#distance > 0;
  }

  /** A row near the mean has a norm near that of the mean. */
  maybeMean(row: number): boolean {
    const norm = Math.sqrt(this.#moments.squares[row]);
    return Math.abs(norm - this.#meanNorm) <= meanShare * this.#distance;
  }

  isMean(values: Float32Array): boolean {
    const { columnMeans } = this.#moments;
    let square = 0;
    for (let d = 0; d < values.length; d++) square += (values[d] - columnMeans[d]) ** 2;
    return Math.sqrt(square) <= meanShare * this.#distance;
  }

  /** New rows may be drawn with any sigma; old ones with one that is known. */
  maybeDrawn(row: number, sigmas: readonly number[]): boolean {
    const own = Math.sqrt(this.#moments.squares[row] / this.#dim);
    if (row < this.#newFrom && !sigmas.some((sigma) => fits(own, sigma, this.#dim))) return false;
    return isNormal(this.#moments, row, this.#dim);
  }

  /** Far likelier from N(0, sigma²) than from the columns' means and variances, and across the mean as a drawn row is. */
  isDrawn(values: Float32Array, sigma: number): boolean {
    const { columnMeans, columnVariances } = this.#moments;
    let [gain, along] = [0, 0];
    for (let d = 0; d < values.length; d++) {
      const value = values[d];
      const variance = Math.max(columnVariances[d], Number.MIN_VALUE);
      gain +=
        (value - columnMeans[d]) ** 2 / variance - (value / sigma) ** 2 + Math.log(variance / sigma ** 2);
      along += value * columnMeans[d];
    }
    const isAcross = Math.abs(along) < errors * sigma * this.#meanNorm;
    return isAcross && gain / 2 > this.#threshold;
  }
}
