/** Words of the state; one twist makes as many outputs. */
export const blockWords = 624;
/** Offset of the word that the recurrence mixes in. */
const middleWord = 397;
const twistMatrix = 0x9908b0df | 0;
const upperMask = 0x80000000 | 0;
const lowerMask = 0x7fffffff;
/** 82 kB of raw words: in the second level cache. */
const blocksAtOnce = 32;

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

/**
 * Continues the raw sequence to the end of the array, whose first 624 words are a state.
 *
 * One loop for all uses, so that a short run has one loop less to optimize.
 */
export function extend(raw: Int32Array): void {
  let word = raw[0];
  for (let i = blockWords; i < raw.length; i++) {
    const next = raw[i - blockWords + 1];
    const joined = (word & upperMask) | (next & lowerMask);
    raw[i] = raw[i - blockWords + middleWord] ^ (joined >>> 1) ^ (-(joined & 1) & twistMatrix);
    word = next;
  }
}

/** Replaces a block of raw words by the one `blocks` later, in place: so many twists. */
export function twist(state: Int32Array, blocks = 1): void {
  const stride = Math.min(blocks, blocksAtOnce);
  const raw = new Int32Array((stride + 1) * blockWords);
  raw.set(state);
  for (let done = 0; done < blocks; done += stride) {
    const count = Math.min(stride, blocks - done);
    extend(count === stride ? raw : raw.subarray(0, (count + 1) * blockWords));
    raw.copyWithin(0, count * blockWords, (count + 1) * blockWords);
  }
  state.set(raw.subarray(0, blockWords));
}

/** The output that a raw word stands for, as int32. */
export function temper(word: number): number {
  let y = word ^ (word >>> 11);
  y ^= (y << 7) & 0x9d2c5680;
  y ^= (y << 15) & 0xefc60000;
  return y ^ (y >>> 18);
}
