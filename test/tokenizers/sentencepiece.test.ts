import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { EmbError } from '../../src/errors.ts';
import { openSentencePiece } from '../../src/tokenizers/sentencepiece-tokenizer.ts';

interface Answers {
  model: string;
  ids: number[][];
  decoded: string[];
  sha256: string;
}

const read = (name: string) =>
  JSON.parse(gunzipSync(readFileSync(join('fixtures', 'tokenizers-slow', `${name}.json.gz`))).toString());
const { texts } = read('texts') as { texts: string[] };
const kinds = ['unigram', 'unigram-bytes', 'unigram-raw', 'bpe', 'bpe-bytes', 'bpe-suffix', 'word', 'char'];

describe.each(kinds)('the SentencePiece model %s', (kind) => {
  const { model, ids, decoded, sha256 } = read(kind) as Answers;
  const tokenizer = openSentencePiece('fuzz.model', Buffer.from(model, 'base64'));

  test('gives the ids of sentencepiece for 1,000 fuzzed texts', () => {
    ids.forEach((expected, i) => {
      expect([texts[i], tokenizer.encode(texts[i]).map(({ id }) => id)]).toEqual([texts[i], expected]);
    });
    const lines = texts.map(
      (text) =>
        `${tokenizer
          .encode(text)
          .map(({ id }) => id)
          .join(' ')}\n`,
    );
    expect(createHash('sha256').update(lines.join('')).digest('hex')).toBe(sha256);
  });

  test('decodes ids to the text of sentencepiece', () => {
    ids.forEach((one, i) => {
      const text = Buffer.from(tokenizer.decodeBytes(one)).toString();
      expect([texts[i], text]).toEqual([texts[i], decoded[i]]);
    });
  });

  test('has spans in order and within the text', () => {
    for (const text of texts.slice(0, 200)) {
      let last = 0;
      for (const { start, end } of tokenizer.encode(text)) {
        expect([text, start >= last && end >= start && end <= text.length]).toEqual([text, true]);
        last = start;
      }
    }
  });
});

test('any mutation of a model opens or is refused', () => {
  const bytes = Buffer.from((read('bpe') as Answers).model, 'base64');
  for (let i = 0; i < 1500; i++) {
    const broken = Buffer.from(bytes);
    broken[(i * 7919) % broken.length] ^= 1 << (i % 8);
    const file = i % 3 === 0 ? broken.subarray(0, (i * 104729) % broken.length) : broken;
    try {
      openSentencePiece('broken.model', file).encode('ab Hello  world');
    } catch (error) {
      expect(error).toBeInstanceOf(EmbError);
    }
  }
});
