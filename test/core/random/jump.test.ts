import { describe, expect, it } from 'vitest';
import { jumpBlocks } from '../../../src/core/random/jump.ts';
import { seedState, temper, twist } from '../../../src/core/random/mt19937.ts';

describe('MT19937', () => {
  it('gives the 10,000th output that the C++ standard demands of seed 5489', () => {
    const state = seedState(5489);
    for (let block = 0; block <= Math.floor(9999 / 624); block++) twist(state);
    expect(temper(state[9999 % 624]) >>> 0).toBe(4123659995);
  });
});

describe('jump', () => {
  it('lands where twisting lands', () => {
    for (const seed of [0, 5489, -1]) {
      const first = seedState(seed);
      twist(first);
      const state = first.slice();
      let block = 0;
      for (const target of [1, 2, 32, 33, 1000, 4097]) {
        for (; block < target; block++) twist(state);
        expect(jumpBlocks(first, target)).toEqual(state);
      }
    }
  });

  it('leaves its start as it was', () => {
    const first = seedState(1);
    twist(first);
    const copy = first.slice();
    jumpBlocks(first, 12345);
    expect(first).toEqual(copy);
  });

  it('adds up: a then b is a + b, up to the last block of 2^53 values', () => {
    const first = seedState(42);
    twist(first);
    const most = Math.floor(2 ** 53 / 624);
    for (const [a, b] of [
      [61_855, 100_000],
      [2 ** 31, 2 ** 33 + 1],
      [most - 7, 7],
    ]) {
      expect(jumpBlocks(jumpBlocks(first, a), b)).toEqual(jumpBlocks(first, a + b));
    }
  });
});
