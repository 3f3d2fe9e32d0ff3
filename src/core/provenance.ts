import type { EmbeddingTable } from '../types.ts';
import { findTwins, visitRows } from './audit-rows.ts';
import { medianOf, normalScale } from './median.ts';
import { type Moments, measureRows } from './row-moments.ts';

/** Where a row comes from, in the order in which it is reported. */
export const provenances = ['nan', 'zero', 'copy', 'mean-init', 'normal-init', 'trained'] as const;

export type Provenance = (typeof provenances)[number];

/** A mean-initialized row lies this much nearer to the mean than rows do on average. */
const meanShare = 0.02;

/** Columns are taken to have this share of the usual variance at least: a row may have values where all others have one. */
const leastShare = 1e-12;

/** With fewer values or rows nothing is told from chance. */
const fewestColumns = 16;
const fewestRows = 16;

/** A statistic of a drawn row is off by this many of its standard errors at most: one row in two million would be. */
const errors = 5;

/** How much likelier a row must be as drawn than as one of the table's. Units: natural logarithm, to which that of the rows is added */
const evidence = 20;

/** Logarithms of norms are taken to spread this much at least. */
const leastSpread = 0.05;

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
  /** Rows whose norm is over a hundred times the median, where they are few. Ascending. */
  outsized: readonly number[];
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
 * that libraries use (new rows: of any), far likelier than as a row of this table of any norm that its rows have, and not along its mean.
 * trained: everything else.
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
      else if (
        untrained === null &&
        judge.maybeDrawn(row, sigmas) &&
        judge.isDrawn(values, row, sigmaOf(row))
      )
        kinds[row] = code('normal-init');
    });
  }
  if (untrained !== null) {
    for (const row of open) if (kinds[row] === code('trained')) kinds[row] = code('normal-init');
  }
  return { kinds, twins, outsized: moments.outsized, untrained, sigmaOf };
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
  /** Shape: [dim]; above 0. */
  readonly #variances: Float64Array;
  /** Median and robust deviation of the logarithms of the old rows' norms. */
  readonly #usualNorm: number;
  readonly #normSpread: number;
  /** Sums over the columns: of mean² / variance, and of the logarithm of the variance. */
  readonly #meanEnergy: number;
  readonly #logVariance: number;

  constructor(moments: Moments, dim: number, newFrom: number) {
    const { columnMeans, columnVariances, counted, squares } = moments;
    this.#moments = moments;
    this.#dim = dim;
    this.#newFrom = newFrom;
    this.#distance = Math.sqrt(columnVariances.reduce((sum, one) => sum + one, 0));
    this.#meanNorm = Math.sqrt(columnMeans.reduce((sum, one) => sum + one * one, 0));
    this.#threshold = evidence + Math.log(squares.length);
    const norms = squares
      .subarray(0, newFrom)
      .filter((square) => square > 0 && square < Number.POSITIVE_INFINITY);
    const logs = norms.map((square) => Math.log(square) / 2);
    this.#usualNorm = medianOf(logs);
    const spread = normalScale * medianOf(logs.map((log) => Math.abs(log - this.#usualNorm)));
    this.#normSpread = Math.max(leastSpread, spread);
    const usual = this.#distance ** 2 / dim;
    this.#variances = columnVariances.map((variance) => Math.max(variance, leastShare * usual));
    this.#meanEnergy = columnMeans.reduce((sum, mean, d) => sum + mean ** 2 / this.#variances[d], 0);
    this.#logVariance = this.#variances.reduce((sum, variance) => sum + Math.log(variance), 0);
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

  /**
   * Far likelier from N(0, sigma²) than as a row of the table, and across the mean as a drawn row is.
   *
   * A row of the table is c times one from the columns' means and variances. Its c is the likeliest one, at the price of how unusual the
   * norm is among the table's: so a trained row is not taken for drawn because it is long or short. Nor is one whose values, at any scale,
   * are less likely as drawn.
   */
  isDrawn(values: Float32Array, row: number, sigma: number): boolean {
    const { columnMeans } = this.#moments;
    const variances = this.#variances;
    let [energy, shared, along] = [0, 0, 0];
    for (let d = 0; d < values.length; d++) {
      energy += values[d] ** 2 / variances[d];
      shared += (values[d] * columnMeans[d]) / variances[d];
      along += values[d] * columnMeans[d];
    }
    if (Math.abs(along) >= errors * sigma * this.#meanNorm) return false;
    const dim = values.length;
    const square = this.#moments.squares[row];
    // Twice the negative logarithms of likelihoods, without what all of them share. 1 / c solves energy u² - shared u - dim = 0.
    const u = (shared + Math.sqrt(shared ** 2 + 4 * energy * dim)) / (2 * energy);
    const asRow =
      energy * u ** 2 - 2 * shared * u + this.#meanEnergy - 2 * dim * Math.log(u) + this.#logVariance;
    const atItsScale = dim + dim * Math.log(square / dim);
    const asDrawn = square / sigma ** 2 + 2 * dim * Math.log(sigma);
    const unusual = ((Math.log(square) / 2 - this.#usualNorm) / this.#normSpread) ** 2;
    return asRow >= atItsScale && (asRow + unusual - asDrawn) / 2 > this.#threshold;
  }
}
