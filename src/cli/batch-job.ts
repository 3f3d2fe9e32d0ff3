import { recordsOf } from '../bytes/input.ts';
import type { TextInput, ThreadPort } from '../command.ts';
import { commands } from '../commands/index.ts';
import { renderers } from '../render/index.ts';
import type { Sink, Tokenizer } from '../types.ts';
import { type BatchAnswer, type BatchPiece, type BatchStart, piecesPerThread } from './batch-terms.ts';
import { createContext } from './context.ts';

/** Room for an answer at first. */
const firstBytes = 256 << 10;

/** Answers pieces of texts as the command does, until the thread is stopped; tokenizers are opened once. */
export async function batchJob(data: unknown, port: ThreadPort): Promise<never> {
  const { command: name, format, options, modelRef, look, separator } = data as BatchStart;
  const command = await commands[name].load();
  const renderer = await renderers[format].load();
  const context = createContext(
    [],
    { ...options, model: modelRef },
    format,
    { unasked: true, arguments: true },
    () => {},
  );
  const { tokenizerOf } = context;
  const opened = new Map<string, Promise<Tokenizer>>();
  let notes: string[] = [];
  let passedOver: [number, string][] = [];
  const note = (message: string) => {
    notes.push(message);
  };
  const sinks = Array.from({ length: piecesPerThread }, () => new SharedSink());
  let turn = 0;
  let piece: BatchPiece | undefined;
  const { passOver } = context;
  Object.assign(context, {
    note,
    passOver(line: number, message: string) {
      // Strictly it throws; else the first thread says it, in its turn.
      if (options.strict) passOver(line, message);
      passedOver.push([line, message]);
    },
    texts: () => textsOf(piece as BatchPiece, separator, note),
    tokenizerOf(ref: string) {
      let tokenizer = opened.get(ref);
      if (tokenizer === undefined) {
        tokenizer = tokenizerOf(ref);
        opened.set(ref, tokenizer);
      }
      return tokenizer;
    },
  });
  for (;;) {
    piece = (await port.receive()) as BatchPiece;
    const report = await command.run(context);
    // The piece before the last has been printed when the next one comes.
    const sink = sinks[turn++ % sinks.length];
    sink.clear();
    await renderer.render(report, sink, { ...look, note, onPause: () => {} });
    const answer: BatchAnswer = { bytes: sink.bytes(), notes: [...new Set(notes)], passedOver };
    notes = [];
    passedOver = [];
    port.post(answer);
  }
}

async function* textsOf(
  { bytes, row }: BatchPiece,
  separator: number,
  note: (message: string) => void,
): AsyncGenerator<TextInput> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = row;
  for (const text of recordsOf(buffer, { separator, note })) yield { row: at++, text, line: at };
}

/** Collects what is printed in memory that two threads share, so that nothing is copied and no fresh memory is touched for each piece. */
class SharedSink implements Sink {
  #buffer = Buffer.from(new SharedArrayBuffer(firstBytes));
  #used = 0;

  clear(): void {
    this.#used = 0;
  }

  write(chunk: string | Uint8Array): void {
    // A UTF-16 unit takes at most three bytes of UTF-8.
    this.#reserve(typeof chunk === 'string' ? chunk.length * 3 : chunk.byteLength);
    if (typeof chunk === 'string') this.#used += this.#buffer.write(chunk, this.#used, 'utf8');
    else {
      this.#buffer.set(chunk, this.#used);
      this.#used += chunk.byteLength;
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#buffer.byteLength) return;
    const larger = Buffer.from(new SharedArrayBuffer(Math.max(needed, this.#buffer.byteLength * 2)));
    larger.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = larger;
  }

  async flush(): Promise<void> {}

  spool(): never {
    throw new Error('formats of lines need no spool');
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.#buffer.buffer, this.#buffer.byteOffset, this.#used);
  }
}
