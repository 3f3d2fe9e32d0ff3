import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CachedFile, DiskCache } from '../../src/bytes/cache.ts';
import { Segments } from '../../src/bytes/http-segments.ts';
import { readRetryAfter } from '../../src/bytes/retry.ts';

let root: string;
let folder: string;
let notes: string[];
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'emb-cache-'));
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  folder = join(mkdtempSync(join(root, 'x-')), 'emb');
  notes = [];
});

const open = (total?: number) =>
  DiskCache.open({ EMB_CACHE: folder }, (message) => notes.push(message), total);
const entries = () => readdirSync(join(folder, 'http'));
const bytesOf = (length: number, value = 1) => new Uint8Array(length).fill(value);
const file: CachedFile = {
  byteLength: 1000,
  etag: '"a"',
  lastModified: 'Mon, 01 Jan 2024 00:00:00 GMT',
  linkedEtag: undefined,
  segments: [
    { start: 0, bytes: bytesOf(10) },
    { start: 900, bytes: bytesOf(100, 2) },
  ],
};

describe('the cache on disk', () => {
  test('gives back what it was given', () => {
    const cache = open()!;
    expect(cache.read('key')).toBeUndefined();
    cache.write('key', file);
    const read = open()!.read('key')!;
    expect(read).toMatchObject({ byteLength: 1000, etag: '"a"', lastModified: file.lastModified });
    expect(read.segments.map(({ start, bytes }) => [start, bytes.length, bytes[0]])).toEqual([
      [0, 10, 1],
      [900, 100, 2],
    ]);
    cache.remove('key');
    expect(cache.read('key')).toBeUndefined();
  });

  test('lies in EMB_CACHE, XDG_CACHE_HOME/emb, or ~/.cache/emb', () => {
    for (const [env, place] of [
      [{ XDG_CACHE_HOME: join(folder, 'xdg'), HOME: folder }, join(folder, 'xdg', 'emb', 'http')],
      [{ HOME: folder }, join(folder, '.cache', 'emb', 'http')],
    ] as const) {
      DiskCache.open(env, () => {});
      expect(statSync(place).isDirectory()).toBe(true);
    }
  });

  test('is readable by its user only', () => {
    open()!.write('key', file);
    expect(statSync(join(folder, 'http')).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'http', entries()[0]!)).mode & 0o777).toBe(0o600);
  });

  test.each(['../../evil', '/etc/passwd', 'a'.repeat(5000), '\0', 'https://host/?key=secret'])(
    'the key %j names no path',
    (key) => {
      open()!.write(key, file);
      expect(entries()).toHaveLength(1);
      expect(entries()[0]).toMatch(/^[0-9a-f]{64}$/);
      expect(readFileSync(join(folder, 'http', entries()[0]!), 'latin1')).not.toContain('secret');
    },
  );

  test('an entry with any byte changed or cut off is dropped', () => {
    const cache = open()!;
    cache.write('key', file);
    const path = join(folder, 'http', entries()[0]!);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at += 7) {
      const broken = Buffer.from(whole);
      broken[at] = broken[at]! ^ 0x55;
      writeFileSync(path, broken);
      expect(cache.read('key')).toBeUndefined();
      expect(entries()).toEqual([]);
      writeFileSync(path, whole.subarray(0, at));
      expect(cache.read('key')).toBeUndefined();
    }
    writeFileSync(path, whole);
    expect(cache.read('key')).toBeDefined();
  });

  test('a link in the place of an entry is not followed', () => {
    const cache = open()!;
    cache.write('key', file);
    const path = join(folder, 'http', entries()[0]!);
    const other = join(folder, 'other');
    writeFileSync(other, readFileSync(path));
    rmSync(path);
    symlinkSync(other, path);
    expect(cache.read('key')).toBeUndefined();
  });

  test('keeps within its size: what was not used for longest goes first', () => {
    const cache = open(50_000)!;
    for (let index = 0; index < 10; index++) {
      cache.write(`key ${index}`, {
        byteLength: 10_000,
        segments: [{ start: 0, bytes: bytesOf(10_000, index) }],
      });
      const age = new Date(Date.now() - 1e6 + index * 1000);
      for (const name of entries()) {
        const path = join(folder, 'http', name);
        if (statSync(path).mtimeMs > Date.now() - 5e5) utimesSync(path, age, age);
      }
    }
    expect(entries().length).toBeLessThanOrEqual(5);
    expect(cache.read('key 9')).toBeDefined();
    expect(cache.read('key 0')).toBeUndefined();
  });

  test('does not take what is too large for an entry', () => {
    open()!.write('key', { byteLength: 1e9, segments: [{ start: 0, bytes: new Uint8Array(41 << 20) }] });
    expect(entries()).toEqual([]);
  });

  test('a folder that cannot be made is said, and nothing is cached', () => {
    writeFileSync(folder, '');
    expect(open()).toBeUndefined();
    expect(notes.join()).toMatch(/cannot be used \((enotdir|eexist)\), so nothing is cached/);
  });

  test.skipIf(process.getuid === undefined)('a folder where others may write is not trusted', () => {
    mkdirSync(join(folder, 'http'), { recursive: true });
    chmodSync(join(folder, 'http'), 0o777);
    expect(open()).toBeUndefined();
    expect(notes.join()).toContain('others may write there, so nothing is cached');
  });

  test('a folder that is gone meanwhile is nobody’s error', () => {
    const cache = open()!;
    rmSync(folder, { recursive: true });
    cache.write('key', file);
    expect(cache.read('key')).toBeUndefined();
  });
});

describe('pieces of a remote file', () => {
  test('that touch become one, whatever order they come in', () => {
    const segments = new Segments();
    segments.add(10, bytesOf(5, 2));
    segments.add(0, bytesOf(10, 1));
    segments.add(20, bytesOf(5, 4));
    expect(segments.view(8, 12)).toEqual(Buffer.from([1, 1, 2, 2]));
    expect(segments.view(12, 22)).toBeUndefined();
    expect(segments.nextStart(15, 99)).toBe(20);
    expect(segments.nextStart(25, 99)).toBe(99);
    expect(segments.before(15)).toEqual({ end: 15, length: 15 });
    expect(segments.before(17)).toEqual({ end: 17, length: 0 });
    segments.add(15, bytesOf(5, 3));
    expect(segments.list).toHaveLength(1);
    expect(segments.view(0, 25)).toEqual(
      Buffer.concat([bytesOf(10, 1), ...[2, 3, 4].map((value) => bytesOf(5, value))]),
    );
    expect(segments.byteLength).toBe(25);
  });
});

describe('Retry-After', () => {
  test.each([
    ['120', 120_000],
    ['0', 0],
    [' 7 ', 7000],
    ['Thu, 01 Jan 1970 00:01:00 GMT', 59_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', undefined],
    [undefined, undefined],
  ])('%j is %j milliseconds', (header, milliseconds) => {
    expect(readRetryAfter(header, 1000)).toBe(milliseconds);
  });
});
