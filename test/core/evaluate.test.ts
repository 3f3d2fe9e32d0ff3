import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unitRow } from '../../src/core/analogy.ts';
import { keptAnswers, predictAnalogies } from '../../src/core/evaluate.ts';
import { tableOf } from '../support/table.ts';

const seeded = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i * i + i / 3));

/** The twin: every row of the first `rows` by float64, all sorted. */
function bruteForce(data: Float32Array, dim: number, [a, b, c]: number[], rows: number, among: Uint8Array) {
  const unit = (row: number) => unitRow(data, row * dim, dim) as Float64Array;
  const [x, y, z] = [unit(a), unit(b), unit(c)];
  return Array.from({ length: rows }, (_, row) => row)
    .filter((row) => among[row] === 1 && row !== a && row !== b && row !== c)
    .map((row) => ({
      row,
      score: unit(row).reduce((sum, value, i) => sum + value * (y[i] + z[i] - x[i]), 0),
    }))
    .sort((p, q) => q.score - p.score)
    .slice(0, keptAnswers);
}

test.each(['ts', 'simd'] as const)(
  'predictions of the %s kernel are those of brute force',
  async (kernel) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 20 }),
        fc.integer({ min: 5, max: 60 }),
        fc.array(fc.tuple(fc.nat(59), fc.nat(59), fc.nat(59)), { minLength: 1, maxLength: 20 }),
        fc.nat(59),
        async (dim, size, triples, fewer) => {
          const data = seeded(size * dim);
          const rows = Math.max(1, size - fewer);
          const questions = Uint32Array.from(triples.flat(), (row) => row % size);
          const among = Uint8Array.from({ length: rows }, (_, row) => (row % 5 === 4 ? 0 : 1));
          const table = tableOf(data, dim);
          const found = await predictAnalogies(table, questions, { rows, among, kernel });
          expect(table.scans).toBe(1);
          for (let at = 0; at < triples.length; at++) {
            const asked = [...questions.subarray(at * 3, at * 3 + 3)];
            const wanted = bruteForce(data, dim, asked, rows, among);
            const answers = [...found.subarray(at * keptAnswers, (at + 1) * keptAnswers)];
            expect(answers.filter((row) => row >= 0).length).toBe(wanted.length);
            const all = new Map(
              bruteForce(data, dim, asked, rows, among).map(({ row, score }) => [row, score]),
            );
            // Rows may change places only where their scores are the same but for rounding.
            answers.slice(0, wanted.length).forEach((row, place) => {
              expect(all.get(row) ?? wanted[wanted.length - 1].score).toBeCloseTo(wanted[place].score, 5);
            });
          }
        },
      ),
      { numRuns: 40, seed: 3 },
    );
  },
);

test('many questions about many words take few scans', async () => {
  const size = 10_000;
  const table = tableOf(seeded(size * 2), 2);
  const questions = Uint32Array.from({ length: 9000 }, (_, i) => i);
  const among = new Uint8Array(20).fill(1);
  const found = await predictAnalogies(table, questions, { rows: 20, among, kernel: 'simd' });
  expect(table.scans).toBe(3);
  expect(found.every((row) => row >= 0 && row < 20)).toBe(true);
});

test('rows without a direction are no answers, and questions about them have none', async () => {
  const data = Float32Array.of(0, 0, 1, 0, 0, 1, 1, 1, Number.NaN, 1);
  const options = { rows: 5, among: new Uint8Array(5).fill(1), kernel: 'simd' } as const;
  const found = await predictAnalogies(tableOf(data, 2), Uint32Array.of(1, 2, 1, 0, 1, 2), options);
  expect([...found]).toEqual([3, -1, -1, -1, -1, -1, -1, -1, -1, -1]);
});
