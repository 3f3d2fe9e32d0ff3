import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EmbError } from '../../src/errors.ts';
import { arenaMemory, arenaOffset, claimBytes, releaseBytes } from '../../src/kernels/arena.ts';

const mebibyte = 1024 * 1024;

describe('arena', () => {
  it('gives page-aligned memory of exactly the wanted length', () => {
    const view = claimBytes(1000);
    expect(view.length).toBe(1000);
    expect(arenaOffset(view)).toBe(view.byteOffset);
    expect(view.byteOffset % 4096).toBe(0);
    expect(view.byteOffset).toBeGreaterThan(0);
    releaseBytes(view);
  });

  it('gives plain memory when a claim does not fit', () => {
    const big = claimBytes(40 * mebibyte);
    expect(big.length).toBe(40 * mebibyte);
    expect(arenaOffset(big)).toBeUndefined();
    releaseBytes(big);
  });

  it('gives the same place again after a release, however the claims were cut', () => {
    const whole = claimBytes(31 * mebibyte);
    expect(arenaOffset(whole)).toBeDefined();
    releaseBytes(whole);
    const parts = Array.from({ length: 31 }, () => claimBytes(mebibyte));
    for (const part of [...parts.filter((_, i) => i % 2), ...parts.filter((_, i) => i % 2 === 0)])
      releaseBytes(part);
    const again = claimBytes(31 * mebibyte);
    expect(arenaOffset(again)).toBe(whole.byteOffset);
    releaseBytes(again);
  });

  it('ignores a second release of the same claim', () => {
    const first = claimBytes(10);
    releaseBytes(first);
    releaseBytes(first);
    const [a, b] = [claimBytes(10), claimBytes(10)];
    expect(a.byteOffset).not.toBe(b.byteOffset);
    releaseBytes(a);
    releaseBytes(b);
  });

  it('never detaches a view', () => {
    const view = claimBytes(16);
    const buffer = arenaMemory()?.buffer;
    const others = Array.from({ length: 64 }, () => claimBytes(mebibyte));
    expect(view.buffer).toBe(buffer);
    expect(view.length).toBe(16);
    for (const other of [...others, view]) releaseBytes(other);
  });

  it('refuses a length that is no whole number', () => {
    for (const length of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => claimBytes(length)).toThrow(EmbError);
    }
  });
});

describe('arena under any order of claims and releases', () => {
  it('never gives the same byte to two claims', () => {
    const step = fc.record({ bytes: fc.integer({ min: 0, max: 3 * mebibyte }), release: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const live: Uint8Array[] = [];
        for (const { bytes, release } of steps) {
          live.push(claimBytes(bytes));
          if (release % 2) releaseBytes(live.splice(release % live.length, 1)[0]);
        }
        const spans = live.filter((view) => arenaOffset(view) !== undefined);
        spans.sort((a, b) => a.byteOffset - b.byteOffset);
        for (let i = 1; i < spans.length; i++) {
          expect(spans[i - 1].byteOffset + spans[i - 1].length).toBeLessThanOrEqual(spans[i].byteOffset);
        }
        for (const view of live) releaseBytes(view);
      }),
      { seed: 1, numRuns: 50 },
    );
  });
});
