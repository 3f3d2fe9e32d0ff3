import { isUtf8 } from 'node:buffer';
import { createReadStream, fstatSync, type ReadStream, statSync } from 'node:fs';
import { EmbError } from '../errors.ts';

/** Longest record: a text longer than this is no line of text, and a string cannot grow without end. */
const longestRecord = 256 * 1024 * 1024;

/** How long a writer may be silent before its pause counts: answers leave then. */
const pauseMilliseconds = 20;

const lineFeed = 10;

export interface RecordOptions {
  /** Path; undefined reads stdin. */
  file: string | undefined;
  /** Byte that ends a record: 10 for lines (a CR before it belongs to the end), 0 for NUL. */
  separator: number;
  note(message: string): void;
  /** Called when no whole record is left and the writer is silent. */
  onPause(): void;
}

/**
 * The records of stdin or a file as strings, as they arrive.
 *
 * Invalid UTF-8 becomes U+FFFD, with one note. The last record needs no separator.
 * @throws EmbError "missing" for a file that cannot be read, "range" for a record above 256 MiB
 */
export function readRecords(options: RecordOptions): AsyncGenerator<string> {
  return new RecordStream(options).records();
}

/** The records of an input: the first ones as strings, the rest in whole pieces for other threads. */
export class RecordStream {
  readonly #options: RecordOptions;
  readonly #chunks: AsyncGenerator<Buffer>;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Chunks that were looked at, and are to be read. */
  #unread: Buffer[] = [];
  /** The input has more than was read. */
  hasRest = false;

  constructor(options: RecordOptions) {
    this.#options = options;
    this.#chunks = chunks(options);
  }

  /** Records, as of readRecords. Where `isEnough` says so of the bytes read, it ends before the next record, and `hasRest` is true. */
  async *records(isEnough: (bytes: number) => boolean = () => false): AsyncGenerator<string> {
    const { separator } = this.#options;
    let read = 0;
    try {
      while (!isEnough(read)) {
        const { value: chunk, done } = await this.#next();
        if (done) {
          if (this.#pendingBytes > 0) yield* recordsOf(this.#take(), this.#options);
          return;
        }
        const end = this.#hold(chunk, separator);
        if (end !== undefined) yield* recordsOf(end, this.#options);
        read += chunk.byteLength;
      }
      this.hasRest = true;
    } finally {
      if (!this.hasRest) await this.#chunks.return(undefined);
    }
  }

  /**
   * The rest as pieces of whole records of about so many bytes, less when the writer pauses.
   *
   * @throws as readRecords does
   */
  async *pieces(bytes: number): AsyncGenerator<Buffer> {
    const { separator } = this.#options;
    let ready: Buffer[] = [];
    let length = 0;
    const piece = () => {
      const joined = Buffer.concat(ready);
      [ready, length] = [[], 0];
      return joined;
    };
    for (;;) {
      const next = this.#next();
      if (length > 0 && (await isSlow(next))) yield piece();
      const { value: chunk, done } = await next;
      if (done) break;
      const records = this.#hold(chunk, separator);
      if (records === undefined) continue;
      ready.push(records);
      length += records.byteLength;
      if (length >= bytes) yield piece();
    }
    if (this.#pendingBytes > 0) ready.push(this.#take());
    if (ready.length > 0) yield piece();
  }

  async #next(): Promise<IteratorResult<Buffer, void>> {
    const value = this.#unread.shift();
    return value === undefined ? this.#chunks.next() : { value, done: false };
  }

  /** The beginning of the input: a whole record, or so many bytes, or all there is. It is still to be read. */
  async peek(bytes: number): Promise<Buffer> {
    let head = Buffer.alloc(0);
    while (head.byteLength < bytes && !head.includes(this.#options.separator)) {
      const { value: chunk, done } = await this.#chunks.next();
      if (done) break;
      this.#unread.push(chunk);
      head = Buffer.concat([head, chunk]);
    }
    return head;
  }

  /** All of the input that was not read. */
  async bytes(): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (;;) {
      const { value: chunk, done } = await this.#next();
      if (done) return Buffer.concat(parts);
      parts.push(chunk);
    }
  }

  /** Keeps what follows the last separator, and gives what stands before it. */
  #hold(chunk: Buffer, separator: number): Buffer | undefined {
    const end = chunk.lastIndexOf(separator) + 1;
    let whole: Buffer | undefined;
    if (end > 0) {
      this.#pending.push(chunk.subarray(0, end));
      whole = this.#take();
    }
    if (end < chunk.byteLength) {
      this.#pending.push(chunk.subarray(end));
      this.#pendingBytes += chunk.byteLength - end;
    }
    if (this.#pendingBytes > longestRecord) {
      throw new EmbError(
        'range',
        `a text of the input is longer than ${longestRecord / 2 ** 20} MiB`,
        'cut it into lines',
      );
    }
    return whole;
  }

  #take(): Buffer {
    const parts = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }
}

