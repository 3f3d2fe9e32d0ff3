import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bf16, f16 } from '../../src/dtypes/floats.ts';
import { claimBytes, releaseBytes } from '../../src/kernels/arena.ts';
import { type HalfType, loadDotKernel, plainDots } from '../../src/kernels/dots.ts';

const simd = await loadDotKernel('simd');
const decoders = { BF16: bf16, F16: f16 };

/** Runs `work` with memory in the arena. */
function withFloats<Result>(lengths: readonly number[], work: (floats: Float32Array[]) => Result): Result {
  const claims = lengths.map((length) => claimBytes(Math.max(1, length * 4)));
  try {
    return work(
      claims.map((bytes, index) => new Float32Array(bytes.buffer, bytes.byteOffset, lengths[index])),
    );
  } finally {
    for (const bytes of claims) releaseBytes(bytes);
  }
}

function multiply(
  kernel: typeof plainDots,
  halves: Uint16Array,
  type: HalfType,
  query: Float32Array,
  count: number,
) {
  const dim = query.length / count;
  const rows = halves.length / dim;
  return withFloats(
    [Math.ceil(halves.length / 2), query.length, (count + 1) * rows, rows],
    ([slab, queries, dots, squares]) => {
      const data = new Uint16Array(slab.buffer, slab.byteOffset, halves.length);
      data.set(halves);
      queries.set(query);
      kernel.dotHalves({ data, type, rows, dim, queries, count, dots, stride: rows, squares });
      return { dots: dots.slice(0, count * rows), squares: squares.slice() };
    },
  );
}

const halfTables = fc
  .record({
    dim: fc.integer({ min: 1, max: 70 }),
    rows: fc.integer({ min: 1, max: 9 }),
    count: fc.integer({ min: 1, max: 3 }),
  })
  .chain(({ dim, rows, count }) =>
    fc.record({
      count: fc.constant(count),
      halves: fc.uint16Array({ minLength: dim * rows, maxLength: dim * rows }),
      query: fc.float32Array({
        minLength: dim * count,
        maxLength: dim * count,
        noNaN: true,
        min: -2,
        max: 2,
      }),
    }),
  );

describe('rows of 16-bit floats', () => {
  test('the SIMD kernel is there', () => {
    expect(simd.name).toBe('simd');
  });

  test.each(['BF16', 'F16'] as const)('of %s: every value is the one that the decoder gives', (type) => {
    const halves = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
    const expected = new Float32Array(65_536);
    decoders[type].decode(new Uint8Array(halves.buffer), expected);
    for (const kernel of [plainDots, simd]) {
      // Rows of one value take the scalar path; rows of 16 with one value among zeros the wide one.
      const { dots } = multiply(kernel, halves, type, Float32Array.of(1), 1);
      expect([...dots].map((dot, i) => Object.is(dot + 0, expected[i] + 0)).indexOf(false)).toBe(-1);
      for (let lane = 0; lane < 16; lane += 5) {
        const wide = new Uint16Array(65_536 * 16);
        for (let bits = 0; bits < 65_536; bits++) wide[bits * 16 + lane] = bits;
        const found = multiply(kernel, wide, type, new Float32Array(16).fill(1), 1).dots;
        expect([...found].map((dot, i) => Object.is(dot + 0, expected[i] + 0)).indexOf(false)).toBe(-1);
      }
    }
  });

  test.each(['BF16', 'F16'] as const)('of %s: sums are those of float64 but for float32 rounding', (type) => {
    fc.assert(
      fc.property(halfTables, ({ halves, query, count }) => {
        const dim = query.length / count;
        // Exponents in the middle: sums neither overflow nor vanish.
        const tame = halves.map((bits) =>
          type === 'BF16' ? (bits & 0x81ff) | 0x3e00 : (bits & 0x8fff) | 0x3000,
        );
        const values = new Float32Array(tame.length);
        decoders[type].decode(new Uint8Array(tame.buffer), values);
        for (const kernel of [plainDots, simd]) {
          const { dots, squares } = multiply(kernel, tame, type, query, count);
          for (let row = 0; row < tame.length / dim; row++) {
            let square = 0;
            for (let i = 0; i < dim; i++) square += values[row * dim + i] ** 2;
            expect(Math.abs(squares[row] / square - 1)).toBeLessThan(2e-6);
            for (let line = 0; line < count; line++) {
              let dot = 0;
              let size = 0;
              for (let i = 0; i < dim; i++) {
                const product = values[row * dim + i] * query[line * dim + i];
                dot += product;
                size += Math.abs(product);
              }
              expect(Math.abs(dots[line * squares.length + row] - dot)).toBeLessThanOrEqual(
                2e-6 * size + 1e-37,
              );
            }
          }
        }
      }),
      { numRuns: 150, seed: 3 },
    );
  });

  test('outside of the arena the plain kernel takes them', () => {
    const dots = new Float32Array(4);
    const squares = new Float32Array(2);
    const data = Uint16Array.of(0x3f80, 0x4000, 0x4040, 0xc080);
    const queries = Float32Array.of(1, 2);
    simd.dotHalves({ data, type: 'BF16', rows: 2, dim: 2, queries, count: 1, dots, stride: 2, squares });
    expect([...dots.subarray(0, 2), ...squares]).toEqual([5, -5, 5, 25]);
  });
});
