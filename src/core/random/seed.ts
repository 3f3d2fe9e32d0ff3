import { EmbError } from '../../errors.ts';

/**
 * Whose numbers a random table holds.
 * torch: PyTorch on x86-64 with AVX2 or AVX-512 · torch-scalar: PyTorch without them (Linux aarch64, older x86-64) ·
 * numpy: default_rng(seed).standard_normal(dtype=float32).
 */
export type RandomFamily = 'torch' | 'torch-scalar' | 'numpy';

const integerText = /^\s*([+-]?)(\d+(?:_\d+)*|0[xX][0-9a-fA-F]+)\s*$/;
const torchLowest = -(2n ** 63n);
const torchEnd = 2n ** 64n;

/**
 * Reads a seed, exactly.
 *
 * Units: decimal or 0x, with a sign; torch takes -2^63 <= seed < 2^64, numpy any seed >= 0.
 * @throws EmbError "usage" for other text and for seeds that the family's library refuses
 */
export function parseSeed(text: string, family: RandomFamily = 'torch'): bigint {
  const match = integerText.exec(text);
  if (match === null) {
    throw new EmbError('usage', `--seed is ${JSON.stringify(text)}, expected an integer`, 'try --seed 42');
  }
  const magnitude = BigInt(match[2].replaceAll('_', ''));
  return checkSeed(match[1] === '-' ? -magnitude : magnitude, family);
}

/**
 * The seed itself, when the family's library takes it.
 *
 * @throws EmbError "usage" otherwise
 */
export function checkSeed(seed: bigint, family: RandomFamily): bigint {
  if (family === 'numpy') {
    if (seed < 0n) throw new EmbError('usage', `--seed is ${seed}, expected at least 0 for numpy`);
  } else if (seed < torchLowest || seed >= torchEnd) {
    throw new EmbError(
      'usage',
      `--seed is ${seed}, expected ${torchLowest} to ${torchEnd - 1n}`,
      'torch.manual_seed takes 64 bits; --init numpy takes any seed from 0',
    );
  }
  return seed;
}
