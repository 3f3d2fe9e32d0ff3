import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openVocabTxt } from '../../src/tokenizers/vocab-txt.ts';
import type { Tokenizer } from '../../src/types.ts';
import { hasWorld, oracle, world } from './manifest.ts';
import { upstreamCases } from './upstream-cases.ts';

interface Oracle {
  size: number;
  encode_no_special: { text: string; ids: number[]; tokens: string[] }[];
}

const open = (path: string): Promise<Tokenizer> => openVocabTxt(path, readFileSync(join(world, path)));

describe.skipIf(!hasWorld)('vocab.txt files of the world', () => {
  const oracles = oracle<Oracle>('oracle_wordpiece_vocab.json');

  test.each(Object.keys(oracles))('%s gives the ids and tokens of Hugging Face', async (path) => {
    const tokenizer = await open(path);
    expect(tokenizer.vocabSize).toBe(oracles[path].size);
    for (const { text, ids, tokens } of oracles[path].encode_no_special) {
      const encoded = tokenizer.encode(text, { template: false });
      expect([text, encoded.map(({ id }) => id)]).toEqual([text, ids]);
      expect([text, encoded.map((token) => token.text)]).toEqual([text, tokens]);
    }
  });

  test.each(upstreamCases(/vocab\.txt$/))('$model: $name gives the ids of tokenizers.js', async (one) => {
    const tokenizer = await open(one.file);
    expect(tokenizer.encode(one.text).map(({ id }) => id)).toEqual(one.ids);
    // tokenizers.js cleans up after it has joined the pieces, Rust before: spaces around apostrophes are its own.
    const decoded = Buffer.from(tokenizer.decodeBytes(one.ids)).toString();
    expect(decoded.replaceAll(" ' ", "'")).toBe(one.decoded.replaceAll(" ' ", "'"));
  });

  test('small vocabularies open: English of TensorFlow Text, seqio', async () => {
    const words = await open('tensorflow+text/test_wp_en_vocab.txt');
    const text = 'hello, the world';
    expect(
      words
        .encode(text, { template: false })
        .map(({ start, end }) => text.slice(start, end))
        .join(''),
    ).toBe('hello,theworld');
    const seqio = await open('google+seqio/bertwordpiece/vocab.txt');
    expect(seqio.unknownId).toBe(seqio.idOf('[UNK]'));
  });
});
