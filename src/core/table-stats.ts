import { loadMomentKernel } from '../kernels/load.ts';
import {
  bucketCount,
  claimMomentSums,
  type MomentKernel,
  type MomentSums,
  momentRows,
  releaseMomentSums,
} from '../kernels/moments.ts';
import type { RowBlock } from '../types.ts';
import { ExtremeRows, type RankedRow } from './extremes.ts';
import { type HistogramBin, histogramOf } from './histogram.ts';
import { type OutlierDim, outlierDims } from './outliers.ts';

/** A value and where it stands. */
export interface PlacedValue {
  value: number;
  row: number;
  dim: number;
}

/** What one scan says about a table. Null is unknown: there is no finite value, or no row with a norm. */
export interface TableStats {
  rows: number;
  dim: number;
  nan: number;
  infinite: number;
  /** Rows with a NaN or an infinity; they have no norm. */
  nonFiniteRows: number;
  zeroRows: number;
  /** Over the finite values; std of the population. */
  mean: number | null;
  std: number | null;
  min: PlacedValue | null;
  max: PlacedValue | null;
  /** Over the finite rows. */
  normMean: number | null;
  normStd: number | null;
  smallestNorms: RankedRow[];
  largestNorms: RankedRow[];
  /** Mean cosine over all pairs of rows that have a norm above 0. */
  meanCosine: number | null;
  /** Null above 2^18 dimensions. */
  outliers: OutlierDim[] | null;
  histogram: HistogramBin[];
  /** The histogram counts the values of every so many rows: 1 means all. */
  histogramEvery: number;
  histogramRows: number;
}

export interface StatsOptions {
  dim: number;
  /** Expected rows, where they are known; only chooses the kernel and how many rows the histogram counts. */
  rows?: number;
  /** simd where it pays, unless ts is asked for. The numbers are the same bits. */
  kernel: 'ts' | 'simd';
  /** Count every value in the histogram, however large the table. */
  countAll?: boolean;
}

/** Rows of extreme norm at either end. */
const keptExtremes = 5;

/** Sums per dimension cost 24 bytes each; wider tables have no statistics of single dimensions. */
const widestDim = 2 ** 18;

/** Loading the SIMD kernel costs as much as running the plain one, uncompiled, over so many values. */
const fewestSimdValues = 2 ** 13;

/** A histogram of so many values is as good as one of all of them, to the eye: bins are known within a thousandth. */
const histogramValues = 2 ** 22;

/** Counters have 32 bits: they are emptied into float64 before so many values. */
const mostCounted = 2 ** 32 - 1;

/**
 * Measures a table in one pass over its blocks.
 *
 * Sums are float64 over the exact float32 values; both kernels give the same bits. Values that are no numbers are counted and
 * left out of every sum; a row that has one is left out of norms and cosines, its other values are not left out of the rest.
 * The histogram of a table of more than 2^23 values counts every 2nd, 4th, ... row unless countAll.
 * Mean cosine: (|Σ u|² - n) / (n (n - 1)) over unit rows u, which is the mean over all pairs without forming them.
 * Shape: blocks of [rows, dim], dim >= 1
 * Cost: one scan; memory O(dim), 0.8 MiB beside.
 */
export async function measureTable(
  blocks: AsyncIterable<RowBlock> | Iterable<RowBlock>,
  options: StatsOptions,
): Promise<TableStats> {
  const { dim, rows } = options;
  const isSmall = rows !== undefined && rows * dim < fewestSimdValues;
  const usesSimd = options.kernel === 'simd' && !isSmall;
  const kernel = await loadMomentKernel(usesSimd ? 'simd' : 'ts');
  const meter = new TableMeter(kernel, options);
  try {
    for await (const block of blocks) meter.add(block);
    return meter.result();
  } finally {
    meter.release();
  }
}

/** How many rows lie between two that the histogram counts. */
function histogramStep({ rows = 0, dim, countAll }: StatsOptions): number {
  let every = 1;
  while (!countAll && (rows * dim) / (every * 2) >= histogramValues) every *= 2;
  return every;
}

