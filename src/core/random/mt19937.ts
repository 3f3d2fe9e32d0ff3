/** Words of the state; one twist makes as many outputs. */
export const blockWords = 624;
/** Offset of the word that the recurrence mixes in. */
export const middleWord = 397;
export const twistMatrix = 0x9908b0df | 0;
export const upperMask = 0x80000000 | 0;
export const lowerMask = 0x7fffffff;

/**
 * The MT19937 state that a 32-bit seed stands for. It is no output itself: twist it once for block 0.
 *
 * Int32Array, not Uint32Array: words stay small integers in code that is not optimized yet, which is all code in a short run.
 * Source: Matsumoto and Nishimura 1998, init_genrand of 2002; torch/ATen MT19937RNGEngine.h.
 */
export function seedState(seed: number): Int32Array {
  const state = new Int32Array(blockWords);
  let word = seed | 0;
  state[0] = word;
  for (let i = 1; i < blockWords; i++) {
    word = (Math.imul(1812433253, word ^ (word >>> 30)) + i) | 0;
    state[i] = word;
  }
  return state;
}

/** Replaces a block of raw words by the next one, in place. */
export function twist(state: Int32Array): void {
  const wrap = blockWords - middleWord;
  let word = state[0];
  for (let i = 0; i < wrap; i++) {
    const next = state[i + 1];
    const joined = (word & upperMask) | (next & lowerMask);
    state[i] = state[i + middleWord] ^ (joined >>> 1) ^ (-(joined & 1) & twistMatrix);
    word = next;
  }
  for (let i = wrap; i < blockWords - 1; i++) {
    const next = state[i + 1];
    const joined = (word & upperMask) | (next & lowerMask);
    state[i] = state[i - wrap] ^ (joined >>> 1) ^ (-(joined & 1) & twistMatrix);
    word = next;
  }
  const joined = (word & upperMask) | (state[0] & lowerMask);
  state[blockWords - 1] = state[middleWord - 1] ^ (joined >>> 1) ^ (-(joined & 1) & twistMatrix);
}

/** The output that a raw word stands for, as int32. */
export function temper(word: number): number {
  let y = word ^ (word >>> 11);
  y ^= (y << 7) & 0x9d2c5680;
  y ^= (y << 15) & 0xefc60000;
  return y ^ (y >>> 18);
}