/**
 * Items in batches of at most so many; one ends early when the next item is not there within a pause.
 *
 * @param onPause called when the writer is still silent after such a batch was answered
 */
export async function* inBatches<T>(
  items: AsyncIterable<T>,
  most: number,
  onPause: () => void,
): AsyncGenerator<{ items: T[]; ends: boolean }> {
  const iterator = items[Symbol.asyncIterator]();
  let batch: T[] = [];
  try {
    for (;;) {
      const next = iterator.next();
      if (batch.length > 0 && (await isSlow(next))) {
        yield { items: batch, ends: false };
        batch = [];
        if (await isSlow(next)) onPause();
      }
      const { value, done } = await next;
      if (done) break;
      batch.push(value);
      if (batch.length < most) continue;
      yield { items: batch, ends: false };
      batch = [];
    }
    if (batch.length > 0) yield { items: batch, ends: true };
  } finally {
    // Not awaited: it would wait for a writer who is silent.
    void iterator.return?.();
  }
}

/** Whether a promise takes longer than a pause. */
async function isSlow(promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), pauseMilliseconds);
  });
  const settled = promise.then(
    () => false,
    () => false,
  );
  return Promise.race([settled, pause]).finally(() => clearTimeout(timer));
}

/** The records of bytes that hold whole ones, the last with or without its separator. */
export function recordsOf(
  bytes: Buffer,
  { separator, note }: Pick<RecordOptions, 'separator' | 'note'>,
): Generator<string> {
  if (!isUtf8(bytes)) note('the input is not all UTF-8: invalid bytes became U+FFFD');
  return split(bytes.toString('utf8'), separator);
}

/** How many records bytes hold. */
export function countRecords(bytes: Buffer, separator: number): number {
  let count = 0;
  for (let at = bytes.indexOf(separator); at >= 0; at = bytes.indexOf(separator, at + 1)) count++;
  return count + (bytes.length > 0 && bytes[bytes.length - 1] !== separator ? 1 : 0);
}

/** True when something lies at a path; what is no path (a long text, say) has nothing there. */
export function pathExists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** Everything on stdin or in a file, for what cannot be read as a stream (npy, f32, a model). */
export async function readAll(file: string | undefined): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  try {
    for await (const chunk of file === undefined ? openStdin() : openFile(file)) parts.push(chunk as Buffer);
  } catch (error) {
    throw readError(file, error);
  }
  return Buffer.concat(parts);
}

/** What the system says of a file, as a line. */
function readError(file: string | undefined, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof EmbError || code === undefined) return error;
  return new EmbError('missing', `${file ?? 'stdin'}: cannot be read (${code})`);
}

function openStdin() {
  // A closed stdin is an empty one; a folder would be too, without this.
  if (isFolder(0)) throw new EmbError('missing', 'stdin: is a folder, expected a file of texts');
  return process.stdin;
}

function isFolder(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBADF') return false;
    throw error;
  }
}

function openFile(file: string) {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) throw new EmbError('missing', `${file}: no such file`);
  if (stat.isDirectory()) throw new EmbError('missing', `${file}: is a folder, expected a file of texts`);
  return createReadStream(file, { highWaterMark: 256 * 1024 });
}

async function* chunks(options: RecordOptions): AsyncGenerator<Buffer> {
  let stream: NodeJS.ReadStream | ReadStream | undefined;
  try {
    stream = options.file === undefined ? openStdin() : openFile(options.file);
    const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    for (;;) {
      const next = iterator.next();
      const timer = setTimeout(options.onPause, pauseMilliseconds);
      const { value, done } = await next.finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw readError(options.file, error);
  } finally {
    stream?.destroy();
  }
}

function* split(text: string, separator: number): Generator<string> {
  const mark = String.fromCharCode(separator);
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf(mark, start);
    if (end < 0) end = text.length;
    const trimmed = separator === lineFeed && end > start && text.charCodeAt(end - 1) === 13 ? end - 1 : end;
    yield text.slice(start, trimmed);
    start = end + 1;
  }
}
