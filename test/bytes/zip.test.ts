import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openZip, type ZipEntry } from '../../src/bytes/zip.ts';
import { looksLikeZip } from '../../src/bytes/zip-magic.ts';
import { CountingSource, fixture, readJson } from '../formats/tables.ts';

const { entries: expected } = readJson<{ entries: Record<string, { bytes: number; crc: number }> }>(
  fixture('zip/expected.json'),
);
const bytesOf = (name: string) => readFileSync(fixture(`zip/${name}`));
const open = (bytes: Uint8Array) => openZip(new MemorySource('a.zip', bytes));

async function drain(entry: ZipEntry): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of entry.stream()) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Where the n-th directory entry begins. */
function recordAt(bytes: Buffer, number: number): number {
  let at = -1;
  for (let count = 0; count <= number; count++) at = bytes.indexOf('PK\x01\x02', at + 1, 'latin1');
  return at;
}

describe('zip archives that Python wrote', () => {
  test.each(['stored.zip', 'deflated.zip', 'streamed.zip', 'zip64.zip'])(
    '%s lists its files, and every entry streams, reads whole and reads by position',
    async (name) => {
      const archive = await openZip(openFile(fixture(`zip/${name}`)));
      expect(archive.entries.map((entry) => entry.name)).toEqual(Object.keys(expected));
      for (const entry of archive.entries) {
        const { bytes, crc } = expected[entry.name];
        expect(entry.byteLength).toBe(bytes);
        const whole = await entry.bytes(1 << 20);
        expect(crc32(whole)).toBe(crc);
        expect(Buffer.compare(await drain(entry), whole)).toBe(0);
        const source = await entry.open();
        const [start, end] = [Math.floor(bytes / 3), Math.floor(bytes / 2)];
        expect(Buffer.compare(await source.read(start, end), whole.subarray(start, end))).toBe(0);
        const into = new Uint8Array(end - start + 3);
        await source.readMany(Float64Array.of(0, Math.min(3, start), end - start, start, end, 0), into);
        expect(Buffer.compare(into.subarray(0, end - start), whole.subarray(start, end))).toBe(0);
        await expect(source.read(0, bytes + 1)).rejects.toMatchObject({ code: 'corrupt' });
      }
      await archive.close();
    },
  );

  test('a comment that contains an end record is no end record', async () => {
    const { comment } = await open(bytesOf('stored.zip'));
    expect(Buffer.from(comment).toString('latin1')).toBe('PK\x05\x06 is no end, this is a comment');
  });

  test('an archive of nothing has no entries', async () => {
    expect((await open(bytesOf('nothing.zip'))).entries).toEqual([]);
    expect(looksLikeZip(bytesOf('nothing.zip'))).toBe(true);
    expect(looksLikeZip(bytesOf('stored.zip'))).toBe(true);
    expect(looksLikeZip(Uint8Array.of(0x50, 0x4b, 1, 2))).toBe(false);
  });

  test('a stored entry reads its local header and the bytes that are asked for, no more', async () => {
    const counting = new CountingSource(new MemorySource('a.zip', bytesOf('stored.zip')));
    const archive = await openZip(counting);
    expect(counting.reads).toHaveLength(1);
    const source = await archive.find('folder/words.txt')!.open();
    await source.read(100, 110);
    await source.read(200, 210);
    expect(counting.reads.slice(1).map(({ start, end }) => end - start)).toEqual([30, 10, 10]);
  });

  test('the head of a deflated entry is read without inflating the rest', async () => {
    const broken = Buffer.from(bytesOf('deflated.zip'));
    const archive = await open(broken);
    const zeros = archive.find('zeros.bin')!;
    const source = await zeros.open();
    // The CRC is checked at the end, which the head does not reach.
    const at = recordAt(broken, 4);
    broken[at + 16] ^= 1;
    const damaged = await (await open(broken)).find('zeros.bin')!.open();
    expect([...(await damaged.read(10, 13))]).toEqual([0, 0, 0]);
    await expect(damaged.read(199_999, 200_000)).rejects.toThrow('has the CRC');
    expect([...(await source.read(199_999, 200_000))]).toEqual([0]);
  });

  test('errors call an entry by its archive and its name', async () => {
    const archive = await open(bytesOf('deflated.zip'));
    expect((await archive.find('empty')!.open()).name).toBe('a.zip/empty');
    expect((await archive.find('empty')!.open('x')).name).toBe('x');
  });
});

