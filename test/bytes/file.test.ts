import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindOfPath, openFile, readWholeFile } from '../../src/bytes/file.ts';
import { MemorySource } from '../../src/bytes/memory.ts';
import { mergeRanges } from '../../src/bytes/ranges.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'emb-bytes-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = Uint8Array.from({ length: 5000 }, (_, index) => index * 31);
function saved(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe('a file as a byte source', () => {
  test('read gives exactly the range, into given memory when there is some', async () => {
    const source = openFile(saved('a'));
    expect(source.byteLength).toBe(5000);
    expect(await source.read(17, 4000)).toEqual(bytes.slice(17, 4000));
    expect(await source.read(9, 9)).toEqual(new Uint8Array(0));
    const into = new Uint8Array(100);
    const view = await source.read(50, 60, into);
    expect(view.buffer).toBe(into.buffer);
    expect([...into.subarray(0, 11)]).toEqual([...bytes.subarray(50, 60), 0]);
    await source.close();
    await source.close();
    await expect(source.read(0, 1)).rejects.toThrow('is closed');
  });

  test('readMany puts every range in its place, whatever it merges', async () => {
    const ranges = [
      [300, 400, 0],
      [0, 10, 100],
      [10, 20, 110],
      [20, 20, 120],
      [20, 30, 200],
      [5, 15, 120],
      [4999, 5000, 130],
    ];
    const wanted = new Uint8Array(300);
    for (const [start, end, place] of ranges) wanted.set(bytes.subarray(start, end), place);
    const file = openFile(saved('b'));
    for (const source of [file, new MemorySource('m', bytes)]) {
      const into = new Uint8Array(300);
      await source.readMany(Float64Array.from(ranges.flat()), into);
      expect(into).toEqual(wanted);
    }
    await expect(file.readMany(Float64Array.of(0, 10, 295), new Uint8Array(300))).rejects.toThrow(
      'buffer is 300 bytes, expected at least 305',
    );
    await expect(file.read(0, 10, new Uint8Array(9))).rejects.toThrow(
      'buffer is 9 bytes, expected at least 10',
    );
    await file.close();
  });

  test.each([
    [0, 5001, 'expected at most 5000'],
    [-1, 5, 'no range'],
    [5, 4, 'no range'],
    [0.5, 1, 'no range'],
    [Number.NaN, 1, 'no range'],
  ])('bytes %f..%f are refused', async (start, end, message) => {
    const file = openFile(saved('c'));
    await expect(file.read(start, end)).rejects.toMatchObject({
      name: 'EmbError',
      message: expect.stringContaining(message),
    });
    await expect(file.readMany(Float64Array.of(start, end, 0), new Uint8Array(6000))).rejects.toThrow(
      message,
    );
    await expect(new MemorySource('m', bytes).read(start, end)).rejects.toThrow(message);
    await file.close();
  });

  test('a file that shrinks while it is open is an error, one that grows is not', async () => {
    const path = saved('d');
    const source = openFile(path);
    truncateSync(path, 1000);
    expect((await source.read(0, 1000)).length).toBe(1000);
    await expect(source.read(900, 1100)).rejects.toThrow(
      'ends at byte 1000, expected 5000 bytes: the file shrank',
    );
    appendFileSync(path, Buffer.alloc(9000));
    expect((await source.read(0, 5000)).length).toBe(5000);
    await source.close();
  });

  test('folders, devices, pipes and nothing are refused, each by what it is', () => {
    mkdirSync(join(folder, 'folder'));
    expect(() => openFile(join(folder, 'folder'))).toThrow('is a folder, expected a file');
    expect(() => openFile(join(folder, 'absent'))).toThrow('absent: no such file or folder');
    expect(() => openFile(join(folder, 'no\0name'))).toThrow('no such file');
    if (existsSync('/dev/zero')) expect(() => openFile('/dev/zero')).toThrow('is a device, expected a file');
    if (process.platform !== 'win32') {
      execFileSync('mkfifo', [join(folder, 'pipe')]);
      expect(() => openFile(join(folder, 'pipe'))).toThrow('is a pipe, expected a file');
    }
    symlinkSync('loop', join(folder, 'loop'));
    expect(() => openFile(join(folder, 'loop'))).toThrow('cannot open: eloop');
  });

  test('a whole file is read only up to its limit', () => {
    const path = saved('e');
    expect(readWholeFile(path, 5000)).toEqual(bytes);
    expect(() => readWholeFile(path, 4999)).toThrow('is 5000 bytes, expected at most 4999');
  });

  test('kindOfPath follows links and says nothing of what is not there', () => {
    const path = saved('f');
    symlinkSync(path, join(folder, 'link'));
    expect(kindOfPath(join(folder, 'link'))).toBe('file');
    expect(kindOfPath(folder)).toBe('folder');
    expect(kindOfPath(join(path, 'below'))).toBeUndefined();
    expect(kindOfPath('a\0b')).toBeUndefined();
    expect(kindOfPath('x'.repeat(100_000))).toBeUndefined();
  });
});

describe('merging ranges', () => {
  test('neighbors within the gap become one read, no longer than the limit', () => {
    const ranges = [20, 0, 10, 40].map((start) => ({ start, end: start + 10 }));
    const spans = (gap: number, longest: number) =>
      mergeRanges(ranges, gap, longest).map(({ start, end }) => [start, end]);
    expect(spans(0, 1000)).toEqual([
      [0, 30],
      [40, 50],
    ]);
    expect(spans(10, 1000)).toEqual([[0, 50]]);
    expect(spans(0, 20)).toEqual([
      [0, 20],
      [20, 30],
      [40, 50],
    ]);
    expect(mergeRanges(ranges, 0, 1000)[0].members).toEqual([1, 2, 0]);
  });
});
