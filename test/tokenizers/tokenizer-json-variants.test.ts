import { describe, expect, test } from 'vitest';
import { seededRandom } from './fuzz-text.ts';
import { findVariantDifferences, variantNames } from './tokenizer-json-variants.ts';

describe('ids and spans agree with Hugging Face on fuzzed texts', () => {
  test.each(variantNames)('%s', async (name) => {
    expect(await findVariantDifferences(name, seededRandom(name.length), 150)).toEqual([]);
  });
});
