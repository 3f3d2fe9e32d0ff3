import { claimDoubles, releaseBytes } from '../kernels/arena.ts';
import { loadPowerKernel, type PowerKernel, powersOfRow } from '../kernels/powers.ts';
import type { RowBlock } from '../types.ts';

/** Values that one call of the kernel takes, unless a row has more: a piece that the second level cache keeps for the columns. */
const callValues = 1 << 17;

/**
 * Sums of the values of columns and of their squares, and of the powers of values of rows, in float64.
 *
 * Rows are added one after the other: the sums do not depend on how they come in blocks.
 * Cost: 16 bytes per column.
 */
export class ColumnSums {
  readonly dim: number;
  /** Rows that were added. */
  counted = 0;
  readonly #kernel: PowerKernel;
  readonly #callRows: number;
  readonly #powers: Float64Array;
  readonly #totals: Float64Array;
  readonly #squares: Float64Array;

  private constructor(kernel: PowerKernel, dim: number) {
    this.dim = dim;
    this.#kernel = kernel;
    this.#callRows = Math.max(1, Math.floor(callValues / dim));
    this.#powers = claimDoubles(this.#callRows * powersOfRow);
    this.#totals = claimDoubles(dim).fill(0);
    this.#squares = claimDoubles(dim).fill(0);
  }

  static async of(dim: number): Promise<ColumnSums> {
    return new ColumnSums(await loadPowerKernel(), dim);
  }

  release(): void {
    for (const sums of [this.#powers, this.#totals, this.#squares]) releaseBytes(sums);
  }

  /** Forgets all rows. */
  clear(): void {
    this.counted = 0;
    this.#totals.fill(0);
    this.#squares.fill(0);
  }

  /** The rows of a block, as many at a time as `powersOf` and `add` take. */
  *piecesOf({ start, rows, data }: RowBlock): Generator<RowBlock> {
    const { dim } = this;
    for (let row = 0; row < rows; row += this.#callRows) {
      const count = Math.min(this.#callRows, rows - row);
      yield { start: start + row, rows: count, data: data.subarray(row * dim, (row + count) * dim) };
    }
  }

  /** Sums of the values of every row, their squares, third and fourth powers, until the next call. Shape: [rows, 4] */
  powersOf({ rows, data }: RowBlock): Float64Array {
    this.#kernel.sumPowers(data, rows, this.dim, this.#powers);
    return this.#powers;
  }

  add({ rows, data }: RowBlock): void {
    this.#kernel.addToColumns(data, rows, this.dim, this.#totals, this.#squares);
    this.counted += rows;
  }

  /** Adds the rows that a test lets through: the numbers of rows in the piece. */
  addWhere({ start, rows, data }: RowBlock, isTaken: (row: number) => boolean): void {
    const { dim } = this;
    let first = 0;
    for (let row = 0; row <= rows; row++) {
      if (row < rows && isTaken(row)) continue;
      if (row > first)
        this.add({ start: start + first, rows: row - first, data: data.subarray(first * dim, row * dim) });
      first = row + 1;
    }
  }

  /** The mean of the added rows, zeros when there are none. Shape: [dim] */
  means(): Float64Array {
    return this.#totals.map((total) => total / Math.max(1, this.counted));
  }

  /** The variances of the population of added rows. Shape: [dim] */
  variances(): Float64Array {
    const means = this.means();
    return this.#squares.map((total, d) => Math.max(0, total / Math.max(1, this.counted) - means[d] ** 2));
  }
}
