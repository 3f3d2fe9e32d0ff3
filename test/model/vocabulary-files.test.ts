import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openModel } from '../../src/model/open.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'emb-vocabulary-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const idsOf = async (name: string, text: string): Promise<number[]> => {
  const model = await openModel(join(folder, name));
  try {
    return (await model.tokenizer()).encode(text).map(({ id }) => id);
  } finally {
    await model.close();
  }
};

describe('a vocabulary file opens by itself', () => {
  test('a list of pieces, with [CLS] and [SEP] around the text', async () => {
    writeFileSync(join(folder, 'vocab.txt'), '[PAD]\n[UNK]\n[CLS]\n[SEP]\nhello\nworld\n##s\n');
    expect(await idsOf('vocab.txt', 'Hello worlds x')).toEqual([2, 4, 5, 6, 1, 3]);
  });

  test('ranks of tiktoken', async () => {
    const ranks = ['a', 'b', ' ', 'ab', ' ab'];
    const lines = ranks.map((piece, rank) => `${Buffer.from(piece).toString('base64')} ${rank}\n`);
    writeFileSync(join(folder, 'small.tiktoken'), lines.join(''));
    expect(await idsOf('small.tiktoken', 'ab ab aa')).toEqual([3, 4, 2, 0, 0]);
  });

  test('a vocab.json with the merges beside it, named by either', async () => {
    writeFileSync(join(folder, 'vocab.json'), '{"a": 0, "b": 1, "ab": 2}');
    writeFileSync(join(folder, 'merges.txt'), '#version: 0.2\na b\n');
    expect(await idsOf('vocab.json', 'aba')).toEqual([2, 0]);
    expect(await idsOf('merges.txt', 'aba')).toEqual([2, 0]);
  });

  test("Mistral's tekken.json, whose ids begin after the special tokens", async () => {
    const vocab = ['a', 'b', 'ab'].map((piece, rank) => ({
      rank,
      token_bytes: Buffer.from(piece).toString('base64'),
      token_str: piece,
    }));
    const config = { pattern: '[ab]+', default_vocab_size: 103, default_num_special_tokens: 100 };
    writeFileSync(join(folder, 'tekken.json'), JSON.stringify({ config, vocab }));
    expect(await idsOf('tekken.json', 'abb')).toEqual([102, 101]);
  });
});
