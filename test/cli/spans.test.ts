import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { emb } from '../support/emb.ts';

const rows = (args: string[]) =>
  emb(['tokenize', ...args, '-f', 'jsonl'])
    .stdout.trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test('--spans bytes gives offsets into the UTF-8 of the text, through every kind of tokenizer', () => {
  const text = 'naïve 😀 [MASK] 你好';
  for (const model of [
    'cl100k_base',
    'fixtures/tokenizers/wordpiece',
    'fixtures/tokenizers/more/llama2.json',
  ]) {
    const units = rows(['-m', model, text]);
    const bytes = rows(['-m', model, text, '--spans', 'bytes']);
    const expected = units.map(({ start, end }) =>
      [start, end].map((at) => Buffer.byteLength(text.slice(0, at), 'utf8')),
    );
    expect(bytes.map(({ start, end }) => [start, end])).toEqual(expected);
    expect(Math.max(...bytes.map(({ end }) => end))).toBe(Buffer.byteLength(text));
  }
});

test('every token says its stage, tables when --stages asks', () => {
  const model = 'fixtures/tokenizers/wordpiece';
  expect(rows(['-m', model, 'a']).map(({ stage }) => stage)).toEqual(['template', 'model', 'template']);
  expect(emb(['tokenize', '-m', model, 'a']).stdout).not.toContain('template');
  expect(emb(['tokenize', '-m', model, 'a', '--stages']).stdout).toContain('template');
});

test('--fit truncates and pads as the file says, ids and rows and counts alike', () => {
  const file = JSON.parse(readFileSync('fixtures/tokenizers/wordpiece/tokenizer.json', 'utf8'));
  file.truncation = { direction: 'Right', max_length: 4, strategy: 'LongestFirst', stride: 0 };
  file.padding = {
    strategy: { Fixed: 6 },
    direction: 'Right',
    pad_to_multiple_of: null,
    pad_id: 0,
    pad_type_id: 0,
    pad_token: '[PAD]',
  };
  const run = (args: string[]) =>
    emb(['tokenize', '-m', '-', 'a a a a a', ...args], { input: JSON.stringify(file) });
  expect(run(['--fit', '--count']).stdout).toBe('6\n');
  const ids = run(['--fit', '-f', 'ids']).stdout.trim().split(' ');
  expect(ids.length).toBe(6);
  expect(ids.slice(4)).toEqual(['0', '0']);
  expect(run(['--count']).stdout).toBe('7\n');
});

test('--spans takes utf-16 and bytes', () => {
  expect(emb(['tokenize', 'a', '--spans', 'characters'])).toMatchObject({ code: 2 });
});
