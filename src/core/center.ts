import { powersOfRow } from '../kernels/powers.ts';
import type { RowBlock } from '../types.ts';
import { ColumnSums } from './column-sums.ts';

/**
 * The mean row of a table.
 *
 * Shape: blocks of [rows, dim] → float64 [dim]; NaN where a row has one.
 * Cost: one scan, O(dim) memory.
 */
export async function meanRow(blocks: AsyncIterable<RowBlock>, dim: number): Promise<Float64Array> {
  const columns = await ColumnSums.of(dim);
  try {
    for await (const block of blocks) for (const piece of columns.piecesOf(block)) columns.add(piece);
    return columns.means();
  } finally {
    columns.release();
  }
}

/** meanRow of the rows without a NaN or an infinity. */
export async function meanOfFinite(blocks: AsyncIterable<RowBlock>, dim: number): Promise<Float64Array> {
  const columns = await ColumnSums.of(dim);
  try {
    for await (const block of blocks) {
      for (const piece of columns.piecesOf(block)) {
        // The sum of values is finite exactly when all of them are: float64 holds the sum of any float32.
        const sums = columns.powersOf(piece);
        columns.addWhere(piece, (row) => Number.isFinite(sums[row * powersOfRow]));
      }
    }
    return columns.means();
  } finally {
    columns.release();
  }
}

/**
 * Subtracts one row from every row, in place.
 *
 * Shape: data [rows, dim], mean [dim]. Each difference is taken in float64 and rounded once.
 */
export function centerRows(data: Float32Array, mean: Float64Array): void {
  const dim = mean.length;
  for (let start = 0; start < data.length; start += dim) {
    for (let d = 0; d < dim; d++) data[start + d] -= mean[d];
  }
}
