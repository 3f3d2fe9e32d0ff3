import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Tokenizer } from '../../src/types.ts';
import { openBytes } from './tokenizer-json-oracle.ts';

const open = (name: string, change: (file: Record<string, unknown>) => void = () => {}): Tokenizer => {
  const file = JSON.parse(
    readFileSync(new URL(`../../fixtures/tokenizers/${name}`, import.meta.url), 'utf8'),
  );
  change(file);
  return openBytes(Buffer.from(JSON.stringify(file)));
};
const stagesOf = (tokenizer: Tokenizer, text: string, fit = false) =>
  tokenizer.encode(text, { fit }).map((token) => `${token.text} ${token.stage}`);

test('a template, an added token and the model are told apart', () => {
  const stages = stagesOf(open('wordpiece/tokenizer.json'), 'a [MASK]');
  expect(stages[0]).toBe('[CLS] template');
  expect(stages.at(-1)).toBe('[SEP] template');
  expect(stages).toContain('[MASK] added token');
  expect(stages).toContain('a model');
});

test('the unknown token is unknown where the model gave it and added where the text spells it', () => {
  expect(stagesOf(open('wordpiece/tokenizer.json'), '\u{1f9ff} [UNK]').slice(1, -1)).toEqual([
    '[UNK] unknown',
    '[UNK] added token',
  ]);
});

test('characters in bytes fall back, and pieces do not', () => {
  const stages = stagesOf(open('more/llama2.json'), 'a\u{1f9ff}');
  expect(stages.filter((stage) => stage.endsWith('byte fallback')).map((stage) => stage.slice(0, 6))).toEqual(
    ['<0xF0>', '<0x9F>', '<0xA7>', '<0xBF>'],
  );
  expect(stages[0]).toBe('<s> template');
});

test('padding is told apart from the template and the text', () => {
  const padded = open('wordpiece/tokenizer.json', (file) => {
    file.padding = {
      strategy: { Fixed: 5 },
      direction: 'Right',
      pad_to_multiple_of: null,
      pad_id: 0,
      pad_type_id: 0,
      pad_token: '[PAD]',
    };
  });
  expect(stagesOf(padded, 'a', true)).toEqual([
    '[CLS] template',
    'a model',
    '[SEP] template',
    '[PAD] padding',
    '[PAD] padding',
  ]);
});
