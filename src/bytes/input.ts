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
export async function* readRecords(options: RecordOptions): AsyncGenerator<string> {
  const { separator } = options;
  const pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of chunks(options)) {
    const end = chunk.lastIndexOf(separator) + 1;
    if (end > 0) {
      pending.push(chunk.subarray(0, end));
      yield* split(decode(pending, options), separator);
      pending.length = 0;
      pendingBytes = 0;
    }
    if (end < chunk.byteLength) {
      pending.push(chunk.subarray(end));
      pendingBytes += chunk.byteLength - end;
    }
    if (pendingBytes > longestRecord) {
      throw new EmbError(
        'range',
        `a text of the input is longer than ${longestRecord / 2 ** 20} MiB`,
        'cut it into lines',
      );
    }
  }
  if (pendingBytes > 0) yield* split(decode(pending, options), separator);
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

function decode(parts: Buffer[], options: RecordOptions): string {
  const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  if (!isUtf8(bytes)) options.note('the input is not all UTF-8: invalid bytes became U+FFFD');
  return bytes.toString('utf8');
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
