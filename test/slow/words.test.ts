import { describe, test } from 'vitest';
import { damage, damagedFiles } from '../formats/word-damage.ts';

/** Mutations of one file; those that decompress 200 KB each time are fewer. */
const runs = (name: string) => (name.startsWith('packed') ? 5_000 : 100_000);

describe('files of word vectors with changed, missing or repeated bytes', () => {
  test.each(damagedFiles)('%s is read or refused, every time', { timeout: 1_800_000 }, async (name) => {
    await damage(name, runs(name), 20);
  });
});
