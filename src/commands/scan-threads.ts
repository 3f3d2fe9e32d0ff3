import type { Context, WorkerThread } from '../command.ts';
import type { ScanJob } from '../core/shared-scan.ts';
import type { EmbeddingTable } from '../types.ts';
import { kernelOf } from './scan-options.ts';

/**
 * Threads that scan a table beside this one: as many as --threads says, else a second one where it is worth its start. None for a table
 * that is no local file.
 */
export async function startScanThreads(
  { options, cores, startWorkers }: Context,
  { origin }: Pick<EmbeddingTable, 'origin'>,
  isWorth: boolean,
): Promise<WorkerThread[]> {
  const count = (options.threads as number | undefined) ?? (isWorth && cores() > 1 ? 2 : 1);
  if (count === 1 || origin === undefined) return [];
  const job: ScanJob = { origin, kernel: kernelOf(options) };
  return startWorkers(count - 1, 'scan', job);
}
