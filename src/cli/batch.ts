import { availableParallelism } from 'node:os';
import { countRecords } from '../bytes/input.ts';
import type { WorkerThread } from '../command.ts';
import type { Sink } from '../types.ts';
import {
  type BatchAnswer,
  type BatchPiece,
  type BatchStart,
  type Look,
  piecesPerThread,
} from './batch-terms.ts';
import type { RunContext } from './context.ts';
import type { Inputs, RestOfTexts } from './inputs.ts';

/** Bytes of text that go to a thread at a time. */
const pieceBytes = 64 << 10;

/** Threads that are started unasked: each takes 80 MB, and the one that prints keeps up with about so many. */
const mostThreads = 8;

/** The run that goes on. */
export interface BatchRun {
  command: string;
  context: RunContext;
  look: Look;
  sink: Sink;
}

/**
 * Answers the rest of the texts by several threads and prints the answers in their order.
 *
 * Cost: memory for two pieces and their answers per thread, however many texts there are.
 * @throws what a thread throws, after what stands before it was printed
 */
export async function printRest(rest: RestOfTexts, run: BatchRun): Promise<void> {
  const { context } = run;
  const { options, modelRef, format, inputs } = context;
  const start: BatchStart = {
    command: run.command,
    format,
    options: { ...options, quiet: true },
    modelRef,
    look: { ...run.look, continued: true },
    separator: inputs.separator,
  };
  const count = (options.threads as number | undefined) ?? Math.min(mostThreads, availableParallelism());
  const threads = await context.startWorkers(count, 'texts', start);
  const queue = new AnswerQueue(threads.length * piecesPerThread);
  const asked = ask(rest, threads, queue, inputs).finally(() => {
    inputs.progress.done();
    queue.end();
  });
  // What was answered before the input failed is printed first; a reader who went away ends it at once.
  asked.catch(() => {});
  await print(queue, run);
  await asked;
}

/** Gives pieces to the threads in turn. */
async function ask(
  { stream, row }: RestOfTexts,
  threads: readonly WorkerThread[],
  queue: AnswerQueue,
  { separator, progress }: Inputs,
): Promise<void> {
  let [turn, first] = [0, row];
  for await (const bytes of stream.pieces(pieceBytes)) {
    const thread = threads[turn++ % threads.length];
    const piece: BatchPiece = { bytes, row: first };
    const count = countRecords(bytes, separator);
    first += count;
    thread.post(piece);
    await queue.add(thread.receive() as Promise<BatchAnswer>);
    progress.advance(count);
  }
}

async function print(queue: AnswerQueue, { context, sink }: BatchRun): Promise<void> {
  for (;;) {
    const answer = await queue.first();
    if (answer === undefined) return;
    for (const note of answer.notes) context.note(note);
    for (const [line, message] of answer.passedOver) context.passOver(line, message);
    sink.write(answer.bytes);
    queue.shift();
    // A writer that pauses wants its answers.
    if (queue.isEmpty) context.flush();
    await sink.flush();
  }
}

/** Answers that are under way, in their order; who adds one waits while there are too many. */
class AnswerQueue {
  readonly #most: number;
  readonly #answers: Promise<BatchAnswer>[] = [];
  #ended = false;
  #changed: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get isEmpty(): boolean {
    return this.#answers.length === 0;
  }

  async add(answer: Promise<BatchAnswer>): Promise<void> {
    // It is awaited later, in its turn.
    answer.catch(() => {});
    this.#answers.push(answer);
    this.#change();
    while (this.#answers.length >= this.#most) await this.#nextChange();
  }

  end(): void {
    this.#ended = true;
    this.#change();
  }

  /** The first answer; undefined when there is none to come. */
  async first(): Promise<BatchAnswer | undefined> {
    while (this.#answers.length === 0) {
      if (this.#ended) return undefined;
      await this.#nextChange();
    }
    return this.#answers[0];
  }

  /** Takes the first answer out, which makes room for another. */
  shift(): void {
    this.#answers.shift();
    this.#change();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed.push(resolve);
    });
  }

  #change(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}
