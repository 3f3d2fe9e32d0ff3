import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claimBytes, releaseBytes } from '../../src/kernels/arena.ts';
import { type HalfType, loadDotKernel, plainDots } from '../../src/kernels/dots.ts';
import { isMeasured, type Metric, plainNearness } from '../../src/kernels/nearness.ts';

const simd = await loadDotKernel('simd');

/** Runs `work` with bytes in the arena. */
function inArena<Result>(lengths: readonly number[], work: (parts: Uint8Array[]) => Result): Result {
  const claims = lengths.map((length) => claimBytes(length));
  try {
    return work(claims);
  } finally {
    claims.forEach(releaseBytes);
  }
}

const float32 = (bytes: Uint8Array, length: number) =>
  new Float32Array(bytes.buffer, bytes.byteOffset, length);
const float64 = (bytes: Uint8Array, length: number) =>
  new Float64Array(bytes.buffer, bytes.byteOffset, length);

const margins = fc.oneof(
  fc.constant({ reach: 0, slack: 0 }),
  fc.record({
    reach: fc.double({ min: 0, max: 2, noNaN: true }),
    slack: fc.double({ min: 0, max: 1.5, noNaN: true }),
  }),
);

describe('candidates', () => {
  const sums = fc.array(fc.tuple(fc.float(), fc.oneof(fc.float({ min: 0 }), fc.float())), {
    minLength: 1,
    maxLength: 60,
  });
  const metrics = fc.constantFrom<Metric>('cosine', 'dot', 'l2');

  test('are the same rows in both kernels, whatever the sums', () => {
    fc.assert(
      fc.property(sums, metrics, fc.double({ noNaN: true }), margins, (pairs, metric, bound, margin) => {
        const rows = pairs.length;
        inArena([rows * 4, rows * 4, rows * 4], ([first, second, third]) => {
          const [dots, squares] = [float32(first, rows), float32(second, rows)];
          pairs.forEach(([dot, square], row) => {
            dots[row] = dot;
            squares[row] = square;
          });
          const found = new Uint32Array(third.buffer, third.byteOffset, rows);
          const block = { dots, squares, rows, metric, bound, ...margin, found };
          const answers = [plainNearness, simd].map((kernel) => {
            found.fill(rows);
            return [...found.subarray(0, kernel.candidates(block))];
          });
          expect(answers[1]).toEqual(answers[0]);
        });
      }),
      { seed: 5, numRuns: 500 },
    );
  });

  test('are the rows above the bound, and those whose square float32 does not hold', () => {
    const found = new Uint32Array(5);
    const dots = Float32Array.of(3, 1, 0, 2, Number.NaN);
    const squares = Float32Array.of(4, 4, 0, Number.POSITIVE_INFINITY, 1);
    const block = { dots, squares, rows: 5, bound: 0.5, reach: 0, slack: 0, found };
    expect(plainNearness.candidates({ ...block, metric: 'cosine' })).toBe(3);
    expect([...found.subarray(0, 3)]).toEqual([0, 2, 3]);
    expect(plainNearness.candidates({ ...block, metric: 'dot' })).toBe(4);
    expect([...found.subarray(0, 4)]).toEqual([0, 1, 2, 3]);
    expect(plainNearness.candidates({ ...block, metric: 'l2', bound: 0 })).toBe(3);
    expect([...found.subarray(0, 3)]).toEqual([0, 2, 3]);
    // 1 of norm 2, off by 0.3 of the norm, and its square by a quarter: at most 1.6, and 2 * 1.6 - 3.
    const margin = { reach: 0.3, slack: 0.25 };
    for (const [metric, most] of [
      ['dot', 1.6],
      ['l2', 0.2],
    ] as const) {
      const near = (bound: number) => {
        const count = plainNearness.candidates({ ...block, ...margin, metric, bound });
        return [...found.subarray(0, count)].includes(1);
      };
      expect([near(most - 1e-9), near(most + 1e-9)]).toEqual([true, false]);
    }
  });
});

describe('exact sums', () => {
  const tables = fc
    .record({ rows: fc.integer({ min: 1, max: 5 }), dim: fc.integer({ min: 1, max: 40 }) })
    .chain(({ rows, dim }) => {
      const values = (length: number) =>
        fc.array(fc.double({ noDefaultInfinity: true, noNaN: true }), {
          minLength: length,
          maxLength: length,
        });
      return fc.record({
        rows: fc.constant(rows),
        dim: fc.constant(dim),
        data: values(rows * dim),
        query: values(dim),
      });
    });

  test('have the same bits in both kernels', () => {
    fc.assert(
      fc.property(tables, ({ rows, dim, data, query }) => {
        inArena([rows * dim * 8, dim * 8, rows * 24], ([first, second, third]) => {
          const block = {
            rows,
            data: float64(first, rows * dim),
            query: float64(second, dim),
            sums: float64(third, rows * 3),
          };
          block.data.set(data);
          block.query.set(query);
          const answers = [plainNearness, simd].map((kernel) => {
            kernel.sumExactly(block);
            return [...block.sums].map((sum) => (Number.isNaN(sum) ? 'NaN' : sum));
          });
          expect(answers[1]).toEqual(answers[0]);
        });
      }),
      { seed: 6, numRuns: 300 },
    );
  });

  test('are products, squares and squared distances', () => {
    const sums = new Float64Array(6);
    const block = { data: Float64Array.of(1, 2, 3, 4), rows: 2, query: Float64Array.of(5, 6), sums };
    plainNearness.sumExactly(block);
    expect([...sums]).toEqual([17, 5, 32, 39, 25, 8]);
  });
});

