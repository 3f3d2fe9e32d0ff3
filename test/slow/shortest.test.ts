import { expect, it } from 'vitest';
import { longestShortest, shortestText, writeShortest } from '../../src/text/shortest.ts';

/** Reads a text of the four forms that writeShortest has, without a string per value. */
function spelled(out: Uint8Array, end: number): string {
  return Buffer.from(out.buffer, 0, end).toString('latin1');
}

it('reads back to the same float32 for 30 million bit patterns, and agrees with the exact search on a part of them', () => {
  const out = new Uint8Array(longestShortest);
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  // An odd step walks through all exponents and both signs.
  const step = 143;
  let wrong = 0;
  let count = 0;
  for (let pattern = 0; pattern < 2 ** 32; pattern += step) {
    bits[0] = pattern;
    const value = float[0];
    if (!Number.isFinite(value)) continue;
    const text = spelled(out, writeShortest(value, out, 0, 'plain'));
    if (!Object.is(Math.fround(Number(text)), value)) wrong++;
    else if (count % 32 === 0 && text !== shortestText(value)) wrong++;
    count++;
  }
  expect(count).toBeGreaterThan(29_000_000);
  expect(wrong).toBe(0);
});
