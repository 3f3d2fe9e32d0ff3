import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openVocabMerges } from '../../src/tokenizers/vocab-merges.ts';
import { hasWorld, oracle, world } from './manifest.ts';
import { upstreamCases } from './upstream-cases.ts';

interface Oracle {
  merges: string;
  size: number;
  encode: { text: string; ids: number[]; tokens: string[] }[];
}

const open = (path: string, mergesName: string) =>
  openVocabMerges({
    name: path,
    bytes: readFileSync(join(world, path)),
    mergesName,
    merges: readFileSync(join(world, mergesName)),
  });

describe.skipIf(!hasWorld)('vocab.json and merges of the world', () => {
  const oracles = oracle<Oracle>('oracle_vocab_merges.json');

  test.each(Object.keys(oracles))('%s gives the ids and tokens of Hugging Face', async (path) => {
    const { merges, size, encode } = oracles[path];
    const tokenizer = await open(path, merges);
    expect(tokenizer.vocabSize).toBe(size);
    for (const { text, ids, tokens } of encode) {
      const encoded = tokenizer.encode(text, { template: false });
      expect([text, encoded.map(({ id }) => id)]).toEqual([text, ids]);
      expect([text, encoded.map((token) => token.text)]).toEqual([text, tokens]);
    }
  });

  test.each(upstreamCases(/(vocab|encoder)\.json$/))(
    '$model: $name gives the ids of tokenizers.js',
    async (one) => {
      const tokenizer = await open(one.file, oracles[one.file].merges);
      expect(tokenizer.encode(one.text).map(({ id }) => id)).toEqual(one.ids);
    },
  );

  test('a merges file with a line of three pieces is refused by its line', async () => {
    const path = 'explosion+curated-tokenizers/robbert-vocab-1000.json';
    await expect(open(path, 'explosion+curated-tokenizers/incorrect-merges.txt')).rejects.toThrow(
      expect.objectContaining({ code: 'corrupt', message: expect.stringContaining('"line" 2 has 3 pieces') }),
    );
  });

  test('RobBERT, cut to its first 1000 pieces, opens', async () => {
    const folder = 'explosion+curated-tokenizers';
    const tokenizer = await open(`${folder}/robbert-vocab-1000.json`, `${folder}/robbert-merges-1000.txt`);
    expect(tokenizer.encode('de het', { template: false }).map(({ text }) => text)).toEqual(['de', 'Ġhet']);
  });
});
