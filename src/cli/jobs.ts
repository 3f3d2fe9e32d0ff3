import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadPort } from '../command.ts';
import { EmbError } from '../errors.ts';
import { Inbox } from './inbox.ts';

/** What a thread does: gets what it was started with and the other end of the line to the thread that started it. */
export type Job = (data: unknown, port: ThreadPort) => Promise<void>;

/** Jobs by name, loaded when one is started. */
export type Jobs = Readonly<Record<string, () => Promise<Job>>>;

/** What a worker sends: a message of its job, or what ended it. */
export type FromWorker = { message: unknown } | { failed: Pick<EmbError, 'code' | 'message' | 'hint'> };

/** Runs the job that this thread was started for; the whole of a worker's entry. An EmbError goes to the thread that waits for it. */
export async function serve(jobs: Jobs): Promise<void> {
  const line = parentPort;
  if (line === null) throw new Error('serve runs in a worker thread');
  const { job, data } = workerData as { job: string; data: unknown };
  const inbox = new Inbox();
  line.on('message', (message) => inbox.put(message));
  const send = (sent: FromWorker, transfer: readonly ArrayBuffer[] = []) =>
    line.postMessage(sent, [...transfer]);
  try {
    const run = await jobs[job]();
    await run(data, {
      post: (message, transfer) => send({ message }, transfer),
      receive: () => inbox.take(),
    });
  } catch (error) {
    if (!(error instanceof EmbError)) throw error;
    send({ failed: { code: error.code, message: error.message, hint: error.hint } });
  } finally {
    line.close();
  }
}
