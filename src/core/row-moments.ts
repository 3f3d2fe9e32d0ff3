import { powersOfRow } from '../kernels/powers.ts';
import type { EmbeddingTable, RowBlock } from '../types.ts';
import { ColumnSums } from './column-sums.ts';
import { medianOf } from './median.ts';

/** Sums of every row, and of every column over some of the rows. */
export interface Moments {
  /** Shape: [rows] each, over the row's values x. Squares are not finite where a value is not. */
  sums: Float64Array;
  squares: Float64Array;
  cubes: Float64Array;
  fourths: Float64Array;
  /** Rows whose norm is over a hundred times the median, where they are few. Ascending. */
  outsized: number[];
  /** How many rows went into the columns: the finite ones that are neither all zeros nor outsized. */
  counted: number;
  /** Shape: [dim] each. */
  columnMeans: Float64Array;
  /** Of the population. */
  columnVariances: Float64Array;
}

/** Squares of norms this many times their median are those of a fault, or of a row that would be most of every mean. */
const outsize = 100 ** 2;

/** Where more rows than so many, and than this share, are that large, they are of another kind, and no faults. */
const few = 3;
const fewShare = 0.01;

/**
 * The first four moments of every row, and mean and variance of every column, in one scan.
 *
 * Sums are float64; equal rows have equal sums.
 * Shape: table [rows, dim]
 * Cost: 32 bytes per row; a second scan where old rows are outsized.
 * @param last rows from this one on are left out of the columns
 */
export async function measureRows(
  table: EmbeddingTable,
  last: number,
  advance?: (rows: number) => void,
): Promise<Moments> {
  const powers = Array.from({ length: powersOfRow }, () => new Float64Array(table.rows));
  const [sums, squares, cubes, fourths] = powers;
  const isMeasured = (row: number) => squares[row] > 0 && squares[row] < Number.POSITIVE_INFINITY;
  const isOld = (row: number) => row < last && isMeasured(row);
  const columns = await ColumnSums.of(table.dim);
  try {
    for await (const block of table.scan()) {
      for (const piece of columns.piecesOf(block)) {
        takePowers(columns.powersOf(piece), piece, powers);
        columns.addWhere(piece, (row) => isOld(piece.start + row));
      }
      advance?.(block.rows);
    }
    const outsized = outsizedOf(
      squares.filter((_, row) => isOld(row)),
      squares,
      isMeasured,
    );
    if (outsized.some(isOld)) {
      const left = new Set(outsized);
      columns.clear();
      for await (const block of table.scan())
        for (const piece of columns.piecesOf(block))
          columns.addWhere(piece, (row) => isOld(piece.start + row) && !left.has(piece.start + row));
    }
    const of = {
      counted: columns.counted,
      columnMeans: columns.means(),
      columnVariances: columns.variances(),
    };
    return { sums, squares, cubes, fourths, outsized, ...of };
  } finally {
    columns.release();
  }
}

/** Rows far above the median of the old ones. */
function outsizedOf(
  old: Float64Array,
  squares: Float64Array,
  isMeasured: (row: number) => boolean,
): number[] {
  const bound = outsize * medianOf(old);
  const found: number[] = [];
  for (let row = 0; row < squares.length; row++) if (squares[row] > bound && isMeasured(row)) found.push(row);
  return found.length <= Math.max(few, fewShare * squares.length) ? found : [];
}

/** Sums of powers, row by row, to a list of each power. Shape: sums [block.rows, 4] → powers 4 of [rows] */
function takePowers(sums: Float64Array, block: RowBlock, powers: Float64Array[]): void {
  for (const [power, list] of powers.entries())
    for (let row = 0; row < block.rows; row++) list[block.start + row] = sums[row * powersOfRow + power];
}
