import { claimFloats, releaseBytes } from '../kernels/arena.ts';
import { loadDotKernel } from '../kernels/dots.ts';
import type { EmbeddingTable, RowBlock } from '../types.ts';
import { Contenders } from './contenders.ts';
import { cosineSlack } from './margins.ts';
import { gatherMemory, type Neighbor } from './ranking.ts';

/** Rows that are kept between two float64 passes over what float32 leaves open, beside four for each that is asked for. */
const mostOpen = 1 << 16;

/** Rows of a block that one call of the kernel takes: its sums stay small. */
const kernelRows = 1024;

/** Squares of rows that float32 sums hold without under- or overflow. */
const squareRange = [2 ** -90, 2 ** 100] as const;

/** What float64 may be off a cosine, as part of 1, and much more. */
const exactSlack = 2 ** -40;

/** What keeps a product of opposite directions from dividing by 0, as in gensim's most_similar_cosmul. */
const leastDivisor = 1e-6;

/**
 * A row divided by its norm, in float64; undefined for a row of norm 0 or with a value that is not finite.
 *
 * Shape: data holds a row of dim values from `start`.
 */
export function unitRow(data: Float32Array, start: number, dim: number): Float64Array | undefined {
  const row = Float64Array.from(data.subarray(start, start + dim));
  const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
  if (!(norm > 0 && norm < Number.POSITIVE_INFINITY)) return undefined;
  return row.map((value) => value / norm);
}

/**
 * The weighted sum of rows as a vector of length 1; undefined when the sum is zero or not finite.
 *
 * Shape: rows n x [dim], weights [n] → [dim]. Summed in float64, rounded once.
 */
export function weightedSum(
  rows: readonly ArrayLike<number>[],
  weights: readonly number[],
): Float32Array | undefined {
  const sum = new Float64Array(rows[0].length);
  let size = 0;
  for (const [index, row] of rows.entries()) {
    for (let i = 0; i < sum.length; i++) {
      sum[i] += weights[index] * row[i];
      size = Math.max(size, Math.abs(weights[index] * row[i]));
    }
  }
  const norm = Math.sqrt(sum.reduce((total, value) => total + value * value, 0));
  // What rounding leaves of a - a is no direction.
  if (!(norm > size * 2 ** -40 && norm < Number.POSITIVE_INFINITY)) return undefined;
  return Float32Array.from(sum, (value) => value / norm);
}

/** Told to every scan. */
interface ScanOptions {
  kernel: 'ts' | 'simd';
  advance?(rows: number): void;
}

/** Rows of a block, as one call of the kernel leaves them. */
interface ComparedRows {
  /** Row of the table that the first of them is. */
  start: number;
  rows: number;
  /** Shape: [rows, dim] */
  data: Float32Array;
  /** Shape: [queries, stride] */
  dots: Float32Array;
  stride: number;
  /** Shape: [rows] */
  squares: Float32Array;
}

/** Compares every row with unit vectors, some rows at a time, and waits for `between` after each block. Shape: queries n x [dim] */
async function compareRows(
  table: EmbeddingTable,
  queries: readonly Float64Array[],
  options: ScanOptions,
  visit: (compared: ComparedRows) => void,
  between: () => Promise<void> = async () => {},
): Promise<void> {
  const { dim } = table;
  const count = queries.length;
  const kernel = await loadDotKernel(options.kernel);
  const floats = claimFloats(count * dim + (count + 2) * kernelRows);
  const units = floats.subarray(0, count * dim);
  const dots = floats.subarray(count * dim, count * dim + (count + 1) * kernelRows);
  const squares = floats.subarray(floats.length - kernelRows);
  for (const [index, query] of queries.entries()) units.set(query, index * dim);
  const compare = (block: RowBlock): void => {
    for (let row = 0; row < block.rows; row += kernelRows) {
      const rows = Math.min(kernelRows, block.rows - row);
      const data = block.data.subarray(row * dim, (row + rows) * dim);
      kernel.dotRows({ data, rows, dim, queries: units, count, dots, stride: kernelRows, squares });
      visit({ start: block.start + row, rows, data, dots, stride: kernelRows, squares });
    }
    options.advance?.(block.rows);
  };
  try {
    for await (const block of table.scan()) {
      compare(block);
      await between();
    }
  } finally {
    releaseBytes(floats);
  }
}

