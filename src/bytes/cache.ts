import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../types.ts';
import { cacheFolder } from './cache-folder.ts';
import { namesIn } from './folder.ts';
import { parseJson } from './json.ts';

/** One entry holds a header or a small file; the largest published tokenizer.json has 35 MB. */
export const mostKept = 40 * 1024 * 1024;

/** All entries together; the oldest go first. */
const mostTotal = 512 * 1024 * 1024;

const magic = 'emb-cache 1\n';

/** An entry's description is a few numbers and a list of segments. */
const longestDescription = 64 * 1024;

export const mostSegments = 256;

/** Bytes of a remote file from `start` on. */
export interface Segment {
  start: number;
  bytes: Uint8Array;
}

/** What is known of a remote file: its size, its validators as the server gave them, some of its bytes. */
export interface CachedFile {
  byteLength: number;
  etag?: string;
  lastModified?: string;
  linkedEtag?: string;
  segments: Segment[];
}

/**
 * Headers and small files of remote models, one file each under names that are hashes: nothing in a URL can choose a path.
 *
 * Block: magic line · u32 length of the description · sha256 of all that follows · description (JSON) · the segments' bytes.
 * Entries are written beside and renamed, checked when they are read, and dropped when they are wrong. Readable by the user only.
 */
export class DiskCache {
  readonly #folder: string;
  readonly #mostTotal: number;
  #total: number | undefined;

  /** Use DiskCache.open. */
  constructor(folder: string, total: number) {
    this.#folder = folder;
    this.#mostTotal = total;
  }

  /** The cache in EMB_CACHE, XDG_CACHE_HOME/emb or ~/.cache/emb. Undefined, with a note, when the folder cannot be made or is not ours alone. */
  static open(env: Environment, note: (message: string) => void, total = mostTotal): DiskCache | undefined {
    const folder = join(cacheFolder(env), 'http');
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const stats = statSync(folder);
      const isOurs =
        process.getuid === undefined || (stats.uid === process.getuid() && (stats.mode & 0o022) === 0);
      if (isOurs) return new DiskCache(folder, total);
      note(`${folder}: others may write there, so nothing is cached`);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      note(`${folder}: cannot be used (${code.toLowerCase()}), so nothing is cached`);
    }
    return undefined;
  }

  /** The entry of a key; undefined when there is none or it is not whole. */
  read(key: string): CachedFile | undefined {
    const path = this.#pathOf(key);
    try {
      const entry = parseEntry(readEntry(path), path);
      if (entry === undefined) rmSync(path, { force: true });
      else utimesSync(path, new Date(), new Date());
      return entry;
    } catch (error) {
      // Not there, or not readable: then it is not cached.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return undefined;
    }
  }

  /** Keeps a file's bytes; the old entry stays whole until the new one is. A full or read-only disk is nobody's error. */
  write(key: string, file: CachedFile): void {
    const size = file.segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (size > mostKept || file.segments.length > mostSegments) return;
    const path = this.#pathOf(key);
    const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2, 8)}.tmp`;
    try {
      this.#makeRoom(size);
      const descriptor = openSync(temporary, 'wx', 0o600);
      try {
        for (const part of entryParts(file)) {
          for (let at = 0; at < part.length; ) at += writeSync(descriptor, part, at);
        }
      } finally {
        closeSync(descriptor);
      }
      renameSync(temporary, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      rmSync(temporary, { force: true });
    }
  }

  remove(key: string): void {
    rmSync(this.#pathOf(key), { force: true });
  }

  #pathOf(key: string): string {
    return join(this.#folder, createHash('sha256').update(key).digest('hex'));
  }

  /** Removes the entries that were not used for longest until `size` bytes more are within the limit. */
  #makeRoom(size: number): void {
    if (this.#total !== undefined && this.#total + size <= this.#mostTotal) {
      this.#total += size;
      return;
    }
    const entries = namesIn(this.#folder).flatMap((name) => {
      const path = join(this.#folder, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats === undefined ? [] : [{ path, size: stats.size, used: stats.mtimeMs }];
    });
    entries.sort((a, b) => a.used - b.used);
    let total = entries.reduce((sum, entry) => sum + entry.size, 0);
    for (const entry of entries) {
      if (total + size <= this.#mostTotal) break;
      rmSync(entry.path, { force: true });
      total -= entry.size;
    }
    this.#total = total + size;
  }
}

function readEntry(path: string): Uint8Array {
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile() || stats.size > mostKept + 2 * longestDescription) return new Uint8Array(0);
    const bytes = new Uint8Array(stats.size);
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(descriptor, bytes, done, bytes.length - done, done);
      if (count === 0) break;
      done += count;
    }
    return bytes.subarray(0, done);
  } finally {
    closeSync(descriptor);
  }
}

const headBytes = magic.length + 4 + 32;

function entryParts(file: CachedFile): Uint8Array[] {
  const { segments, ...rest } = file;
  const description = Buffer.from(
    JSON.stringify({ ...rest, segments: segments.map(({ start, bytes }) => [start, bytes.length]) }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(description.length);
  const body = [description, ...segments.map(({ bytes }) => bytes)];
  const hash = createHash('sha256');
  for (const part of body) hash.update(part);
  return [Buffer.from(magic, 'latin1'), length, hash.digest(), ...body];
}

/** undefined for bytes that are no whole entry of this version. */
function parseEntry(bytes: Uint8Array, path: string): CachedFile | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length < headBytes || buffer.toString('latin1', 0, magic.length) !== magic) return undefined;
  const length = buffer.readUInt32LE(magic.length);
  const body = buffer.subarray(headBytes);
  if (length > longestDescription || length > body.length) return undefined;
  const sum = createHash('sha256').update(body).digest();
  if (!sum.equals(buffer.subarray(magic.length + 4, headBytes))) return undefined;
  // The sum holds, so these are our own words: what they say is still compared with what is there.
  const said = parseJson(body.subarray(0, length), path) as CachedFile & { segments: [number, number][] };
  const { byteLength, etag, lastModified, linkedEtag, segments: list } = said;
  if (!isCount(byteLength) || !Array.isArray(list)) return undefined;
  const segments: Segment[] = [];
  let at = length;
  let after = 0;
  for (const [start, count] of list) {
    if (!isCount(start) || !isCount(count) || start < after) return undefined;
    segments.push({ start, bytes: body.subarray(at, at + count) });
    at += count;
    after = start + count;
    if (at > body.length || after > byteLength) return undefined;
  }
  return { byteLength, etag, lastModified, linkedEtag, segments };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
