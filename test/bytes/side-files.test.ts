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
import { openFile } from '../../src/bytes/file.ts';
import { SideFiles } from '../../src/bytes/side-files.ts';
import type { FileStamp } from '../../src/types.ts';

let root: string;
let cache: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'emb-side-'));
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  cache = join(mkdtempSync(join(root, 'x-')), 'emb');
});

const open = (kind = 'test 1', total = 1 << 20) =>
  new SideFiles({ EMB_CACHE: cache }, kind, { total, rest: 2000 });
const folder = () => join(cache, 'tokenizers');
const stampOf = (file: string, state = 'as it is'): FileStamp => ({ file, state, changed: 0 });
const stamp = stampOf('1-1');
const body = [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), new Uint8Array(80).fill(9)];
const whole = Buffer.concat(body);

describe('a side file', () => {
  test('gives back what was kept, at a multiple of 8 bytes', () => {
    for (const state of ['s', 'st', 'sta', 'stat', 'ståte', '状態']) {
      expect(open().read(stampOf('2-2', state))).toBeUndefined();
      open().write(stampOf('2-2', state), body);
      const read = open().read(stampOf('2-2', state)) as Uint8Array;
      expect(Buffer.from(read)).toEqual(whole);
      expect(read.byteOffset % 8).toBe(0);
    }
    expect(readdirSync(folder())).toEqual(['2-2']);
  });

  test('is readable by its user only', () => {
    open().write(stamp, body);
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder(), '1-1')).mode & 0o777).toBe(0o600);
  });

  test('is as good as none for another state of the file and for another version', () => {
    open().write(stamp, body);
    expect(open().read(stampOf('1-1', 'as it is now'))).toBeUndefined();
    expect(open('test 2').read(stamp)).toBeUndefined();
    expect(open().read(stamp)).toBeDefined();
  });

  test('is as good as none when any byte of it is another, or some are missing or too many', () => {
    open().write(stamp, body);
    const path = join(folder(), '1-1');
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] ^= 1 << (at & 7);
      writeFileSync(path, damaged);
      // Nothing is said by the last number of the head.
      if (at < 12 || at >= 16) expect([at, open().read(stamp)]).toEqual([at, undefined]);
    }
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(path, bytes.subarray(0, length));
      expect([length, open().read(stamp)]).toEqual([length, undefined]);
    }
    writeFileSync(path, Buffer.concat([bytes, Buffer.from('x')]));
    expect(open().read(stamp)).toBeUndefined();
    open().write(stamp, body);
    expect(open().read(stamp)).toBeDefined();
  });

  test('is not made of a file that changed less than two seconds ago', () => {
    open().write({ ...stamp, changed: Date.now() - 1900 }, body);
    open().write({ ...stamp, changed: Date.now() + 100_000 }, body);
    expect(open().read(stamp)).toBeUndefined();
    open().write({ ...stamp, changed: Date.now() - 2100 }, body);
    expect(open().read(stamp)).toBeDefined();
  });

  test('replaces a link in its place and does not follow one', () => {
    const elsewhere = join(cache, 'elsewhere');
    open().write(stamp, body);
    writeFileSync(elsewhere, readFileSync(join(folder(), '1-1')));
    rmSync(join(folder(), '1-1'));
    symlinkSync(elsewhere, join(folder(), '1-1'));
    expect(open().read(stamp)).toBeUndefined();
    const before = readFileSync(elsewhere);
    open().write(stamp, [new Uint8Array(16)]);
    expect(readFileSync(elsewhere)).toEqual(before);
    expect(open().read(stamp)).toEqual(new Uint8Array(16));
  });

  test('is neither read from nor written to a folder that is a link or that others may write to', () => {
    open().write(stamp, body);
    chmodSync(folder(), 0o777);
    expect(open().read(stamp)).toBeUndefined();
    open().write(stampOf('3-3'), body);
    expect(readdirSync(folder())).toEqual(['1-1']);
    chmodSync(folder(), 0o700);
    const target = `${cache}-target`;
    mkdirSync(target);
    rmSync(folder(), { recursive: true });
    symlinkSync(target, folder());
    open().write(stamp, body);
    expect(readdirSync(target)).toEqual([]);
  });

  test('that others may write to is not read', () => {
    open().write(stamp, body);
    chmodSync(join(folder(), '1-1'), 0o666);
    expect(open().read(stamp)).toBeUndefined();
  });

  test('that is a folder, or whose folder cannot be made, is nobody’s error', () => {
    mkdirSync(join(folder(), '1-1', 'inside'), { recursive: true });
    chmodSync(folder(), 0o700);
    expect(open().read(stamp)).toBeUndefined();
    open().write(stamp, body);
    expect(readdirSync(folder())).toEqual(['1-1']);
    for (const place of ['/dev/null/x', '/proc/nowhere', `${root}/\0`]) {
      const nowhere = new SideFiles({ EMB_CACHE: place }, 'test 1');
      nowhere.write(stamp, body);
      expect(nowhere.read(stamp)).toBeUndefined();
    }
  });

  test('goes when others need its room, the one that was not used for longest first', () => {
    const total = 300;
    for (const [age, file] of ['4-4', '5-5'].entries()) {
      open('test 1', total).write(stampOf(file), body);
      utimesSync(join(folder(), file), age + 1, age + 1);
    }
    // Being read is being used.
    expect(open('test 1', total).read(stampOf('4-4'))).toBeDefined();
    open('test 1', total).write(stampOf('6-6'), body);
    expect(readdirSync(folder()).sort()).toEqual(['4-4', '6-6']);
    open('test 1', total).write(stampOf('6-6'), body);
    expect(readdirSync(folder()).sort()).toEqual(['4-4', '6-6']);
    open('test 1', total).write(stampOf('7-7'), [new Uint8Array(4000)]);
    expect(readdirSync(folder()).sort()).toEqual(['4-4', '6-6']);
  });
});

describe('the stamp of a file', () => {
  const stampAt = (path: string) => openFile(path).stamp() as FileStamp;

  test('is another one after a change of the same size with the old time, and for another file', () => {
    const path = join(root, 'file');
    writeFileSync(path, 'abc');
    utimesSync(path, 1000, 1000);
    const before = stampAt(path);
    expect(stampAt(path)).toEqual(before);
    writeFileSync(path, 'abd');
    utimesSync(path, 1000, 1000);
    expect(stampAt(path).state).not.toBe(before.state);
    expect(stampAt(path).file).toBe(before.file);
    writeFileSync(join(root, 'other'), 'abc');
    expect(stampAt(join(root, 'other')).file).not.toBe(before.file);
  });

  test('is that of the file that a link leads to', () => {
    writeFileSync(join(root, 'target'), 'abc');
    symlinkSync(join(root, 'target'), join(root, 'link'));
    expect(stampAt(join(root, 'link'))).toEqual(stampAt(join(root, 'target')));
  });

  test('is missing for a file that is gone', () => {
    const path = join(root, 'gone');
    writeFileSync(path, 'abc');
    const source = openFile(path);
    rmSync(path);
    expect(source.stamp()).toBeUndefined();
  });
});
