import { meanOfFinite } from './center.ts';
import type { Components } from './components.ts';
import type { CovarianceOptions } from './covariance.ts';
import { principalComponents, type RowSource } from './principal.ts';

/**
 * The mean row and the leading principal components of a table: what rows of most tables share, and what hides how they differ.
 *
 * Rows with a value that is not finite are passed over. Fewer directions than asked for where rows span fewer.
 * Cost: that of principalComponents, and one scan more for the mean of all rows: theirs is of float32 sums, or of a sample.
 * Source: Mu & Viswanath 2018, "All-but-the-Top".
 */
export async function leadingComponents(
  table: RowSource,
  count: number,
  options: Omit<CovarianceOptions, 'advance'> = {},
): Promise<Components> {
  const { dim } = table;
  const { rows, directions } = await principalComponents(table, count, options);
  const flat = new Float64Array(directions.length * dim);
  for (const [index, direction] of directions.entries()) flat.set(direction, index * dim);
  return {
    mean: (await meanOfFinite(() => table.scan(), dim)).mean,
    directions: flat,
    count: directions.length,
    rows,
  };
}
