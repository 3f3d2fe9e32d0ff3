import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { buildZiggurat } from '../../src/core/random/numpy-normal.ts';
import { fillAvx2 } from '../../src/core/random/torch-avx2.ts';
import { fillScalar } from '../../src/core/random/torch-scalar.ts';
import { openScratch } from '../../src/model/scratch.ts';
import { bytesOf, goldenFiles, readFixture, readGolden } from '../core/random/golden.ts';

const uniforms = 2 ** 24;
/** The uniform whose radius is exactly 2. */
const radiusTwo = 14506667;
const piece = 2 ** 16;

describe.each([
  { family: 'avx2', fill: fillAvx2 },
  { family: 'scalar', fill: fillScalar },
] as const)('every one of the 2^24 inputs of $family', ({ family, fill }) => {
  const known =
    readFixture<Record<string, { radius: string; cos2: string; sin2: string }>>('golden-exhaustive.json');

  /** What the kernel makes of each input in one lane of a pair, the other lane fixed. */
  function hashLane(words: (k: number) => [number, number], sine: boolean): string {
    const hash = createHash('sha256');
    const lanes = new Int32Array(2 * piece);
    const out = new Float32Array(2 * piece);
    const values = new Float32Array(piece);
    for (let start = 0; start < uniforms; start += piece) {
      for (let i = 0; i < piece; i++) {
        const at = (i >> 3) * 16 + (i & 7);
        [lanes[at], lanes[at + 8]] = words(start + i);
      }
      fill(lanes, out, 0, lanes.length);
      for (let i = 0; i < piece; i++) values[i] = out[(i >> 3) * 16 + (i & 7) + (sine ? 8 : 0)];
      hash.update(bytesOf(values));
    }
    return hash.digest('hex');
  }

  it('has the radius of the real kernel', () => {
    expect(hashLane((k) => [k, 0], false)).toBe(known[family].radius);
  });

  it('has the cosine of the real kernel', () => {
    expect(hashLane((k) => [radiusTwo, k], false)).toBe(known[family].cos2);
  });

  it('has the sine of the real kernel', () => {
    expect(hashLane((k) => [radiusTwo, k], true)).toBe(known[family].sin2);
  });
});

describe.each(goldenFiles)('big tables of $file', ({ file, family }) => {
  const cases = readGolden(file).filter((golden) => golden.vocab * golden.dim > 1_000_000);

  it.each(cases)(
    'are those of the real library: seed $seed, $vocab x $dim',
    async ({ seed, vocab, dim, sha256 }) => {
      const table = await (await openScratch({ vocab, dim, seed, init: family })).table();
      const hash = createHash('sha256');
      for await (const block of table.scan()) hash.update(bytesOf(block.data));
      expect(hash.digest('hex')).toBe(sha256);
    },
  );
});

describe('ziggurat tables', () => {
  it('derived from their definition are those of the numpy binary', () => {
    const { widths, heights, insides } = buildZiggurat();
    const hashes = [widths, heights, insides].map((table) =>
      createHash('sha256').update(table).digest('hex').slice(0, 8),
    );
    expect(hashes).toEqual(['7e876b6f', '3ec75aef', 'b00c1701']);
  });
});

describe('memory of a scan', () => {
  it('does not grow with the table', async () => {
    const table = await (await openScratch({ vocab: 80_000, dim: 768 })).table();
    let most = 0;
    const before = process.memoryUsage().arrayBuffers;
    for await (const block of table.scan()) {
      if (block.start % 20_000 < block.rows)
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(most).toBeLessThan(16 * 2 ** 20);
  });
});

describe('one row of a table of 50,257 x 12,288', () => {
  it('takes milliseconds, not the table', async () => {
    const table = await (await openScratch({ vocab: 50_257, dim: 12_288 })).table();
    await table.gather(Uint32Array.of(1));
    let best = Number.POSITIVE_INFINITY;
    for (let time = 0; time < 3; time++) {
      const started = performance.now();
      await table.gather(Uint32Array.of(50_256 - time));
      best = Math.min(best, performance.now() - started);
    }
    // The whole table is 617 million values: 10 s and more.
    expect(best).toBeLessThan(500);
  });
});
