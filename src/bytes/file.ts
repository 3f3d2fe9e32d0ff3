import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  read,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { EmbError } from '../errors.ts';
import type { ByteSource, FileStamp } from '../types.ts';

/** Longest single read(2); Linux stops at 2^31 - 4096 bytes and Node refuses 2^31. */
const longestRead = 1 << 30;

/**
 * Bytes of a regular file by positional reads.
 *
 * The reads are synchronous behind the promise: a thread pool hop costs ten times a read of a row from the page cache.
 */
export class FileSource implements ByteSource {
  readonly name: string;
  readonly byteLength: number;
  readonly path: string;
  #descriptor: number;

  /** Use openFile. */
  constructor(name: string, descriptor: number, byteLength: number, path: string) {
    this.name = name;
    this.path = path;
    this.byteLength = byteLength;
    this.#descriptor = descriptor;
  }

  async read(start: number, end: number, into?: Uint8Array): Promise<Uint8Array> {
    return this.readNow(start, end, into);
  }

  /** read without the promise. */
  readNow(start: number, end: number, into?: Uint8Array): Uint8Array {
    this.#check(start, end);
    const length = end - start;
    const target = into ?? new Uint8Array(length);
    this.#fill(target, 0, start, length);
    return target.length === length ? target : target.subarray(0, length);
  }

  /** On a thread of the pool: the hop costs about 30 microseconds, so it is for blocks of a megabyte. */
  readBeside(start: number, end: number, into: Uint8Array): Promise<Uint8Array> {
    this.#check(start, end);
    const length = end - start;
    this.#checkRoom(into, 0, length);
    return new Promise((resolve, reject) => {
      const readFrom = (done: number) => {
        const most = Math.min(length - done, longestRead);
        read(this.#descriptor, into, done, most, start + done, (error, count) => {
          if (error !== null) reject(systemError(this.name, 'read', error));
          else if (done + count === length) resolve(into.subarray(0, length));
          else if (count === 0) reject(this.#shrunk(start + done));
          else readFrom(done + count);
        });
      };
      readFrom(0);
    });
  }

  async readMany(spans: Float64Array, into: Uint8Array): Promise<void> {
    for (let at = 0; at < spans.length; at += 3) {
      const start = spans[at];
      const place = spans[at + 2];
      let end = spans[at + 1];
      // Ranges that touch in the file and in memory are one read.
      while (spans[at + 3] === end && spans[at + 5] === place + end - start && spans[at + 4] >= end) {
        at += 3;
        end = spans[at + 1];
      }
      this.#check(start, end);
      this.#fill(into, place, start, end - start);
    }
  }

  stamp(): FileStamp | undefined {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = fstatSync(this.#descriptor, { bigint: true });
      const path = realpathSync.native(this.path);
      return {
        file: `${dev.toString(36)}-${ino.toString(36)}`,
        state: JSON.stringify([path, `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`]),
        changed: Math.max(Number(mtimeNs / 1_000_000n), Number(ctimeNs / 1_000_000n)),
      };
    } catch (error) {
      // Its path leads nowhere any more.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return undefined;
    }
  }

  async close(): Promise<void> {
    if (this.#descriptor < 0) return;
    closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  #check(start: number, end: number): void {
    if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end)) {
      throw new EmbError('range', `${this.name}: bytes ${start}..${end} are no range`);
    }
    if (end > this.byteLength) {
      throw new EmbError(
        'corrupt',
        `${this.name}: byte ${end} is asked for, expected at most ${this.byteLength}`,
        'the file may be truncated: compare its size with the published one',
      );
    }
    if (this.#descriptor < 0) throw new EmbError('range', `${this.name}: is closed`);
  }

  #checkRoom(target: Uint8Array, place: number, length: number): void {
    if (place >= 0 && place + length <= target.length) return;
    throw new EmbError(
      'range',
      `${this.name}: buffer is ${target.length} bytes, expected at least ${place + length}`,
    );
  }

  #shrunk(end: number): EmbError {
    return new EmbError(
      'corrupt',
      `${this.name}: ends at byte ${end}, expected ${this.byteLength} bytes: the file shrank while it was read`,
      'try again when nothing writes to the file',
    );
  }

  /** Reads `length` bytes from `start` on to `place` of the target. */
  #fill(target: Uint8Array, place: number, start: number, length: number): void {
    this.#checkRoom(target, place, length);
    let done = 0;
    while (done < length) {
      let count: number;
      try {
        const most = Math.min(length - done, longestRead);
        count = readSync(this.#descriptor, target, place + done, most, start + done);
      } catch (error) {
        throw systemError(this.name, 'read', error);
      }
      if (count === 0) throw this.#shrunk(start + done);
      done += count;
    }
  }
}

/**
 * Opens a regular file for reading.
 *
 * @param name how errors call it; the path as the user wrote it
 * @throws EmbError "missing" when there is no such file or no permission, "unsupported" for folders, pipes and devices
 */
export function openFile(path: string, name: string = path): FileSource {
  let descriptor: number;
  try {
    refuseSpecial(name, statSync(path));
    // Without O_NONBLOCK a pipe that took the file's place since the check would stop us until someone writes to it.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (error instanceof EmbError) throw error;
    throw systemError(name, 'open', error);
  }
  try {
    const stats = fstatSync(descriptor);
    refuseSpecial(name, stats);
    return new FileSource(name, descriptor, stats.size, path);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** A whole small file, such as a config. @throws EmbError "unsupported" when it is longer than `limit` bytes. */
export function readWholeFile(path: string, limit: number, name: string = path): Uint8Array {
  const source = openFile(path, name);
  try {
    if (source.byteLength > limit) {
      throw new EmbError('unsupported', `${name}: is ${source.byteLength} bytes, expected at most ${limit}`);
    }
    return source.readNow(0, source.byteLength);
  } finally {
    void source.close();
  }
}

/** What a path is, following links; undefined when nothing is there. @throws EmbError "missing" when it cannot be looked at. */
export function kindOfPath(path: string): 'file' | 'folder' | 'special' | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    return stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'special';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // A path through a file, over the system's length, with a NUL: nothing can be there.
    if (code === 'ENOTDIR' || code === 'ENAMETOOLONG' || code === 'ERR_INVALID_ARG_VALUE') return undefined;
    throw systemError(path, 'open', error);
  }
}

function refuseSpecial(name: string, stats: Stats): void {
  if (stats.isFile()) return;
  const [what, hint] = stats.isDirectory()
    ? ['a folder', undefined]
    : stats.isFIFO()
      ? ['a pipe', 'rows are read by position: save it to a file first']
      : [stats.isSocket() ? 'a socket' : 'a device', undefined];
  throw new EmbError('unsupported', `${name}: is ${what}, expected a file`, hint);
}

/** Turns what the operating system reports into an EmbError; anything else is a bug and stays as it is. */
function systemError(name: string, action: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ERR_INVALID_ARG_VALUE')
    return new EmbError('missing', `${name}: no such file or folder`);
  if (code === 'EACCES' || code === 'EPERM') {
    return new EmbError('missing', `${name}: permission denied`, 'check who may read the file');
  }
  if (code === 'EMFILE' || code === 'ENFILE') {
    return new EmbError('missing', `${name}: too many open files`, 'raise the limit with ulimit -n');
  }
  if (typeof code === 'string' && syscall !== undefined) {
    return new EmbError('missing', `${name}: cannot ${action}: ${code.toLowerCase()}`);
  }
  return error;
}
