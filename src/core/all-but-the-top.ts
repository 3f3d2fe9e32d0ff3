import type { RowBlock } from '../types.ts';
import type { Components } from './components.ts';
import type { CovarianceOptions } from './covariance.ts';
import { principalComponents, type RowSource } from './principal.ts';

/**
 * The mean row and the leading principal components of a table: what rows of most tables share, and what hides how they differ.
 *
 * Rows with a value that is not finite are passed over. Fewer directions than asked for where rows span fewer.
 * Cost: that of principalComponents; above 1,024 dimensions, where those come from a sample, one scan more for the mean of all rows.
 * Source: Mu & Viswanath 2018, "All-but-the-Top".
 */
export async function leadingComponents(
  table: RowSource,
  count: number,
  options: Omit<CovarianceOptions, 'advance'> = {},
): Promise<Components> {
  const { dim } = table;
  const { rows, sampled, mean, directions } = await principalComponents(table, count, options);
  const flat = new Float64Array(directions.length * dim);
  for (const [index, direction] of directions.entries()) flat.set(direction, index * dim);
  return {
    mean: sampled ? await meanOfFinite(table.scan(), dim) : mean,
    directions: flat,
    count: directions.length,
    rows,
  };
}

async function meanOfFinite(blocks: AsyncIterable<RowBlock>, dim: number): Promise<Float64Array> {
  const mean = new Float64Array(dim);
  let rows = 0;
  for await (const { rows: count, data } of blocks) {
    for (let start = 0; start < count * dim; start += dim) {
      // The sum of values is finite exactly when all of them are: float64 holds the sum of any float32.
      let sum = 0;
      for (let i = start; i < start + dim; i++) sum += data[i];
      if (!Number.isFinite(sum)) continue;
      rows++;
      for (let i = 0; i < dim; i++) mean[i] += data[start + i];
    }
  }
  for (let i = 0; i < dim; i++) mean[i] /= Math.max(1, rows);
  return mean;
}
