import type { WorkerThread } from '../command.ts';
import type { EmbeddingTable } from '../types.ts';
import { NeighborFinder, queriesOfPass } from './neighbors.ts';
import type { RowPairs } from './row-diff.ts';

/** The nearest rows of a pair, each in its own table; null where a row has no direction. */
export interface NearestPair {
  before: number | null;
  after: number | null;
  /** Whether the two are rows of different tokens. */
  flipped: boolean;
}

/** How far a signal stands above noise. Units: dB; Infinity without noise, NaN without a signal */
export function signalToNoise(signal: number, noise: number): number {
  return 10 * Math.log10(signal / noise);
}

/** Every n-th pair, so that there are about so many. Shape: → at most count + 1 places in pairs, ascending */
export function samplePairs(pairs: RowPairs, count: number): number[] {
  const all = pairs.after.length;
  if (count >= all) return Array.from({ length: all }, (_, i) => i);
  return Array.from({ length: count }, (_, i) => Math.floor((i * all) / count));
}

export interface NearestOptions {
  kernel?: 'ts' | 'simd';
  /** Starts threads that scan a table along, when its turn comes; they are stopped afterwards. */
  threadsOf?(table: EmbeddingTable): Promise<readonly WorkerThread[]>;
}

/**
 * The nearest row by cosine of some pairs, in the table before and in the one after.
 *
 * Shape: places index pairs → one for each
 * Cost: a scan of each table for every pass of queries, 256 places of most tables.
 */
export async function nearestPairs(
  before: EmbeddingTable,
  after: EmbeddingTable,
  pairs: RowPairs,
  places: readonly number[],
  options: NearestOptions = {},
): Promise<NearestPair[]> {
  const places32 = Uint32Array.from(places);
  const rowsOf = (side: Uint32Array) => places32.map((place) => side[place]);
  const left = await nearestRows(before, rowsOf(pairs.before), options);
  const right = await nearestRows(after, rowsOf(pairs.after), options);
  const counterpart = new Map<number, number>();
  const wanted = new Set(left);
  pairs.before.forEach((row, i) => {
    if (wanted.has(row)) counterpart.set(row, pairs.after[i]);
  });
  return left.map((row, i) => ({
    before: row,
    after: right[i],
    flipped: (row === null ? null : counterpart.get(row)) !== right[i],
  }));
}

async function nearestRows(
  table: EmbeddingTable,
  rows: Uint32Array,
  { kernel, threadsOf }: NearestOptions,
): Promise<(number | null)[]> {
  const nearest: (number | null)[] = [];
  const most = queriesOfPass(table.dim);
  const threads = rows.length === 0 ? [] : await threadsOf?.(table);
  const finder = new NeighborFinder(table, { k: 1, metric: 'cosine', kernel, threads });
  try {
    for (let at = 0; at < rows.length; at += most)
      nearest.push(...(await nearestOf(table, rows.subarray(at, at + most), finder)));
    return nearest;
  } finally {
    await finder.stop();
  }
}

/** The nearest rows of one pass. */
async function nearestOf(
  table: EmbeddingTable,
  rows: Uint32Array,
  finder: NeighborFinder,
): Promise<(number | null)[]> {
  const { data } = await table.gather(rows);
  const directed = directedRows(data, table.dim);
  const queries = new Float32Array(directed.length * table.dim);
  directed.forEach((row, i) => {
    queries.set(data.subarray(row * table.dim, (row + 1) * table.dim), i * table.dim);
  });
  const exclude = directed.map((row) => new Set([rows[row]]));
  const found = directed.length === 0 ? [] : await finder.find(queries, exclude);
  const byRow = new Map(directed.map((row, i) => [row, found[i][0]?.row ?? null]));
  return Array.from(rows, (_, row) => byRow.get(row) ?? null);
}

/** Rows with a direction: finite and not all zeros. */
function directedRows(data: Float32Array, dim: number): number[] {
  const directed: number[] = [];
  for (let row = 0; row * dim < data.length; row++) {
    const square = data.subarray(row * dim, (row + 1) * dim).reduce((sum, value) => sum + value * value, 0);
    if (square > 0 && square < Number.POSITIVE_INFINITY) directed.push(row);
  }
  return directed;
}