/** The state of one pass. */
class TableMeter {
  readonly #kernel: MomentKernel;
  readonly #sums: MomentSums;
  readonly #every: number;
  readonly #dim: number;
  readonly #smallest: ExtremeRows;
  readonly #largest: ExtremeRows;
  #buckets: Float64Array | undefined;
  #pendingCounts = 0;
  #countedRows = 0;
  /** Per dimension, how many values are no numbers; only when there are any. */
  #missing: Uint32Array | undefined;
  #rows = 0;
  #nan = 0;
  #infinite = 0;
  #nonFiniteRows = 0;
  #min: PlacedValue | null = null;
  #max: PlacedValue | null = null;

  constructor(kernel: MomentKernel, options: StatsOptions) {
    this.#kernel = kernel;
    this.#dim = options.dim;
    this.#sums = claimMomentSums(options.dim, options.dim <= widestDim);
    this.#every = histogramStep(options);
    this.#smallest = new ExtremeRows(keptExtremes, -1);
    this.#largest = new ExtremeRows(keptExtremes, 1);
  }

  release(): void {
    releaseMomentSums(this.#sums);
  }

  add(block: RowBlock): void {
    const dim = this.#dim;
    for (let start = 0; start < block.rows; start += momentRows) {
      const rows = Math.min(momentRows, block.rows - start);
      this.#addRows(block.data.subarray(start * dim, (start + rows) * dim), rows);
    }
  }

  #addRows(data: Float32Array, rows: number): void {
    const every = this.#every;
    const first = (every - (this.#rows % every)) % every;
    const counted = first < rows ? Math.ceil((rows - first) / every) : 0;
    if (this.#pendingCounts + counted * this.#dim > mostCounted) this.#emptyCounters();
    this.#pendingCounts += counted * this.#dim;
    this.#countedRows += counted;
    this.#kernel.addRows(this.#sums, data, rows, { first, every });
    this.#takeRows(data, rows);
    this.#rows += rows;
  }

  /** What the kernel found out about each row. */
  #takeRows(data: Float32Array, rows: number): void {
    const { rowSquares, rowLows, rowHighs, notable } = this.#sums;
    const [smallest, largest, first] = [this.#smallest, this.#largest, this.#rows];
    let low = this.#min?.value ?? Number.POSITIVE_INFINITY;
    let high = this.#max?.value ?? Number.NEGATIVE_INFINITY;
    const bounds = { low, high, smallestNorm: smallest.bound, largestNorm: largest.bound };
    const count = this.#kernel.reviewRows(this.#sums, rows, bounds);
    for (const row of notable.subarray(0, count)) {
      const square = rowSquares[row];
      if (!(square < Number.POSITIVE_INFINITY)) {
        this.#takeOtherRow(data, row);
        low = Math.min(low, this.#min?.value ?? low);
        high = Math.max(high, this.#max?.value ?? high);
        continue;
      }
      const norm = Math.sqrt(square);
      if (norm < smallest.bound) smallest.offer(first + row, norm);
      if (norm > largest.bound) largest.offer(first + row, norm);
      if (rowLows[row] < low) {
        low = rowLows[row];
        this.#min = this.#placed(data, row, low);
      }
      if (rowHighs[row] > high) {
        high = rowHighs[row];
        this.#max = this.#placed(data, row, high);
      }
    }
  }

  /** Where in its row the value stands; 0 and -0 are one. */
  #placed(data: Float32Array, row: number, value: number): PlacedValue {
    const dim = data.subarray(row * this.#dim, (row + 1) * this.#dim).indexOf(value);
    return { value: value + 0, row: this.#rows + row, dim };
  }

  /** A row with values that are no numbers: they are counted, the others take part value by value. */
  #takeOtherRow(data: Float32Array, row: number): void {
    this.#nonFiniteRows++;
    const { sums, squares } = this.#sums;
    this.#missing ??= new Uint32Array(sums.length);
    for (let d = 0; d < this.#dim; d++) {
      const x = data[row * this.#dim + d];
      const column = sums.length === this.#dim ? d : 0;
      if (Number.isFinite(x)) {
        sums[column] += x;
        squares[column] += x * x;
        if (this.#min === null || x < this.#min.value)
          this.#min = { value: x + 0, row: this.#rows + row, dim: d };
        if (this.#max === null || x > this.#max.value)
          this.#max = { value: x + 0, row: this.#rows + row, dim: d };
        continue;
      }
      this.#missing[column]++;
      if (Number.isNaN(x)) this.#nan++;
      else this.#infinite++;
    }
  }

  /** Moves the counts to where they cannot overflow. */
  #emptyCounters(): Float64Array {
    this.#buckets ??= new Float64Array(bucketCount);
    const { buckets } = this.#sums;
    for (let bucket = 0; bucket < bucketCount; bucket++) this.#buckets[bucket] += buckets[bucket];
    buckets.fill(0);
    this.#pendingCounts = 0;
    return this.#buckets;
  }

  result(): TableStats {
    const finiteRows = this.#rows - this.#nonFiniteRows;
    const [norms, normSpread, zeroRows] = this.#sums.totals;
    const normMean = finiteRows > 0 ? norms / finiteRows : null;
    // As a rule the counters were never full: 65,536 additions in code that is not compiled yet are a millisecond.
    const buckets = this.#buckets === undefined ? this.#sums.buckets : this.#emptyCounters();
    return {
      rows: this.#rows,
      dim: this.#dim,
      nan: this.#nan,
      infinite: this.#infinite,
      nonFiniteRows: this.#nonFiniteRows,
      zeroRows,
      ...this.#moments(),
      min: this.#min,
      max: this.#max,
      normMean,
      normStd: normMean === null ? null : Math.sqrt(normSpread / finiteRows),
      smallestNorms: this.#smallest.rows(),
      largestNorms: this.#largest.rows(),
      meanCosine: this.#meanCosine(finiteRows - zeroRows),
      outliers: this.#outliers(),
      histogram: histogramOf(buckets, this.#min?.value ?? 0, this.#max?.value ?? 0),
      histogramEvery: this.#every,
      histogramRows: this.#countedRows,
    };
  }

  #moments(): { mean: number | null; std: number | null } {
    const count = this.#rows * this.#dim - this.#nan - this.#infinite;
    if (count === 0) return { mean: null, std: null };
    const add = (total: number, x: number) => total + x;
    const mean = this.#sums.sums.reduce(add, 0) / count;
    // Of equal values the formula leaves some rounding; it is known to be 0.
    if (this.#min?.value === this.#max?.value) return { mean, std: 0 };
    return { mean, std: deviation(mean, this.#sums.squares.reduce(add, 0), count) };
  }

  #meanCosine(rows: number): number | null {
    if (rows < 2 || this.#sums.units.length !== this.#dim) return null;
    const square = this.#sums.units.reduce((sum, x) => sum + x * x, 0);
    return Math.min(1, (square - rows) / (rows * (rows - 1)));
  }

  #outliers(): OutlierDim[] | null {
    const { sums, squares } = this.#sums;
    if (sums.length !== this.#dim) return null;
    const counts = sums.map((_, d) => this.#rows - (this.#missing?.[d] ?? 0));
    if (counts.some((count) => count === 0)) return [];
    const means = sums.map((sum, d) => sum / counts[d]);
    return outlierDims(
      means,
      squares.map((square, d) => deviation(means[d], square, counts[d])),
    );
  }
}

/** Population standard deviation from a mean and a sum of squares; rounding may not make it NaN. */
function deviation(mean: number, squares: number, count: number): number {
  const meanSquare = squares / count;
  const variance = meanSquare - mean * mean;
  // Below what float64 can tell apart it is the rounding of equal values.
  return variance > 8 * Number.EPSILON * meanSquare ? Math.sqrt(variance) : 0;
}
