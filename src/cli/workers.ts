import { SHARE_ENV, Worker } from 'node:worker_threads';
import type { WorkerThread } from '../command.ts';
import { EmbError } from '../errors.ts';
import { Inbox } from './inbox.ts';
import type { FromWorker } from './jobs.ts';

/** The folder of the bundle; as modules emb has no worker entry. */
declare const __dirname: string | undefined;

/** What a thread runs first: bin/load.js has the machine code of the chunks, so that they need not be compiled once more. */
const bundled =
  typeof __dirname === 'undefined'
    ? undefined
    : `require(${JSON.stringify(`${__dirname}/../../bin/load.js`)}).load('worker.cjs')`;

/**
 * Starts threads that run a job of worker.ts, each of its own memory.
 *
 * @param data what the job gets: copied, but for SharedArrayBuffers
 * @param program what a thread runs, as a script
 * @returns none where emb runs from its modules: the work is then done by the thread that is there
 * Cost: about 30 ms until a thread begins; the caller goes on meanwhile.
 */
export function startWorkers(
  count: number,
  job: string,
  data: unknown,
  program: string | undefined = bundled,
): WorkerThread[] {
  if (program === undefined) return [];
  return Array.from({ length: count }, () => startWorker(program, job, data));
}

function startWorker(program: string, job: string, data: unknown): WorkerThread {
  const worker = new Worker(program, { eval: true, env: SHARE_ENV, workerData: { job, data } });
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
