import type { WorkerThread } from '../command.ts';
import { paysToFuse } from '../kernels/arena-kernel.ts';
import { type DotKernel, loadDotKernel } from '../kernels/dots.ts';
import type { EmbeddingTable, HalfRows, RowBlock, TableOrigin } from '../types.ts';
import type { Contended } from './contenders.ts';
import type { ShareAsked, ShareSummed } from './covariance.ts';
import { NeighborPass, type PassOptions } from './neighbor-pass.ts';
import { gatherMemory, rankExactly } from './ranking.ts';

/** What a thread that scans along is started with. */
export interface ScanJob {
  origin: TableOrigin;
  kernel: 'ts' | 'simd';
}

/** One pass, as it is sent to the threads. */
export interface SharedPass {
  /** Shared memory may hold others after the pass: a thread that comes too late for it finds no block to compare them with. */
  queries: Float32Array;
  /** Number of the first query: which pass it is. */
  first: number;
  options: PassOptions;
}

/** A pass with the counter that its threads share. */
export interface CountedPass extends SharedPass {
  counter: SharedArrayBuffer;
}

/** What a thread found in its part of a pass. */
export interface PartFound {
  first: number;
  rows: number;
  found: Contended[];
}

/** The next block's number, for the threads of one pass. */
export class BlockCounter {
  readonly memory: SharedArrayBuffer;
  readonly #numbers: Int32Array;

  constructor(memory = new SharedArrayBuffer(4)) {
    this.memory = memory;
    this.#numbers = new Int32Array(memory);
  }

  next(): number {
    return Atomics.add(this.#numbers, 0, 1);
  }
}

/** Compares the blocks of a table that the counter gives with the queries of a pass. Where float32 leaves very many rows open, they are ranked meanwhile. */
export async function scanPart(
  table: EmbeddingTable,
  { queries, first, options }: SharedPass,
  kernel: DotKernel,
  counter: BlockCounter,
  advance?: (rows: number) => void,
): Promise<PartFound> {
  const pass = new NeighborPass(table.dim, queries, options, kernel);
  const blocks: AsyncIterable<RowBlock | HalfRows> =
    table.scanParts?.({ next: () => counter.next(), halves: pass.prefersHalves }) ?? table.scan();
  let rows = 0;
  let gathered: Float32Array | undefined;
  const rank = (query: number, open: Uint32Array) => {
    gathered ??= gatherMemory(table.dim);
    const vector = queries.subarray(query * table.dim, (query + 1) * table.dim);
    return rankExactly(table, open, vector, { ...options, kernel, gathered });
  };
  try {
    for await (const block of blocks) {
      await pass.compare(block, rank);
      rows += block.rows;
      advance?.(block.rows);
    }
    return { first, rows, found: pass.found() };
  } finally {
    pass.release();
  }
}

/**
 * The work of a thread that scans along: passes, and shares of a covariance, come as messages; what was found goes back. It ends when it is
 * stopped.
 */
export async function scanAlong(
  table: EmbeddingTable,
  { kernel }: ScanJob,
  receive: () => Promise<unknown>,
  post: (found: PartFound | ShareSummed) => void,
): Promise<never> {
  for (;;) {
    const asked = (await receive()) as CountedPass | ShareAsked;
    if ('share' in asked) {
      const { sumShare } = await import('./covariance.ts');
      post(await sumShare(table.scan(), table.dim, kernel, asked));
    } else {
      const loaded = await loadDotKernel(kernel, paysToFuse(table.rows * asked.queries.length));
      post(await scanPart(table, asked, loaded, new BlockCounter(asked.counter)));
    }
  }
}

/** What threads found, pass after pass. */
export class FoundByOthers {
  readonly #threads: readonly WorkerThread[];
  /** One message of every thread is waited for: what loses a race must not be lost. */
  readonly #awaited: Promise<{ index: number; part: PartFound }>[];

  constructor(threads: readonly WorkerThread[]) {
    this.#threads = threads;
    this.#awaited = threads.map((_, index) => this.#ask(index));
  }

  #ask(index: number): Promise<{ index: number; part: PartFound }> {
    const answer = this.#threads[index].receive().then((part) => ({ index, part: part as PartFound }));
    // A thread that fails or is stopped without having had a part in it is missed by nobody.
    answer.catch(() => {});
    return answer;
  }

  /** Parts of a pass until they have so many rows: a thread that came too late for a block has none. */
  async take(first: number, missing: number): Promise<PartFound[]> {
    const found: PartFound[] = [];
    for (let left = missing; left > 0; ) {
      const { index, part } = await Promise.race(this.#awaited);
      this.#awaited[index] = this.#ask(index);
      if (part.first !== first || part.rows === 0) continue;
      found.push(part);
      left -= part.rows;
    }
    return found;
  }
}
