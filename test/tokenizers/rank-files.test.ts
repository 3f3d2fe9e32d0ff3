import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openTekken } from '../../src/tokenizers/tekken.ts';
import { openTiktokenFile } from '../../src/tokenizers/tiktoken-file.ts';
import { noSettings } from '../../src/tokenizers/vocab-settings.ts';
import type { Tokenizer } from '../../src/types.ts';

interface Answers {
  ids: number[][];
  sha256: string;
}

const read = (name: string) =>
  JSON.parse(gunzipSync(readFileSync(join('fixtures', 'tokenizers-slow', `${name}.json.gz`))).toString());
const { texts } = read('texts') as { texts: string[] };
const { ranks, tekken, cases } = read('ranks') as {
  ranks: string;
  tekken: { config: Record<string, unknown> };
  cases: Record<string, Answers>;
};

function open(family: string): Promise<Tokenizer> {
  if (family !== 'tekken') {
    const tokenizer = { tokenizer_class: `${family}Tokenizer` };
    return openTiktokenFile('x.tiktoken', Buffer.from(ranks), { ...noSettings, tokenizer });
  }
  const vocab = ranks
    .trim()
    .split('\n')
    .map((line) => ({ token_bytes: line.split(' ')[0], rank: Number(line.split(' ')[1]) }));
  return openTekken('tekken.json', { config: tekken.config, vocab, special_tokens: null });
}

describe.each(Object.entries(cases))('ranks as %s cuts texts', (family, { ids, sha256 }) => {
  const encode = (tokenizer: Tokenizer, text: string): number[] => {
    const sink = { ids: new Uint32Array(64), length: 0 };
    tokenizer.encodeIds(text, sink, { allowSpecial: false });
    return [...sink.ids.subarray(0, sink.length)];
  };

  test('give the ids of the reference for 1,000 fuzzed texts', async () => {
    const tokenizer = await open(family);
    ids.forEach((expected, i) => {
      expect([texts[i], encode(tokenizer, texts[i]!)]).toEqual([texts[i], expected]);
    });
    const lines = texts.map((text) => `${encode(tokenizer, text).join(' ')}\n`);
    expect(createHash('sha256').update(lines.join('')).digest('hex')).toBe(sha256);
  });
});
