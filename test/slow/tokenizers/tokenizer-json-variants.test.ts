import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../tokenizers/fuzz-text.ts';
import { findVariantDifferences, variantNames } from '../../tokenizers/tokenizer-json-variants.ts';

describe('ids and spans agree with Hugging Face on 20,000 fuzzed texts', () => {
  test.each(variantNames)('%s', async (name) => {
    expect(await findVariantDifferences(name, seededRandom(1000 + name.length), 20_000)).toEqual([]);
  });
});
