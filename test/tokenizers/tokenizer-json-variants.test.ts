import { describe, expect, test } from 'vitest';
import { seededRandom } from './fuzz-text.ts';
import { openBytes, openOracle, ourAnswer, theirAnswer } from './tokenizer-json-oracle.ts';
import { findVariantDifferences, variant, variantNames } from './tokenizer-json-variants.ts';

describe('ids and spans agree with Hugging Face on fuzzed texts', () => {
  test.each(variantNames)('%s', async (name) => {
    expect(await findVariantDifferences(name, seededRandom(name.length), 150)).toEqual([]);
  });
});

test.each(['qwen', 'NFD', 'NFKC'])(
  '%s: long runs of marks are sorted as Hugging Face sorts them, in no quadratic time',
  async (name) => {
    const file = variant(name);
    const tokenizer = openBytes(file);
    const run = (count: number) => `e${'\u0301\u0323\u0334'.repeat(count)}가\u11a8`;
    expect(ourAnswer(tokenizer, run(700))).toEqual(await theirAnswer(openOracle(file), run(700)));
    // Quadratic sorting takes longer than a test may.
    expect(tokenizer.encode(run(100_000)).length).toBeGreaterThan(100_000);
  },
);

test('characters newer than the tables of Hugging Face stay as they are', async () => {
  for (const name of ['qwen', 'NFD', 'NFKD', 'NFKC']) {
    const file = variant(name);
    for (const text of [
      '\u{11938}x',
      '\u{11935}\u{11930}',
      '\u{1fbf0}\u{32ff}',
      'a\u{1e4ec}\u0301\u{1abf}\u0323',
    ]) {
      expect([name, text, ourAnswer(openBytes(file), text)]).toEqual([
        name,
        text,
        await theirAnswer(openOracle(file), text),
      ]);
    }
  }
});