/** Cosine of a row with unit vectors, and its norm, in float64; NaN for a row without a direction. */
function exactCosines(
  data: Float32Array,
  start: number,
  queries: readonly Float64Array[],
): { cosines: number[]; norm: number } {
  const dim = queries[0].length;
  let square = 0;
  for (let i = 0; i < dim; i++) square += data[start + i] * data[start + i];
  const norm = Math.sqrt(square);
  const cosines = queries.map((query) => {
    let dot = 0;
    for (let i = 0; i < dim; i++) dot += data[start + i] * query[i];
    return norm > 0 ? Math.max(-1, Math.min(1, dot / norm)) : Number.NaN;
  });
  return { cosines, norm };
}

export interface ProductOptions extends ScanOptions {
  k: number;
  /** Rows that may not be answers. */
  exclude?: ReadonlySet<number>;
}

/**
 * The k rows of the largest 3CosMul: the product of (1 + cosine) / 2 over what is added, divided by that over what is subtracted.
 *
 * Shape: table [rows, dim], queries n x [dim] of length 1, weights [n] → at most k; a weight other than 1 is the exponent.
 * Rows of norm 0 and rows with a value that is not finite are no answers. Ties: lower row first.
 * Cost: one scan; the answers are gathered and compared again in float64.
 * Source: Levy & Goldberg 2014, "Linguistic Regularities in Sparse and Explicit Word Representations", equation 4 and footnote 7.
 */
export async function findByProduct(
  table: EmbeddingTable,
  queries: readonly Float64Array[],
  weights: readonly number[],
  options: ProductOptions,
): Promise<Neighbor[]> {
  const open = new Contenders(options.k);
  const slack = cosineSlack(table.dim);
  const [most, least] = [weights.map(() => 0), weights.map(() => 0)];
  const rank = async (ids: Uint32Array) =>
    (await rankByProduct(table, ids, queries, weights)).slice(0, options.k);
  const visit = ({ start, rows, data, dots, stride, squares }: ComparedRows): void => {
    for (let row = 0; row < rows; row++) {
      const square = squares[row];
      const isSummed = square > squareRange[0] && square < squareRange[1];
      const exact = isSummed ? undefined : exactCosines(data, row * table.dim, queries).cosines;
      const margin = isSummed ? slack : exactSlack;
      const norm = Math.sqrt(square);
      for (let query = 0; query < weights.length; query++) {
        const cosine = exact?.[query] ?? dots[query * stride + row] / norm;
        const towards = weights[query] > 0 ? margin : -margin;
        most[query] = cosine + towards;
        least[query] = cosine - towards;
      }
      const score = productOf(most, weights);
      // A NaN enters nowhere.
      if (!(score > open.bound) || options.exclude?.has(start + row)) continue;
      open.meet(start + row, productOf(least, weights), score);
    }
  };
  await compareRows(table, queries, options, visit, async () => {
    if (open.length <= mostOpen + 4 * options.k) return;
    const best = (await rank(open.rows())).sort((a, b) => a.row - b.row);
    const bounds = (side: number) => Float64Array.from(best, ({ score }) => score * (1 + side * exactSlack));
    open.settle({ rows: Uint32Array.from(best, ({ row }) => row), least: bounds(-1), most: bounds(1) });
  });
  return rank(open.rows());
}

