import { powersOfRow } from '../kernels/powers.ts';
import type { RowBlock } from '../types.ts';
import { ColumnSums } from './column-sums.ts';

/** A mean, and how many rows it is of. */
export interface MeanRow {
  /** Shape: [dim], float64; zeros of no rows. */
  mean: Float64Array;
  rows: number;
}

/**
 * The mean row of a table, without the rows that hold a NaN or an infinity.
 *
 * Cost: one scan, O(dim) memory; a second scan where there are such rows.
 */
export async function meanOfFinite(scan: () => AsyncIterable<RowBlock>, dim: number): Promise<MeanRow> {
  const columns = await ColumnSums.of(dim);
  const result = () => ({ mean: columns.means(), rows: columns.counted });
  try {
    for await (const block of scan()) for (const piece of columns.piecesOf(block)) columns.add(piece);
    const all = result();
    // The sum of values is finite exactly when all of them are: float64 holds the sum of any float32.
    if (all.mean.every(Number.isFinite)) return all;
    columns.clear();
    for await (const block of scan()) {
      for (const piece of columns.piecesOf(block)) {
        const sums = columns.powersOf(piece);
        columns.addWhere(piece, (row) => Number.isFinite(sums[row * powersOfRow]));
      }
    }
    return result();
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
