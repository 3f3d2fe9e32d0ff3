import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openSentencePiece } from '../../src/tokenizers/sentencepiece-tokenizer.ts';

interface Case {
  class: string;
  options: Record<string, unknown>;
  model: string;
  files: Record<string, Record<string, unknown>>;
  ids: number[][];
  plain: number[][];
  sha256: string;
}

const read = (name: string) =>
  JSON.parse(gunzipSync(readFileSync(join('fixtures', 'tokenizers-slow', `${name}.json.gz`))).toString());
const { texts } = read('texts') as { texts: string[] };
const { models, cases } = read('wrappers') as { models: Record<string, string>; cases: Case[] };

describe.each(cases.map((one) => [`${one.class} ${JSON.stringify(one.options)}`, one] as const))(
  '%s',
  (_, one) => {
    const open = () =>
      openSentencePiece('one.model', Buffer.from(models[one.model]!, 'base64'), {
        tokenizer: one.files['tokenizer_config.json'] ?? {},
        model: {},
        specialTokens: one.files['special_tokens_map.json'] ?? {},
        addedTokens: one.files['added_tokens.json'] ?? {},
      });
    const ids = (text: string, template = true) => {
      const sink = { ids: new Uint32Array(64), length: 0 };
      tokenizer().encodeIds(text, sink, { template });
      return [...sink.ids.subarray(0, sink.length)];
    };
    let opened: ReturnType<typeof open> | undefined;
    const tokenizer = () => {
      opened ??= open();
      return opened;
    };

    test('gives the ids of the class for every fuzzed text', () => {
      one.ids.forEach((expected, i) => {
        expect([texts[i], ids(texts[i]!)]).toEqual([texts[i], expected]);
      });
      const lines = texts.map((text) => `${ids(text).join(' ')}\n`);
      expect(createHash('sha256').update(lines.join('')).digest('hex')).toBe(one.sha256);
    });

    test('has spans in order and within the text', () => {
      for (const text of texts) {
        let last = 0;
        for (const { start, end } of tokenizer().encode(text)) {
          expect([text, start >= last && end >= start && end <= text.length]).toEqual([text, true]);
          last = start;
        }
      }
    });

    test('leaves its special tokens out where they are not asked for', () => {
      one.plain.forEach((expected, i) => {
        expect([texts[i], ids(texts[i]!, false)]).toEqual([texts[i], expected]);
      });
    });
  },
);
