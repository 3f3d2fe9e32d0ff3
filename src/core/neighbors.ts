import type { WorkerThread } from '../command.ts';
import { paysToFuse } from '../kernels/arena-kernel.ts';
import { type DotKernel, loadDotKernel } from '../kernels/dots.ts';
import type { EmbeddingTable } from '../types.ts';
import type { Components } from './components.ts';
import { openOfAll } from './contenders.ts';
import type { PassOptions } from './neighbor-pass.ts';
import { gatherMemory, type Neighbor, rankExactly } from './ranking.ts';
import {
  BlockCounter,
  type CountedPass,
  FoundByOthers,
  type PartFound,
  type SharedPass,
  scanPart,
} from './shared-scan.ts';

export type { Metric } from '../kernels/nearness.ts';
export type { Neighbor } from './ranking.ts';

/** Bytes of queries that one pass over the table carries. */
const queryBytes = 2 << 20;

/** Most queries of one pass: their sums and candidates stay in the caches. */
const passQueries = 256;

export interface NeighborOptions extends Omit<PassOptions, 'removed' | 'exclude'> {
  /** Rows that may not be answers, by query. */
  exclude?: readonly ReadonlySet<number>[];
  kernel?: 'ts' | 'simd';
  /** Subtracted from rows and queries before they are compared. Shape: [dim] */
  center?: Float64Array;
  /** Taken out of rows and queries before they are compared; their mean is the center then. */
  components?: Components;
  /** Cosine and dot at least, l2 at most this. */
  threshold?: number;
  /** Told how many rows a pass went through. */
  advance?(rows: number): void;
  /** Threads that scan along: "scan" of cli/worker.ts, started for this table and stopped afterwards. */
  threads?: readonly WorkerThread[];
}

/**
 * The k rows nearest to each query, best first.
 *
 * Shape: table [rows, dim], queries [n * dim] → n lists of at most k
 * Rows of norm 0 have no cosine and rows with a value that is not finite no score: they are no answers. Ties: lower row first.
 * Whatever the number of threads, the answers are the same: candidates are compared again, in float64.
 * Cost: one scan for every 256 queries (or 2 MB of them), O(rows · dim · n) time; O(n · k) memory, and up to 2^18 rows of all queries that
 * float32 cannot tell apart; the answers are gathered.
 */
export async function findNeighbors(
  table: EmbeddingTable,
  queries: Float32Array,
  options: NeighborOptions,
): Promise<Neighbor[][]> {
  const finder = new NeighborFinder(table, options);
  try {
    return await finder.find(queries, options.exclude);
  } finally {
    void finder.stop();
  }
}

/** How many queries one pass over a table carries. */
export function queriesOfPass(dim: number): number {
  return Math.max(1, Math.min(passQueries, Math.floor(queryBytes / (dim * 4))));
}

/** findNeighbors for queries that come one batch after the other: the threads stay for the next. */
export class NeighborFinder {
  readonly #table: EmbeddingTable;
  readonly #options: NeighborOptions;
  readonly #beside: Beside;
  /** Where candidates are gathered: fresh memory for every query is let go too late. */
  readonly #gathered: Float32Array;
  /** Queries until now: a pass is told by the number of its first one. */
  #asked = 0;

  constructor(table: EmbeddingTable, options: NeighborOptions) {
    const { threads = [], advance } = options;
    this.#table = table;
    this.#options = options;
    this.#beside = { threads, others: new FoundByOthers(threads), advance };
    this.#gathered = gatherMemory(table.dim);
  }

  /** As findNeighbors does. Shape: queries [n * dim] → n lists; exclude [n] */
  async find(queries: Float32Array, exclude?: readonly ReadonlySet<number>[]): Promise<Neighbor[][]> {
    const { dim } = this.#table;
    const total = queries.length / dim;
    const most = queriesOfPass(dim);
    const { k, metric, among } = this.#options;
    const removed = removedBy(this.#options);
    const fuses = paysToFuse(this.#table.rows * queries.length);
    const kernel = await loadDotKernel(this.#options.kernel, fuses);
    const answers: Neighbor[][] = [];
    for (let start = 0; start < total; start += most) {
      const end = Math.min(start + most, total);
      const part = queries.subarray(start * dim, end * dim);
      const options = { k, metric, among, removed, exclude: exclude?.slice(start, end) };
      const pass = { queries: part, first: this.#asked + start, options };
      const found = await runPass(this.#table, pass, kernel, this.#beside);
      for (let query = 0; query < end - start; query++) {
        const open = found.map((each) => each.found[query]);
        const vector = part.subarray(query * dim, (query + 1) * dim);
        const ranking = { ...this.#options, kernel, removed, gathered: this.#gathered };
        answers.push(await rankExactly(this.#table, openOfAll(open, k), vector, ranking));
      }
    }
    this.#asked += total;
    return answers;
  }

  /** Ends the threads. Whoever starts others waits for it: each has memory of its own. */
  async stop(): Promise<void> {
    await Promise.all(this.#beside.threads.map((thread) => thread.stop()));
  }
}

/** What is taken out of rows and queries. */
export function removedBy({
  center,
  components,
}: Pick<NeighborOptions, 'center' | 'components'>): Components | undefined {
  if (components !== undefined || center === undefined) return components;
  return { mean: center, directions: new Float64Array(0), count: 0, rows: 0 };
}

/** One pass by this thread and those beside it. */
async function runPass(
  table: EmbeddingTable,
  pass: SharedPass,
  kernel: DotKernel,
  { threads, others, advance }: Beside,
): Promise<PartFound[]> {
  const counter = new BlockCounter();
  for (const thread of threads) thread.post({ ...pass, counter: counter.memory } satisfies CountedPass);
  const own = await scanPart(table, pass, kernel, counter, advance);
  const parts = await others.take(pass.first, table.rows - own.rows);
  for (const { rows } of parts) advance?.(rows);
  return [own, ...parts];
}

interface Beside {
  threads: readonly WorkerThread[];
  others: FoundByOthers;
  advance?: (rows: number) => void;
}
