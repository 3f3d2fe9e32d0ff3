import { describe, expect, it } from 'vitest';
import { jumpBlocks, lowerTerms } from '../../src/core/random/jump.ts';
import { seedState, twist } from '../../src/core/random/mt19937.ts';
import { loadMersenneKernel } from '../../src/kernels/mersenne.ts';

describe('the SIMD twin of MT19937', () => {
  const kernel = loadMersenneKernel(lowerTerms);
  if (kernel === undefined) throw new Error('this engine has no WebAssembly');

  const start = (seed: number) => {
    const state = seedState(seed);
    twist(state);
    return state;
  };

  it.each([0, 1, 2, 31, 32, 33, 5000])('twists %i times to the plain words', (blocks) => {
    for (const seed of [0, 42, -1]) {
      const plain = start(seed);
      const simd = plain.slice();
      twist(plain, blocks);
      kernel.twist(simd, blocks);
      expect(simd).toEqual(plain);
    }
  });

  it.each([1, 2, 31, 32, 33, 12345, 2 ** 31 + 7, 2 ** 40 - 1, Math.floor(2 ** 53 / 624)])(
    'jumps %i blocks to the plain words',
    (blocks) => {
      for (const seed of [0, 42, -1]) {
        const simd = start(seed);
        kernel.jump(simd, blocks);
        expect(simd).toEqual(jumpBlocks(start(seed), blocks));
      }
    },
  );
});
