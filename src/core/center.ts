import type { RowBlock } from '../types.ts';

/**
 * The mean row of a table.
 *
 * Shape: blocks of [rows, dim] → float64 [dim]; NaN where a row has one.
 * Cost: one scan, O(dim) memory.
 */
export async function meanRow(blocks: AsyncIterable<RowBlock>, dim: number): Promise<Float64Array> {
  const mean = new Float64Array(dim);
  let rows = 0;
  for await (const block of blocks) {
    for (let row = 0; row < block.rows; row++) {
      const start = row * dim;
      for (let d = 0; d < dim; d++) mean[d] += block.data[start + d];
    }
    rows += block.rows;
  }
  for (let d = 0; d < dim; d++) mean[d] /= rows;
  return mean;
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
