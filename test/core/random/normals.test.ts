import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goldenFiles, hexOf, openNormals, readFixture, readGolden, sha256 } from './golden.ts';

const quickValues = 1_000_000;
const families = ['torch', 'torch-scalar', 'numpy'] as const;

describe.each(goldenFiles)('values of $file', ({ file, family }) => {
  const cases = readGolden(file).filter((golden) => golden.vocab * golden.dim <= quickValues);

  it('holds every small case', () => expect(cases.length).toBeGreaterThanOrEqual(8));

  it.each(cases)('are those of the real library: seed $seed, $vocab x $dim', (golden) => {
    const count = golden.vocab * golden.dim;
    const values = new Float32Array(count);
    openNormals(family, BigInt(golden.seed), count).draw(0, values);
    if (golden.padding_idx !== undefined) {
      const row = (golden.padding_idx + golden.vocab) % golden.vocab;
      values.fill(0, row * golden.dim, (row + 1) * golden.dim);
    }
    for (const [row, bits] of Object.entries(golden.rows)) {
      expect(hexOf(values.subarray(Number(row) * golden.dim, (Number(row) + 1) * golden.dim))).toBe(bits);
    }
    expect(sha256(values)).toBe(golden.sha256);
  });
});

describe('standard deviation', () => {
  interface StdCase {
    init: (typeof families)[number];
    seed: number;
    vocab: number;
    dim: number;
    std: number;
    padding_idx?: number;
    values: string;
  }
  const { cases } = readFixture<{ cases: StdCase[] }>('std.json');

  it.each(families)(
    'scales %s values as the real library does, signed zeros and subnormals too',
    (family) => {
      const own = cases.filter((known) => known.init === family && known.padding_idx === undefined);
      expect(own.length).toBeGreaterThan(30);
      for (const { seed, vocab, dim, std, values } of own) {
        const drawn = new Float32Array(vocab * dim);
        openNormals(family, BigInt(seed), vocab * dim, std).draw(0, drawn);
        expect(`${vocab} x ${dim} std ${std}: ${hexOf(drawn)}`).toBe(
          `${vocab} x ${dim} std ${std}: ${values}`,
        );
      }
    },
  );
});

describe('random access', () => {
  it.each(families)('gives the same %s values in any order and any pieces', (family) => {
    const property = fc.property(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.integer({ min: 1, max: 5000 }),
      fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 8 }),
      (seed, count, pieces) => {
        const all = new Float32Array(count);
        openNormals(family, seed, count).draw(0, all);
        const stream = openNormals(family, seed, count);
        for (const [a, b] of pieces) {
          const start = a % count;
          const into = new Float32Array(b % (count - start + 1));
          stream.draw(start, into);
          expect(hexOf(into)).toBe(hexOf(all.subarray(start, start + into.length)));
        }
      },
    );
    fc.assert(property, { seed: 17, numRuns: 150 });
  });

  it('takes numpy values back from remembered states', () => {
    const count = 600_000;
    const all = new Float32Array(count);
    openNormals('numpy', 5n, count).draw(0, all);
    const stream = openNormals('numpy', 5n, count);
    const into = new Float32Array(1000);
    for (const start of [599_000, 262_144, 262_143, 0, 524_288, 524_287, 300_000, 599_000]) {
      while (!stream.approach(start));
      stream.draw(start, into);
      expect(hexOf(into)).toBe(hexOf(all.subarray(start, start + 1000)));
    }
  });

  it('gives torch values far beyond 2^32 without drawing those before', () => {
    const count = 2 ** 53;
    const stream = openNormals('torch', 1n, count);
    const into = new Float32Array(700);
    const again = new Float32Array(100);
    stream.draw(count - 700, into);
    stream.draw(count - 400, again);
    expect(hexOf(again)).toBe(hexOf(into.subarray(300, 400)));
    expect(Math.max(...into)).toBeLessThan(7);
  });
});
