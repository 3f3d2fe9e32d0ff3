import type { Batch } from '../command.ts';
import type { Column } from '../types.ts';
import type { Query } from './queries.ts';

/** The queries of a run, the first of them read already. */
export interface Asked {
  first: readonly Query[];
  /** There are several, or there may be. */
  many: boolean;
  /** All batches, the first among them. */
  batches: AsyncIterable<readonly Query[]>;
}

/** Reads the first batch: what the answers look like depends on it. */
export async function begun(batches: AsyncIterable<Batch<Query>>): Promise<Asked> {
  const iterator = batches[Symbol.asyncIterator]();
  const start = await iterator.next();
  const { items: first, ends } = start.done ? { items: [], ends: true } : start.value;
  async function* all(): AsyncGenerator<readonly Query[]> {
    if (first.length > 0) yield first;
    for await (const { items } of { [Symbol.asyncIterator]: () => iterator }) yield items;
  }
  return { first, many: first.length > 1 || !ends, batches: all() };
}

/** Which query an answer is for: tables say it where there are several, by name where they have one. */
export function queryColumns({ first, many }: Asked): Column[] {
  const named = first.some(({ text }) => text !== null);
  return [
    { key: 'row', kind: 'count', where: many && !named ? 'all' : 'machine' },
    { key: 'query', kind: 'text', where: many && named ? 'all' : 'machine' },
  ];
}
