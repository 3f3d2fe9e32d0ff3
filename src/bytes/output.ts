import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { EmbError } from '../errors.ts';
import type { Sink, Spool } from '../types.ts';
import { Breath } from './breath.ts';

/** Bytes gathered before they are written: large enough that system calls don't count, small enough to stay in cache. */
const bufferBytes = 256 * 1024;

/** Longest single write(2); Linux stops at 2^31 - 4096 bytes and Node refuses 2^31. */
const longestWrite = 1 << 30;

/** The reader of our stdout has gone (`| head`): no failure, the run ends with exit code 0. */
export class ClosedPipe extends Error {
  constructor() {
    super('the reader closed the pipe');
    this.name = 'ClosedPipe';
  }
}

/** A Sink over a file descriptor. */
export class DescriptorSink implements Sink {
  readonly #descriptor: number;
  readonly #buffer = Buffer.allocUnsafeSlow(bufferBytes);
  #used = 0;
  readonly #breath = new Breath();

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(chunk: string | Uint8Array): void {
    if (typeof chunk === 'string') {
      // A UTF-16 unit takes at most three bytes of UTF-8.
      if (chunk.length * 3 > bufferBytes - this.#used) this.#drain();
      if (chunk.length * 3 > bufferBytes) this.#writeAll(Buffer.from(chunk, 'utf8'));
      else this.#used += this.#buffer.write(chunk, this.#used, 'utf8');
      return;
    }
    if (chunk.byteLength > bufferBytes - this.#used) this.#drain();
    if (chunk.byteLength > bufferBytes) {
      this.#writeAll(chunk);
      return;
    }
    this.#buffer.set(chunk, this.#used);
    this.#used += chunk.byteLength;
  }

  /** Lets timers and signal handlers run now and then; the bytes stay buffered until the buffer is full or `end` is called. */
  async flush(): Promise<void> {
    if (this.#breath.due) await this.#breath.take();
  }

  /** Writes what is buffered: before waiting for input, and at the end. */
  end(): void {
    this.#drain();
  }

  spool(): Spool {
    return new FileSpool();
  }

  #drain(): void {
    const used = this.#used;
    this.#used = 0;
    if (used > 0) this.#writeAll(this.#buffer.subarray(0, used));
  }

  #writeAll(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.byteLength) {
      try {
        at += writeSync(this.#descriptor, bytes, at, Math.min(bytes.byteLength - at, longestWrite));
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === 'EPIPE') throw new ClosedPipe();
        if (code !== 'EAGAIN') throw writeError('output', error);
        // A pipe that somebody made non-blocking is full: sleep instead of spinning.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
      }
    }
  }
}

/** A temporary file without a name: removed from its folder at once, so that no exit can leave it behind. */
class FileSpool implements Spool {
  readonly #descriptor: number;
  byteLength = 0;

  constructor() {
    try {
      const folder = mkdtempSync(join(tmpdir(), 'emb-'));
      const path = join(folder, 'spool');
      this.#descriptor = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      rmdirSync(folder);
    } catch (error) {
      throw writeError(`temporary folder ${tmpdir()}`, error);
    }
  }

  write(chunk: Uint8Array): void {
    let at = 0;
    try {
      while (at < chunk.byteLength) {
        at += writeSync(this.#descriptor, chunk, at, Math.min(chunk.byteLength - at, longestWrite));
      }
    } catch (error) {
      throw writeError(`temporary folder ${tmpdir()}`, error);
    }
    this.byteLength += chunk.byteLength;
  }

  async drain(into: Sink): Promise<void> {
    const block = Buffer.allocUnsafeSlow(bufferBytes);
    for (let at = 0; at < this.byteLength; ) {
      const got = readSync(this.#descriptor, block, 0, bufferBytes, at);
      if (got === 0) break;
      into.write(block.subarray(0, got));
      at += got;
      await into.flush();
    }
    this.discard();
  }

  discard(): void {
    closeSync(this.#descriptor);
  }
}

/** A file that appears whole or not at all: written beside its place, then renamed. */
export interface AtomicFile {
  sink: DescriptorSink;
  /** Renames into place. */
  commit(): void;
  /** Removes what was written; the old file stays as it was. */
  abandon(): void;
}

/**
 * Opens FILE for writing. Devices and pipes (/dev/stdout) are written directly; a link is followed, so that its target is replaced.
 * @throws EmbError "missing" when the folder is not there or not writable
 */
export function openAtomic(file: string): AtomicFile {
  const old = statOf(file);
  if (old?.isDirectory()) throw new EmbError('missing', `${file}: is a folder, expected a file name`);
  if (old && !old.isFile()) {
    const descriptor = openForWriting(file, file, 'w');
    const sink = new DescriptorSink(descriptor);
    return {
      sink,
      commit: () => {
        sink.end();
        closeSync(descriptor);
      },
      abandon: () => closeSync(descriptor),
    };
  }
  const target = followLinks(file);
  const temporary = join(
    dirname(target),
    `.${basename(target)}.${process.pid}.${Math.random().toString(36).slice(2, 8)}.tmp`,
  );
  const descriptor = openForWriting(file, temporary, 'wx');
  const sink = new DescriptorSink(descriptor);
  let isOpen = true;
  const close = () => {
    if (isOpen) closeSync(descriptor);
    isOpen = false;
  };
  return {
    sink,
    commit: () => {
      sink.end();
      close();
      try {
        if (old) chmodSync(temporary, old.mode & 0o7777);
        renameSync(temporary, target);
      } catch (error) {
        throw writeError(file, error);
      }
    },
    abandon: () => {
      close();
      rmSync(temporary, { force: true });
    },
  };
}

function statOf(file: string) {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    throw writeError(file, error);
  }
}

/** What the system says of a place that is written, as a line. */
function writeError(name: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof EmbError || code === undefined) return error;
  if (code === 'ENOENT') return new EmbError('missing', `${name}: its folder does not exist`);
  if (code === 'ENOSPC')
    return new EmbError('missing', `${name}: no space left on the device`, 'free some, or write elsewhere');
  return new EmbError('missing', `${name}: cannot be written (${code})`);
}

/** Where a file is or, for a link to nothing, would be. */
function followLinks(file: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT') throw writeError(file, error);
  }
  const link = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink();
  return link ? resolve(dirname(file), readlinkSync(file)) : file;
}

function openForWriting(file: string, path: string, flags: string): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    throw writeError(file, error);
  }
}