/** Some rows by their product in float64, best first. Ties: lower row first. */
async function rankByProduct(
  table: EmbeddingTable,
  ids: Uint32Array,
  queries: readonly Float64Array[],
  weights: readonly number[],
): Promise<Neighbor[]> {
  const found: Neighbor[] = [];
  const gathered = gatherMemory(table.dim);
  const step = gathered.length / table.dim;
  for (let first = 0; first < ids.length; first += step) {
    const part = ids.subarray(first, first + step);
    const { data } = await table.gather(part, gathered);
    for (const [index, row] of part.entries()) {
      const exact = exactCosines(data, index * table.dim, queries);
      const score = productOf(exact.cosines, weights);
      if (Number.isFinite(score)) found.push({ row, score, norm: exact.norm });
    }
  }
  return found.sort((a, b) => b.score - a.score || a.row - b.row);
}

function productOf(cosines: readonly number[], weights: readonly number[]): number {
  let added = 1;
  let subtracted = 1;
  for (let i = 0; i < weights.length; i++) {
    const share = Math.max(0, (1 + cosines[i]) / 2);
    const weight = Math.abs(weights[i]);
    const factor = weight === 1 ? share : share ** weight;
    if (weights[i] > 0) added *= factor;
    else subtracted *= factor;
  }
  return added / (subtracted + leastDivisor);
}

/** Where a row stands among the neighbors of another. */
export interface Rank {
  cosine: number;
  /** 1 + the rows that are nearer. */
  rank: number;
  /** Other rows that are as near. */
  ties: number;
  /** Rows that were compared: all that have a direction, without the row whose neighbors they are. */
  of: number;
}

export interface RankOptions extends ScanOptions {
  /** 1 for rows that are counted; all when absent. Shape: [rows] */
  among?: Uint8Array;
}

/**
 * The ranks of rows among the neighbors of row `self`, by cosine.
 *
 * Shape: query [dim] of length 1, targets n x [dim] → n. Rows that are nearer by float64 count, exactly.
 * Cost: one scan; rows that float32 cannot tell from a target are compared again.
 */
export async function rankRows(
  table: EmbeddingTable,
  self: number,
  query: Float64Array,
  targets: readonly { row: number; values: Float32Array }[],
  options: RankOptions,
): Promise<Rank[]> {
  const { dim } = table;
  const ranks = targets.map(({ values }) => ({
    cosine: exactCosines(values, 0, [query]).cosines[0],
    rank: 1,
    ties: 0,
    of: 0,
  }));
  const tolerance = cosineSlack(dim);
  let compared = 0;
  await compareRows(table, [query], options, ({ start, rows, data, dots, squares }) => {
    for (let row = 0; row < rows; row++) {
      const id = start + row;
      if (id === self || options.among?.[id] === 0) continue;
      const square = squares[row];
      const usable = square > squareRange[0] && square < squareRange[1];
      let exact = usable ? undefined : exactCosines(data, row * dim, [query]).cosines[0];
      const cosine = exact ?? dots[row] / Math.sqrt(square);
      if (!Number.isFinite(cosine)) continue;
      compared++;
      for (const [index, rank] of ranks.entries()) {
        if (Math.abs(cosine - rank.cosine) > tolerance) {
          if (cosine > rank.cosine) rank.rank++;
          continue;
        }
        exact ??= exactCosines(data, row * dim, [query]).cosines[0];
        if (exact > rank.cosine) rank.rank++;
        else if (exact === rank.cosine && id !== targets[index].row) rank.ties++;
      }
    }
  });
  return ranks.map((rank) => ({ ...rank, of: compared }));
}

/**
 * The cosine of each vector with the mean of all: the lowest does not match the others.
 *
 * Shape: units n x [dim] of length 1 → [n]; undefined when the mean is zero
 * Source: gensim, KeyedVectors.doesnt_match.
 */
export function centralities(units: readonly Float64Array[]): number[] | undefined {
  const mean = weightedSum(
    units,
    units.map(() => 1),
  );
  return mean && units.map((unit) => unit.reduce((sum, value, i) => sum + value * mean[i], 0));
}