describe('selecting rows', () => {
  const few = fc.record({ rows: fc.integer({ min: 1, max: 9 }), dim: fc.integer({ min: 1, max: 300 }) });
  // Groups of rows that are squared as a whole from the beginning, and wide enough to have parts.
  const many = fc.record({
    rows: fc.integer({ min: 60, max: 700 }),
    dim: fc.integer({ min: 256, max: 300 }),
  });
  const blocks = fc
    .oneof({ weight: 30, arbitrary: few }, { weight: 1, arbitrary: many })
    .chain(({ rows, dim }) =>
      fc.record({
        rows: fc.constant(rows),
        dim: fc.constant(dim),
        // Signs, exponents around 0 and, in some, any bits at all.
        halves: fc.oneof(
          { weight: 4, arbitrary: fc.constantFrom(0x3c00, 0x3000, 0x3f00) },
          { weight: 1, arbitrary: fc.constant(undefined) },
        ),
        seed: fc.integer(),
        type: fc.constantFrom<HalfType | undefined>('BF16', 'F16', undefined),
        metric: fc.constantFrom<Metric>('cosine', 'dot', 'l2'),
        bound: fc.oneof(fc.double({ min: -2, max: 2, noNaN: true }), fc.constant(Number.NEGATIVE_INFINITY)),
        margin: margins,
      }),
    );

  test('finds the rows that products and squares make candidates, and none that float32 measures beside', () => {
    fc.assert(
      fc.property(blocks, ({ rows, dim, halves, seed, type, metric, bound, margin }) => {
        // Values of float32 are two of these.
        const values = rows * dim * (type === undefined ? 2 : 1);
        const lengths = [values * 2, dim * 4, rows * 8, rows * 4, rows * 4];
        inArena(lengths, ([first, second, third, fourth, fifth]) => {
          const data = new Uint16Array(first.buffer, first.byteOffset, values);
          const queries = float32(second, dim);
          let state = seed;
          const draw = () => {
            state = (Math.imul(state, 1664525) + 1013904223) | 0;
            return state >>> 16;
          };
          for (let i = 0; i < data.length; i++)
            data[i] = halves === undefined ? draw() : (draw() & 0x83ff) | halves;
          for (let i = 0; i < dim; i++) queries[i] = ((draw() / 65536 - 0.5) * 4) / Math.sqrt(dim);
          const [dots, squares] = [float32(third, rows * 2), float32(fourth, rows)];
          const found = new Uint32Array(fifth.buffer, fifth.byteOffset, rows);
          const stored = type === undefined ? { data: float32(first, rows * dim) } : { data, type };
          const block = { ...stored, rows, dim, queries, dots, squares, metric, bound, ...margin, found };
          if (block.type === undefined) simd.dotRows({ ...block, count: 1, stride: rows });
          else simd.dotHalves({ ...block, count: 1, stride: rows });
          const all = { dots: dots.slice(), squares: squares.slice() };
          const expected = [...found.subarray(0, simd.candidates(block))];
          dots.fill(0);
          squares.fill(0);
          const selected = [...found.subarray(0, simd.selectRows(block))];
          const isKnown = (row: number) => isMeasured(all.squares[row]);
          expect(selected.filter(isKnown)).toEqual(expected.filter(isKnown));
          expect(expected).toEqual(expect.arrayContaining(selected));
          for (const row of selected) {
            expect(dots[row]).toBe(all.dots[row]);
            expect(squares[row]).toBe(all.squares[row]);
          }
        });
      }),
      { seed: 7, numRuns: 1500 },
    );
  });

  test('of rows outside of the arena finds the same', () => {
    const rows = 5;
    const dim = 40;
    const queries = Float32Array.from({ length: dim }, (_, i) => Math.cos(i));
    const data = Float32Array.from({ length: rows * dim }, (_, i) => Math.cos(i % 41));
    const block = { rows, dim, queries, metric: 'cosine', bound: 0.2, reach: 0, slack: 0 } as const;
    const answers = [plainDots, simd].map((kernel) => {
      const [dots, squares] = [new Float32Array(rows * 2), new Float32Array(rows)];
      const found = new Uint32Array(rows);
      return [...found.subarray(0, kernel.selectRows({ ...block, data, dots, squares, found }))];
    });
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[0].length).toBeGreaterThan(0);
    expect(answers[0].length).toBeLessThan(rows);
  });
});
