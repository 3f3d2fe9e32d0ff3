import {
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Environment, FileStamp } from '../types.ts';
import { cacheFolder } from './cache-folder.ts';
import { namesIn } from './folder.ts';

/** What side files may take, and when a file counts as at rest. */
export interface SideFileLimits {
  /** Bytes of all side files together; those that were not used for longest go first. */
  total: number;
  /** Milliseconds since a file's last change: a clock that ticks this slowly could hide another one. */
  rest: number;
}

export const sideFileLimits: SideFileLimits = { total: 256 * 1024 * 1024, rest: 2000 };

/** A side file has about the size of the file that it belongs to; the largest published tokenizer.json has 35 MB. */
const mostBytes = 64 * 1024 * 1024;

/** How often the time of a side file's last use is written down. */
const useInterval = 60 * 60 * 1000;

const magic = 0x31_65_64_73;

/** Magic, length of the label, checksum, and a zero. */
const headBytes = 16;

/**
 * What was read from files, as it can be used at once: one side file for each in the user's cache folder, named by its place on the disk.
 *
 * Block: u32 magic · u32 bytes of the label · u32 CRC-32 of all that follows · u32 0 · label · body. The label names emb, what the body is,
 * and the state of the file that it was made from; it is filled up to a multiple of 8 bytes. Numbers are in this machine's byte order.
 *
 * Side files only save time: one that cannot be written is not, and one that is not whole, not ours or of another state is as good as none.
 * They are written beside and renamed, and readable by the user only.
 */
export class SideFiles {
  readonly #env: Environment;
  readonly #label: string;
  readonly #limits: SideFileLimits;

  /** kind: what the bodies are, with a version that changes when they do. */
  constructor(env: Environment, kind: string, limits: SideFileLimits = sideFileLimits) {
    this.#env = env;
    this.#label = kind;
    this.#limits = limits;
  }

  /** What was kept of a file that is in this state; it begins at a multiple of 8 bytes. */
  read(stamp: FileStamp): Uint8Array | undefined {
    try {
      const folder = this.#folder();
      if (!isOurs(lstatSync(folder))) return undefined;
      return openBody(readOne(join(folder, stamp.file)), this.#labelOf(stamp));
    } catch (error) {
      // Not there, or not readable.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return undefined;
    }
  }

  /** Keeps a body; not of a file that changed just now, since it could change again unseen. */
  write(stamp: FileStamp, body: readonly Uint8Array[]): void {
    const size = body.reduce((sum, part) => sum + part.length, 0);
    const isAtRest = Date.now() - stamp.changed >= this.#limits.rest;
    if (!isAtRest || size > Math.min(mostBytes, this.#limits.total)) return;
    let temporary: string | undefined;
    try {
      const folder = this.#folder();
      makeFolder(folder);
      if (!isOurs(lstatSync(folder))) return;
      this.#makeRoom(folder, size, stamp.file);
      const path = join(folder, stamp.file);
      temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2, 8)}.tmp`;
      writeOne(temporary, [...headOf(this.#labelOf(stamp), body), ...body]);
      renameSync(temporary, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      if (temporary !== undefined) removeQuietly(temporary);
    }
  }

  #folder(): string {
    return join(cacheFolder(this.#env), 'tokenizers');
  }

  #labelOf(stamp: FileStamp): string {
    return `${this.#label}\n${stamp.state}`;
  }

  /** Removes the side files that were not used for longest until `size` bytes more are within the limit; the one that is replaced does not count. */
  #makeRoom(folder: string, size: number, replaced: string): void {
    const others = namesIn(folder).flatMap((name) => {
      const path = join(folder, name);
      const stats = name === replaced ? undefined : lstatSync(path, { throwIfNoEntry: false });
      return stats === undefined ? [] : [{ path, size: stats.size, used: stats.mtimeMs }];
    });
    others.sort((a, b) => a.used - b.used);
    let total = others.reduce((sum, other) => sum + other.size, size);
    for (const other of others) {
      if (total <= this.#limits.total) break;
      removeQuietly(other.path);
      total -= other.size;
    }
  }
}

/** Makes a folder and those above it. Node's own way never ends where the system makes none and says that one is missing (/proc). */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    mkdirSync(path, 0o700);
  }
}

/** Whether nobody else can have written what lies there. A link is nobody's. */
function isOurs(stats: Stats): boolean {
  if (!stats.isDirectory() && !stats.isFile()) return false;
  return process.getuid === undefined || (stats.uid === process.getuid() && (stats.mode & 0o022) === 0);
}

function readOne(path: string): Uint8Array {
  // A pipe in its place must not stop us.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const descriptor = openSync(path, flags);
  try {
    const stats = fstatSync(descriptor);
    const isKept = stats.isFile() && isOurs(stats) && stats.size <= mostBytes + headBytes + 65536;
    const bytes = new Uint8Array(isKept ? stats.size : 0);
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(descriptor, bytes, done, bytes.length - done, done);
      if (count === 0) break;
      done += count;
    }
    if (isKept && Date.now() - stats.mtimeMs > useInterval) noteUse(descriptor);
    return bytes.subarray(0, done);
  } finally {
    closeSync(descriptor);
  }
}

function noteUse(descriptor: number): void {
  try {
    futimesSync(descriptor, new Date(), new Date());
  } catch (error) {
    // On a read-only disk nothing is removed either.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

function writeOne(path: string, parts: readonly Uint8Array[]): void {
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    for (const part of parts) {
      for (let at = 0; at < part.length; ) at += writeSync(descriptor, part, at);
    }
  } finally {
    closeSync(descriptor);
  }
}

function headOf(label: string, body: readonly Uint8Array[]): Uint8Array[] {
  const text = Buffer.from(label.padEnd(label.length + (-Buffer.byteLength(label) & 7)));
  let sum = crc32(text);
  for (const part of body) sum = crc32(part, sum);
  return [new Uint8Array(Uint32Array.of(magic, text.length, sum, 0).buffer), text];
}

/** The body of a whole side file with this label. */
function openBody(bytes: Uint8Array, label: string): Uint8Array | undefined {
  if (bytes.length < headBytes) return undefined;
  const [first, labelBytes, sum] = new Uint32Array(bytes.buffer, bytes.byteOffset, headBytes / 4);
  const start = headBytes + labelBytes;
  if (first !== magic || start > bytes.length || labelBytes % 8 !== 0) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + headBytes, labelBytes).toString();
  if (text.trimEnd() !== label || crc32(bytes.subarray(headBytes)) !== sum) return undefined;
  return bytes.subarray(start);
}

/** Removes a file if there is one that can be removed. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}
