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
  const upright = orthonormal(directions);
  const flat = new Float64Array(upright.length * dim);
  for (const [index, direction] of upright.entries()) flat.set(direction, index * dim);
  const { mean } = await meanOfFinite(() => table.scan(), dim);
  return { mean, directions: flat, count: upright.length, rows };
}

/** A direction of which the others leave less is none of its own. */
const leastOwn = 1e-6;

/**
 * Directions at right angles to each other, to the last bits: those that are combined from rows are so only as far as their products were
 * float32. Gram and Schmidt, each twice.
 */
function orthonormal(directions: readonly Float64Array[]): Float64Array[] {
  const found: Float64Array[] = [];
  for (const direction of directions) {
    const own = direction.slice();
    for (let time = 0; time < 2; time++)
      for (const other of found) {
        let along = 0;
        for (let i = 0; i < own.length; i++) along += own[i] * other[i];
        for (let i = 0; i < own.length; i++) own[i] -= along * other[i];
      }
    const norm = Math.sqrt(own.reduce((sum, x) => sum + x * x, 0));
    if (norm > leastOwn) found.push(own.map((x) => x / norm));
  }
  return found;
}
