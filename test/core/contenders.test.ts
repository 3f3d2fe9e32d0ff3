import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Contenders, openOfAll } from '../../src/core/contenders.ts';

/** Rows with a true score, and bounds around it. */
const contests = fc.array(
  fc.record({
    score: fc.integer({ min: 0, max: 30 }),
    below: fc.constantFrom(0, 0, 1, 5),
    above: fc.constantFrom(0, 0, 1, 5),
    part: fc.nat({ max: 2 }),
  }),
  { maxLength: 2500, size: 'max' },
);

/** The best by their true scores, lower rows first. */
const bestOf = (scores: readonly number[], count: number) =>
  scores
    .map((_, row) => row)
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, count);

test('no row that is among the best is let go, whatever the bounds, in one part or in several', () => {
  let dropped = 0;
  fc.assert(
    fc.property(contests, fc.integer({ min: 1, max: 20 }), (rows, count) => {
      const best = bestOf(
        rows.map(({ score }) => score),
        count,
      );
      const whole = new Contenders(count);
      const parts = [0, 1, 2].map(() => new Contenders(count));
      for (const [row, { score, below, above, part }] of rows.entries())
        for (const open of [whole, parts[part]!]) open.meet(row, score - below, score + above);
      const merged = openOfAll(
        parts.map((open) => open.open()),
        count,
      );
      expect([...whole.rows()]).toEqual(expect.arrayContaining(best));
      expect([...merged]).toEqual(expect.arrayContaining(best));
      dropped += rows.length - whole.rows().length;
    }),
    { seed: 4, numRuns: 300 },
  );
  expect(dropped).toBeGreaterThan(1000);
});

test('what is settled stands in place of all, and rows after it must be better than the last of it', () => {
  const open = new Contenders(2);
  for (let row = 0; row < 10; row++) open.meet(row, row - 5, row + 5);
  open.settle({ rows: Uint32Array.of(8, 9), least: Float64Array.of(8, 9), most: Float64Array.of(8, 9) });
  expect(open.bound).toBe(8);
  open.meet(10, 8, 8);
  open.meet(11, 8, 8.5);
  open.meet(12, 3, 7);
  expect([...open.rows()]).toEqual([8, 9, 11]);
});

test('ties of parts are all kept: which has the lower row is told by their numbers', () => {
  const part = (row: number) => ({
    rows: Uint32Array.of(row),
    least: Float64Array.of(1),
    most: Float64Array.of(1),
  });
  expect([...openOfAll([part(5), part(3)], 1)]).toEqual([5, 3]);
});