describe('zip archives that are refused', () => {
  const whole = bytesOf('stored.zip');
  const change = (at: number, ...bytes: number[]) => {
    const copy = Buffer.from(whole);
    copy.set(bytes, at);
    return copy;
  };
  const end = whole.lastIndexOf('PK\x05\x06', whole.length - 40, 'latin1');

  test.each([
    ['cut short', whole.subarray(0, end - 1), 'has no end of central directory'],
    ['more entries than the directory can hold', change(end + 10, 0xff, 0xff), 'expected at least 3014'],
    ['one entry more', change(end + 10, 7), 'expected number 7 of 7'],
    ['one entry less', change(end + 10, 5), '5 entries take'],
    [
      'a directory beyond its end',
      change(end + 16, 0xff, 0xff, 0xff, 0x7f),
      'central directory ends at byte',
    ],
    ['a part of several', change(end + 4, 3), 'is part 4 of an archive'],
    ['entries that overlap', change(recordAt(whole, 2) + 42, 40, 0, 0, 0), 'where the next part begins'],
    ['an entry larger than the file', change(recordAt(whole, 1) + 20, 0, 0, 9, 0, 0, 0, 9), 'ends at byte'],
    ['a stored size that is not its size', change(recordAt(whole, 1) + 24, 9), 'is stored as 35 bytes'],
    [
      'zip64 sizes that are missing',
      change(recordAt(whole, 1) + 24, 255, 255, 255, 255),
      'has no zip64 sizes',
    ],
  ])('%s', async (_, bytes, message) => {
    await expect(open(bytes)).rejects.toMatchObject({
      name: 'EmbError',
      message: expect.stringContaining(message),
    });
  });

  test('two entries of one name', async () => {
    const first = recordAt(whole, 1) + 46;
    const same = change(recordAt(whole, 4) + 46, ...whole.subarray(first, first + 9));
    await expect(open(same)).rejects.toThrow('has two entries named "first.txt"');
  });

  test('a local header that is none, or that leads into the next entry', async () => {
    const none = await open(change(whole.indexOf('first.txt') - 30, 0));
    await expect(none.entries[0].bytes(100)).rejects.toThrow('begins no local header');
    const far = await open(change(whole.indexOf('first.txt') - 2, 0xff, 0xff));
    await expect(far.entries[0].bytes(100)).rejects.toThrow('where the next part begins');
  });

  test('a content that does not have its CRC, its size or any sense', async () => {
    const other = await open(change(whole.indexOf('stored or not'), 0x53));
    await expect(other.entries[0].bytes(100)).rejects.toThrow('has the CRC');
    await expect(drain(other.entries[0])).rejects.toThrow('has the CRC');
    const deflated = bytesOf('deflated.zip');
    const longer = Buffer.from(deflated);
    longer[recordAt(longer, 2) + 24]++;
    await expect(drain((await open(longer)).entries[1])).rejects.toThrow(/inflates to \d+ bytes, expected/);
    const shorter = Buffer.from(deflated);
    shorter[recordAt(shorter, 2) + 24]--;
    await expect(drain((await open(shorter)).entries[1])).rejects.toThrow('inflates to more than');
    const senseless = Buffer.from(deflated);
    senseless.fill(
      0xff,
      deflated.indexOf('folder/words.txt') + 16,
      deflated.indexOf('folder/words.txt') + 90,
    );
    await expect((await open(senseless)).entries[1].bytes(1 << 20)).rejects.toThrow('does not inflate');
  });

  test('other methods, encryption, and a content over the limit', async () => {
    const bzip2 = await open(bytesOf('bzip2.zip'));
    await expect(bzip2.entries[0].open()).rejects.toThrow('is compressed with bzip2');
    const locked = await open(change(recordAt(whole, 1) + 8, 1));
    await expect(locked.entries[0].open()).rejects.toThrow('is encrypted');
    await expect((await open(whole)).entries[0].bytes(34)).rejects.toThrow(
      'is 35 bytes, expected at most 34',
    );
  });

  test('a size that deflate cannot reach is refused before memory is asked for', async () => {
    const bytes = Buffer.from(bytesOf('deflated.zip'));
    bytes.writeUInt32LE(0x7fffffff, recordAt(bytes, 2) + 24);
    await expect((await open(bytes)).entries[1].open()).rejects.toThrow('for each of its');
  });

  test('no damage ends in anything but an answer or an EmbError', async () => {
    const names = ['stored.zip', 'deflated.zip', 'streamed.zip', 'zip64.zip'];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.array(fc.tuple(fc.integer({ min: -900, max: 200 }), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(3),
        async (name, changes, cut) => {
          const bytes = Buffer.from(bytesOf(name));
          for (const [at, byte] of changes) bytes[at < 0 ? bytes.length + at : at] = byte;
          try {
            const archive = await open(bytes.subarray(cut === 3 ? 5 : 0));
            for (const entry of archive.entries) await entry.bytes(1 << 20);
          } catch (error) {
            expect(error).toMatchObject({ name: 'EmbError', message: expect.not.stringContaining('\n') });
          }
        },
      ),
      { seed: 11, numRuns: 500 },
    );
  });
});
