import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bunzip2 } from '../../src/bytes/bzip2.ts';
import { gunzip } from '../../src/bytes/gzip.ts';
import { MemorySource } from '../../src/bytes/memory.ts';
import { tarEntries } from '../../src/bytes/tar.ts';
import { unxz } from '../../src/bytes/xz.ts';
import type { ByteSource } from '../../src/types.ts';
import { expectedTables, wordFixture } from '../formats/word-fixtures.ts';

type Unpack = (source: ByteSource) => AsyncIterable<Uint8Array>;

async function unpack(decoder: Unpack, bytes: Uint8Array, most = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of decoder(new MemorySource('packed', bytes))) {
    pieces.push(piece);
    length += piece.length;
    if (length > most) break;
  }
  return Buffer.concat(pieces);
}

const fixture = (name: string) => readFileSync(wordFixture(name));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('what compressors of other programs made', () => {
  test.each([
    ['stored.xz', unxz],
    ['runs.bz2', bunzip2],
  ])('is whole again: %s', async (name, decoder) => {
    expect(sha256(await unpack(decoder, fixture(name)))).toBe(expectedTables[name]!.sha256);
  });

  test('is the same from gz, bz2 and xz', async () => {
    const [gz, bz2, xz, sha] = await Promise.all([
      unpack(gunzip, fixture('packed.txt.gz')),
      unpack(bunzip2, fixture('packed.txt.bz2')),
      unpack(unxz, fixture('packed.txt.xz')),
      unpack(unxz, fixture('packed-sha256.txt.xz')),
    ]);
    expect(gz.length).toBeGreaterThan(100_000);
    expect([bz2.equals(gz), xz.equals(gz), sha.equals(gz)]).toEqual([true, true, true]);
  });

  test('may be nothing', async () => {
    expect((await unpack(gunzip, gzipSync(''))).length).toBe(0);
    const empty = Buffer.from('425a683917724538509000000000', 'hex');
    expect((await unpack(bunzip2, empty)).length).toBe(0);
  });
});

describe.each([
  ['packed.txt.gz', gunzip],
  ['packed.txt.bz2', bunzip2],
  ['packed.txt.xz', unxz],
  ['stored.xz', unxz],
] as [string, Unpack][])('damage to %s', (name, decoder) => {
  const whole = fixture(name);

  test('at its end is noticed', async () => {
    for (const length of [whole.length - 1, whole.length - 9, Math.floor(whole.length / 2), 20, 5, 1]) {
      await expect(unpack(decoder, whole.subarray(0, length))).rejects.toMatchObject({ code: 'corrupt' });
    }
  });

  test('anywhere gives the same content or an EmbError', async () => {
    const right = await unpack(decoder, whole);
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        try {
          // A stream that begins with other bytes than a stream does is what follows the last one.
          const content = await unpack(decoder, bytes, 1 << 22);
          expect(right.subarray(0, content.length).equals(content)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ name: 'EmbError', message: expect.not.stringContaining('\n') });
          refused++;
        }
      }),
      { seed: 4, numRuns: 150 },
    );
    expect(refused).toBeGreaterThan(50);
  });
});

describe('tar', () => {
  test('with a changed header is refused, and one that is cut ends or is refused', async () => {
    const whole = fixture('ustar.tar');
    const names = async (bytes: Uint8Array) =>
      (await tarEntries(new MemorySource('x.tar', bytes))).map(({ name }) => name);
    expect(await names(whole)).toHaveLength(2);
    for (let at = 0; at < whole.length; at += 41) {
      const bytes = Uint8Array.from(whole);
      bytes[at]! ^= 0x15;
      await names(bytes).catch((error: unknown) => expect(error).toMatchObject({ name: 'EmbError' }));
      await names(whole.subarray(0, at)).catch((error: unknown) =>
        expect(error).toMatchObject({ name: 'EmbError' }),
      );
    }
  });
});
