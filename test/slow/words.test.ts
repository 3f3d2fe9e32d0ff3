import { describe, test } from 'vitest';
import { damage, damagedFiles } from '../formats/word-damage.ts';

/** Mutations of one file; where each is decompressed first, fewer: the formats inside are the others'. */
const runs = (name: string) => (/\.(gz|xz|zip|bz2)$/.test(name) ? 10_000 : 100_000);

describe('files of word vectors with changed, missing or repeated bytes', () => {
  test.each(damagedFiles)('%s is read or refused, every time', { timeout: 1_800_000 }, async (name) => {
    await damage(name, runs(name), 20);
  });
});
