import { claimDoubles, releaseBytes } from '../kernels/arena.ts';
import { loadPowerKernel, powersOfRow } from '../kernels/powers.ts';
import type { EmbeddingTable } from '../types.ts';

/** Sums of every row, and of every column over some of the rows. */
export interface Moments {
  /** Shape: [rows] each, over the row's values x. Squares are not finite where a value is not. */
  sums: Float64Array;
  squares: Float64Array;
  cubes: Float64Array;
  fourths: Float64Array;
  /** How many rows went into the columns: the finite ones that are not all zeros. */
  counted: number;
  /** Shape: [dim] each. */
  columnMeans: Float64Array;
  /** Of the population. */
  columnVariances: Float64Array;
}

/** Values that one call of the kernel takes, unless a row has more: a piece that the second level cache keeps for the columns. */
const callValues = 1 << 17;

/**
 * The first four moments of every row, and mean and variance of every column, in one scan.
 *
 * Sums are float64; equal rows have equal sums.
 * Shape: table [rows, dim]
 * Cost: 32 bytes per row.
 * @param last rows from this one on are left out of the columns
 */
export async function measureRows(
  table: EmbeddingTable,
  last: number,
  advance?: (rows: number) => void,
): Promise<Moments> {
  const { rows, dim } = table;
  const kernel = await loadPowerKernel();
  const powers = Array.from({ length: powersOfRow }, () => new Float64Array(rows));
  const callRows = Math.max(1, Math.floor(callValues / dim));
  const [sums, totals, squares] = [callRows * powersOfRow, dim, dim].map(claimDoubles);
  totals.fill(0);
  squares.fill(0);
  let counted = 0;
  try {
    for await (const block of table.scan()) {
      for (let start = 0; start < block.rows; start += callRows) {
        const count = Math.min(callRows, block.rows - start);
        const data = block.data.subarray(start * dim, (start + count) * dim);
        const first = block.start + start;
        kernel.sumPowers(data, count, dim, sums);
        takePowers(sums, count, powers, first);
        const old = Math.max(0, Math.min(count, last - first));
        for (const [from, end] of runsOf(powers[1].subarray(first, first + old))) {
          kernel.addToColumns(data.subarray(from * dim, end * dim), end - from, dim, totals, squares);
          counted += end - from;
        }
      }
      advance?.(block.rows);
    }
    const columnMeans = Float64Array.from(totals, (total) => total / Math.max(1, counted));
    const columnVariances = Float64Array.from(squares, (total, d) =>
      Math.max(0, total / Math.max(1, counted) - columnMeans[d] ** 2),
    );
    const [rowSums, rowSquares, cubes, fourths] = powers;
    return { sums: rowSums, squares: rowSquares, cubes, fourths, counted, columnMeans, columnVariances };
  } finally {
    for (const doubles of [sums, totals, squares]) releaseBytes(doubles);
  }
}

/** Sums of powers, row by row, to a list of each power. Shape: sums [count, 4] → powers 4 of [rows], from row first on */
function takePowers(sums: Float64Array, count: number, powers: Float64Array[], first: number): void {
  for (const [power, list] of powers.entries())
    for (let row = 0; row < count; row++) list[first + row] = sums[row * powersOfRow + power];
}

/** Runs of rows that are finite and not all zeros, by their squares: the first row, and the one after the last. */
function* runsOf(squares: Float64Array): Generator<[number, number]> {
  let start = 0;
  for (let row = 0; row <= squares.length; row++) {
    if (squares[row] > 0 && squares[row] < Number.POSITIVE_INFINITY) continue;
    if (row > start) yield [start, row];
    start = row + 1;
  }
}
