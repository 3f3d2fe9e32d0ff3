import { expect, test } from 'vitest';
import { emb } from '../support/emb.ts';

test('--explain prints a row per merge, the last of which are the tokens', () => {
  const { stdout, code } = emb(['tokenize', 'tokenization', '--explain', '-f', 'jsonl']);
  expect(code).toBe(0);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  // The ranks of gpt2's merges, as vocab.bpe numbers them after its 256 bytes.
  expect(rows.map(({ rank }) => rank)).toEqual([null, 261, 265, 268, 295, 341, 482, 528, 1634, 4233, 30001]);
  expect(rows[0]).toMatchObject({ word: 0, step: 0, left: null, pieces: [...'tokenization'] });
  expect(rows.at(-1)).toMatchObject({
    left: 't',
    right: 'oken',
    merged: 'token',
    pieces: ['token', 'ization'],
  });
  const ids = emb(['tokenize', 'tokenization', '-f', 'ids']).stdout.trim().split(' ').map(Number);
  expect(rows.at(-1).ids).toEqual(ids);
});

test('--explain says what it cannot explain', () => {
  for (const model of ['words-eval/vectors.txt', 'gguf/vocab/bert.gguf', 'gguf/vocab/byte-pairs.gguf']) {
    const { code, stderr } = emb(['tokenize', 'king', '-m', `fixtures/${model}`, '--explain']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/to explain\nhint: .*tokenizer\.json/);
  }
  expect(emb(['tokenize', '--help']).stdout.replace(/\s+/g, ' ')).toContain('Not for GGUF');
  for (const also of [['--count'], ['--truncate', '1'], ['--fit'], ['-f', 'ids']]) {
    expect(emb(['tokenize', 'a', '--explain', ...also])).toMatchObject({ code: 2 });
  }
});

test('--explain prints the pieces that a word might consist of', () => {
  const { stdout, code } = emb([
    'tokenize',
    'hello',
    '-m',
    'fixtures/tokenizers/wordpiece',
    '--explain',
    '-f',
    'jsonl',
  ]);
  expect(code).toBe(0);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rows.every(({ text, word }) => text === 'hello' && word === 0)).toBe(true);
  const chosen = rows.filter((row) => row.chosen).map(({ id }) => id);
  const ids = emb(['tokenize', 'hello', '-m', 'fixtures/tokenizers/wordpiece', '-f', 'ids', '--no-special']);
  expect(chosen).toEqual(ids.stdout.trim().split(' ').map(Number));
});

test('tables show what pieces stand for, and keep the marks of their places', () => {
  const explained = (model: string, text: string) =>
    emb(['tokenize', text, '-m', `fixtures/tokenizers/${model}`, '--explain', '-f', 'table']).stdout;
  const gpt2 = explained('gpt2', 'the h\u00e9');
  expect(gpt2).toContain('│ ␣|h|<0xC3>|<0xA9> │');
  expect(gpt2).not.toMatch(/[Ġ\u00c3]/);
  expect(explained('more/clip.json', 'hello')).toContain('o</w>');
  expect(explained('wordpiece', 'hello')).toContain('##el');
  expect(explained('more/llama2.json', 'the')).toContain('␣');
});
