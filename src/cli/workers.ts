import { Worker } from 'node:worker_threads';
import type { WorkerThread } from '../command.ts';
import { EmbError } from '../errors.ts';
import { Inbox } from './inbox.ts';
import type { FromWorker } from './jobs.ts';

/** The folder of the bundle; as modules emb has no worker entry. */
declare const __dirname: string | undefined;

/**
 * Starts threads that run a job of worker.ts, each of its own memory.
 *
 * @param data what the job gets: copied, but for SharedArrayBuffers
 * @returns none where emb runs from its modules: the work is then done by the thread that is there
 * Cost: about 30 ms until a thread begins; the caller goes on meanwhile.
 */
export function startWorkers(
  count: number,
  job: string,
  data: unknown,
  entry = typeof __dirname === 'undefined' ? undefined : `${__dirname}/worker.cjs`,
): WorkerThread[] {
  if (entry === undefined) return [];
  return Array.from({ length: count }, () => startWorker(entry, job, data));
}

function startWorker(entry: string, job: string, data: unknown): WorkerThread {
  const worker = new Worker(entry, { workerData: { job, data } });
  const inbox = new Inbox();
  worker.on('message', (sent: FromWorker) => {
    if ('message' in sent) inbox.put(sent.message);
    else inbox.fail(new EmbError(sent.failed.code, sent.failed.message, sent.failed.hint));
  });
  worker.on('error', (error) => inbox.fail(error));
  worker.on('exit', () => inbox.fail(new Error(`the thread of "${job}" has ended`)));
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    receive: () => inbox.take(),
    async stop() {
      await worker.terminate();
    },
  };
}
