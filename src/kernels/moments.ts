import { claimDoubles, claimFloats, claimWords, releaseBytes } from './arena.ts';

/** Rows that one call of a kernel takes at most. */
export const momentRows = 1024;

/** Values are counted by their upper 16 bits: sign, exponent and 7 bits of mantissa. */
export const bucketCount = 65536;

/** What the kernels add to, in the arena when it has room. */
export interface MomentSums {
  readonly dim: number;
  /**
   * Shape: [dim] each; [1] when columns were not asked for: the first two then hold the sums over all columns.
   * Sums over finite rows of the values, their squares and the values over their row's norm.
   */
  readonly sums: Float64Array;
  readonly squares: Float64Array;
  readonly units: Float64Array;
  /** Shape: [65536]. How many values have these upper 16 bits. */
  readonly buckets: Uint32Array;
  /** Shape: [momentRows] each. Of the rows that were added last: sum of squares, smallest and largest value. */
  readonly rowSquares: Float64Array;
  readonly rowLows: Float32Array;
  readonly rowHighs: Float32Array;
  /**
   * Over finite rows: the sum of their norms, that of the squares of what norms lie off their mean (Welford), how many rows are all zeros, how
   * many there are, and the mean. Shape: [5]
   */
  readonly totals: Float64Array;
  /** Shape: [momentRows]. Rows that reviewRows found. */
  readonly notable: Uint32Array;
}

/** What a row must lie beyond to be notable. */
export interface RowBounds {
  low: number;
  high: number;
  smallestNorm: number;
  largestNorm: number;
}

/** Which rows of a block are counted in buckets: first, first + every, ... */
export interface CountedRows {
  first: number;
  every: number;
}

/**
 * One way to run the hot loops of stats.
 *
 * The plain and the SIMD kernel add in the same order, so they agree to the last bit.
 */
export interface MomentKernel {
  readonly name: 'ts' | 'simd';
  /**
   * Measures each row, adds the finite ones to the sums of the dimensions, and counts the values of some rows.
   *
   * Shape: data [rows, dim], rows <= momentRows → sums.rowSquares, rowLows, rowHighs [rows]; the rest is added to
   * A row with a NaN or an infinity has a sum of squares that is not finite and no meaningful extremes.
   */
  addRows(sums: MomentSums, data: Float32Array, rows: number, counted: CountedRows): void;
  /**
   * Adds the rows that were measured last to the totals. Returns how many are notable: not finite, or beyond a bound; their numbers
   * are in sums.notable. The caller's loop over all rows, which ran once in code that V8 had not compiled yet, took longer.
   */
  reviewRows(sums: MomentSums, rows: number, bounds: RowBounds): number;
}

/**
 * Empty sums for tables of this width.
 *
 * Cost: 288 KiB, and 24 bytes per dimension when columns are asked for.
 */
export function claimMomentSums(dim: number, columns: boolean): MomentSums {
  const width = columns ? dim : 1;
  const sums: MomentSums = {
    dim,
    sums: claimDoubles(width),
    squares: claimDoubles(width),
    units: claimDoubles(width),
    buckets: claimWords(bucketCount),
    rowSquares: claimDoubles(momentRows),
    rowLows: claimFloats(momentRows),
    rowHighs: claimFloats(momentRows),
    totals: claimDoubles(5),
    notable: claimWords(momentRows),
  };
  for (const part of arraysOf(sums)) part.fill(0);
  return sums;
}

/** Gives the memory of sums back to the arena. */
export function releaseMomentSums(sums: MomentSums): void {
  for (const part of arraysOf(sums)) releaseBytes(part);
}

/** The reference: plain TypeScript over typed arrays. */
export const plainMoments: MomentKernel = {
  name: 'ts',
  addRows(sums, data, rows, counted) {
    for (let row = 0; row < rows; row++) {
      measureRow(sums, data, row);
      if (!Number.isFinite(sums.rowSquares[row])) continue;
      if (sums.sums.length === sums.dim) addRow(sums, data, row);
      else addTotals(sums, data, row);
    }
    countValues(sums, data, rows, counted);
  },
  reviewRows,
};

function reviewRows(sums: MomentSums, rows: number, bounds: RowBounds): number {
  const { rowSquares, rowLows, rowHighs, totals, notable } = sums;
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const square = rowSquares[row];
    if (square < Number.POSITIVE_INFINITY) {
      const norm = Math.sqrt(square);
      totals[0] += norm;
      totals[3]++;
      const gap = norm - totals[4];
      totals[4] += gap / totals[3];
      totals[1] += gap * (norm - totals[4]);
      if (square === 0) totals[2]++;
      const isInside = norm >= bounds.smallestNorm && norm <= bounds.largestNorm;
      if (isInside && rowLows[row] >= bounds.low && rowHighs[row] <= bounds.high) continue;
    }
    notable[count++] = row;
  }
  return count;
}

function countValues(
  { buckets, dim }: MomentSums,
  data: Float32Array,
  rows: number,
  counted: CountedRows,
): void {
  const bits = new Uint32Array(data.buffer, data.byteOffset, rows * dim);
  for (let row = counted.first; row < rows; row += counted.every) {
    const end = (row + 1) * dim;
    for (let i = row * dim; i < end; i++) buckets[bits[i] >>> 16]++;
  }
}

/** Eight sums side by side, because that is how the SIMD twin adds: lane by lane, then pairwise. */
function measureRow(sums: MomentSums, data: Float32Array, row: number): void {
  const { dim } = sums;
  let [a0, a1, b0, b1, c0, c1, d0, d1] = [0, 0, 0, 0, 0, 0, 0, 0];
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const start = row * dim;
  const wideEnd = start + (dim & ~7);
  const end = start + dim;
  let i = start;
  for (; i < wideEnd; i += 8) {
    a0 += data[i] * data[i];
    a1 += data[i + 1] * data[i + 1];
    b0 += data[i + 2] * data[i + 2];
    b1 += data[i + 3] * data[i + 3];
    c0 += data[i + 4] * data[i + 4];
    c1 += data[i + 5] * data[i + 5];
    d0 += data[i + 6] * data[i + 6];
    d1 += data[i + 7] * data[i + 7];
  }
  let square = a0 + c0 + (b0 + d0) + (a1 + c1 + (b1 + d1));
  for (; i < end; i++) square += data[i] * data[i];
  for (i = start; i < end; i++) {
    const x = data[i];
    if (x < low) low = x;
    if (x > high) high = x;
  }
  sums.rowSquares[row] = square;
  sums.rowLows[row] = low;
  sums.rowHighs[row] = high;
}

function addRow(
  { dim, sums, squares, units, rowSquares }: MomentSums,
  data: Float32Array,
  row: number,
): void {
  const square = rowSquares[row];
  const inverse = square > 0 ? 1 / Math.sqrt(square) : 0;
  const start = row * dim;
  for (let i = 0; i < dim; i++) {
    const x = data[start + i];
    sums[i] += x;
    squares[i] += x * x;
    units[i] += x * inverse;
  }
}

function addTotals({ dim, sums, squares, rowSquares }: MomentSums, data: Float32Array, row: number): void {
  let sum = 0;
  for (let i = row * dim; i < (row + 1) * dim; i++) sum += data[i];
  sums[0] += sum;
  squares[0] += rowSquares[row];
}

function arraysOf(sums: MomentSums): (Float64Array | Float32Array | Uint32Array)[] {
  const { squares, units, buckets, rowSquares, rowLows, rowHighs, totals, notable } = sums;
  return [sums.sums, squares, units, buckets, rowSquares, rowLows, rowHighs, totals, notable];
}
