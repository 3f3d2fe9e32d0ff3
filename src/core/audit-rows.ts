import { claimFloats, releaseBytes } from '../kernels/arena.ts';
import { loadDotKernel } from '../kernels/dots.ts';
import type { EmbeddingTable } from '../types.ts';
import { findFirsts } from './duplicates.ts';
import { RowDigests } from './row-digests.ts';

/** Bytes of rows that are gathered at a time. */
const gatherBytes = 2 << 20;

/** Rows that one call of the kernel takes. */
const kernelRows = 1024;

/** Squares that sums in float32 hold without under- or overflow; others are summed again in float64. */
const squareRange = [2 ** -90, 2 ** 100] as const;

/** Sums of one row each. */
export interface RowSums {
  /** Shape: [rows]. Sum of squares; not finite where the row has a NaN or an infinity, 0 where all values are. */
  squares: Float64Array;
  /** Shape: [count][rows]. Dot products with the vectors that were asked for. */
  dots: Float32Array[];
}

/**
 * The squared norm of every row and its dot products with some vectors, in one scan.
 *
 * Shape: table [rows, dim], vectors count of [dim]
 * Units: sums in float32, good to about 1e-7 of |x|² and |x| |v|; equal rows have equal squares.
 * Cost: one scan; 8 + 4 · count bytes per row.
 */
export async function sumRows(
  table: EmbeddingTable,
  vectors: readonly Float64Array[],
  advance?: (rows: number) => void,
): Promise<RowSums> {
  const { dim, rows } = table;
  const kernel = await loadDotKernel('simd');
  const result: RowSums = {
    squares: new Float64Array(rows).fill(Number.NaN),
    dots: vectors.map(() => new Float32Array(rows).fill(Number.NaN)),
  };
  // The kernel multiplies with one vector at least.
  const count = Math.max(1, vectors.length);
  const queries = claimFloats(count * dim).fill(0);
  const dots = claimFloats((count + 1) * kernelRows);
  const squares = claimFloats(kernelRows);
  for (const [index, vector] of vectors.entries()) queries.set(vector, index * dim);
  try {
    for await (const block of table.scan()) {
      for (let start = 0; start < block.rows; start += kernelRows) {
        const taken = Math.min(kernelRows, block.rows - start);
        const data = block.data.subarray(start * dim, (start + taken) * dim);
        const first = block.start + start;
        kernel.dotRows({ data, rows: taken, dim, queries, count, dots, stride: kernelRows, squares });
        takeSquares(data, squares, result.squares.subarray(first, first + taken));
        for (const [index, line] of result.dots.entries())
          line.set(dots.subarray(index * kernelRows, index * kernelRows + taken), first);
      }
      advance?.(block.rows);
    }
  } finally {
    for (const floats of [queries, dots, squares]) releaseBytes(floats);
  }
  return result;
}

function takeSquares(data: Float32Array, squares: Float32Array, into: Float64Array): void {
  const dim = data.length / into.length;
  for (let row = 0; row < into.length; row++) {
    const square = squares[row];
    const isSafe = square > squareRange[0] && square < squareRange[1];
    into[row] = isSafe ? square : squareOf(data.subarray(row * dim, (row + 1) * dim));
  }
}

/** The sum of squares in float64. */
export function squareOf(row: ArrayLike<number>): number {
  let square = 0;
  for (let i = 0; i < row.length; i++) square += row[i] * row[i];
  return square;
}

/** Visits chosen rows, a bounded number in memory at a time. The row is valid until the next one. Ids are below table.rows. */
export async function visitRows(
  table: EmbeddingTable,
  ids: readonly number[],
  visit: (id: number, row: Float32Array) => void,
): Promise<void> {
  const { dim } = table;
  const most = Math.max(1, Math.floor(gatherBytes / (dim * 4)));
  const buffer = new Float32Array(Math.min(most, ids.length) * dim);
  for (let start = 0; start < ids.length; start += most) {
    const part = ids.slice(start, start + most);
    const { data } = await table.gather(Uint32Array.from(part), buffer);
    for (const [index, id] of part.entries()) visit(id, data.subarray(index * dim, (index + 1) * dim));
  }
}

/**
 * For every row the first one before it that holds the same values, 0 and -0 being one; -1 where there is none.
 *
 * Rows of zeros and rows with values that are not finite are left out.
 * Shape: squares [rows] as sumRows gives them → [rows]
 * Cost: reads again the rows that share their square with another, for their hashes; then those that share a hash, which are compared.
 */
export async function findTwins(table: EmbeddingTable, squares: Float64Array): Promise<Int32Array> {
  const twins = new Int32Array(squares.length).fill(-1);
  const repeated = repeatedValues(squares);
  const shared = new Uint32Array(squares.reduce((count, square) => count + Number(repeated.has(square)), 0));
  let filled = 0;
  for (let row = 0; row < squares.length; row++) if (repeated.has(squares[row])) shared[filled++] = row;
  if (filled === 0) return twins;
  const digests = await RowDigests.by('simd', table.dim, shared.length);
  const most = Math.max(1, Math.floor(gatherBytes / (table.dim * 4)));
  const memory = claimFloats(Math.min(most, shared.length) * table.dim);
  try {
    for (let start = 0; start < shared.length; start += most) {
      const part = shared.subarray(start, start + most);
      const { data } = await table.gather(part, memory);
      digests.add({ start, rows: part.length, data });
    }
  } finally {
    releaseBytes(memory);
    digests.release();
  }
  const gather = (ids: Uint32Array, into?: Float32Array) =>
    table.gather(
      ids.map((index) => shared[index]),
      into,
    );
  const firsts = await findFirsts({ dim: table.dim, gather }, digests.hashes());
  for (const [index, first] of firsts.entries()) if (first >= 0) twins[shared[index]] = shared[first];
  return twins;
}

/** Values above 0 that are there twice. Cost: sorts a copy, which takes less memory than a map of all of them. */
function repeatedValues(values: Float64Array): Set<number> {
  const sorted = values.filter((value) => value > 0 && value < Number.POSITIVE_INFINITY).sort();
  const repeated = new Set<number>();
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) repeated.add(sorted[i]);
  return repeated;
}
