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
  const [sums, squares] = [new Float64Array(rows), new Float64Array(rows)];
  const [cubes, fourths] = [new Float64Array(rows), new Float64Array(rows)];
  const [totals, totalSquares] = [new Float64Array(dim), new Float64Array(dim)];
  let counted = 0;
  for await (const block of table.scan()) {
    for (let row = 0; row < block.rows; row++) {
      const start = row * dim;
      const id = block.start + row;
      let [one, two, three, four] = [0, 0, 0, 0];
      for (let i = start; i < start + dim; i++) {
        const value = block.data[i];
        const square = value * value;
        one += value;
        two += square;
        three += square * value;
        four += square * square;
      }
      [sums[id], squares[id], cubes[id], fourths[id]] = [one, two, three, four];
      if (id >= last || two === 0 || !Number.isFinite(two)) continue;
      counted++;
      for (let i = start, d = 0; d < dim; i++, d++) {
        const value = block.data[i];
        totals[d] += value;
        totalSquares[d] += value * value;
      }
    }
    advance?.(block.rows);
  }
  const columnMeans = totals.map((total) => total / Math.max(1, counted));
  const columnVariances = totalSquares.map((total, d) =>
    Math.max(0, total / Math.max(1, counted) - columnMeans[d] ** 2),
  );
  return { sums, squares, cubes, fourths, counted, columnMeans, columnVariances };
}
