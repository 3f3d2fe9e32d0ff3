import { powersOfRow } from '../kernels/powers.ts';
import type { EmbeddingTable, RowBlock } from '../types.ts';
import { ColumnSums } from './column-sums.ts';

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
  const powers = Array.from({ length: powersOfRow }, () => new Float64Array(table.rows));
  const [sums, squares, cubes, fourths] = powers;
  const columns = await ColumnSums.of(table.dim);
  try {
    for await (const block of table.scan()) {
      for (const piece of columns.piecesOf(block)) {
        takePowers(columns.powersOf(piece), piece, powers);
        columns.addWhere(piece, (row) => {
          const square = squares[piece.start + row];
          return piece.start + row < last && square > 0 && square < Number.POSITIVE_INFINITY;
        });
      }
      advance?.(block.rows);
    }
    const [columnMeans, columnVariances] = [columns.means(), columns.variances()];
    return { sums, squares, cubes, fourths, counted: columns.counted, columnMeans, columnVariances };
  } finally {
    columns.release();
  }
}

/** Sums of powers, row by row, to a list of each power. Shape: sums [block.rows, 4] → powers 4 of [rows] */
function takePowers(sums: Float64Array, block: RowBlock, powers: Float64Array[]): void {
  for (const [power, list] of powers.entries())
    for (let row = 0; row < block.rows; row++) list[block.start + row] = sums[row * powersOfRow + power];
}
