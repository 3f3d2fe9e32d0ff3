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

test('--explain shows scores where pieces merge by them, and what has no token as its text', () => {
  const args = ['tokenize', 'the hat', '-m', 'fixtures/gguf/vocab/llama.gguf', '--explain'];
  const { stdout, code } = emb([...args, '-f', 'jsonl']);
  expect(code).toBe(0);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(new Set(rows.map(({ word }) => word))).toEqual(new Set([0, 1]));
  expect(rows.every(({ rank }) => rank === null)).toBe(true);
  const ends = rows.filter(({ word }, i) => rows[i + 1]?.word !== word).flatMap(({ ids }) => ids);
  const ids = emb([...args.slice(0, 4), '-f', 'ids', '--no-special'])
    .stdout.trim()
    .split(' ')
    .map(Number);
  expect(ends).toEqual(ids);
  const table = emb([...args, '-f', 'table']).stdout;
  expect(table).toContain('score');
  expect(table).not.toContain('rank');
});

test('--explain says in a line what is looked up where there are no steps', () => {
  const args = ['tokenize', 'king queen', '--explain', '-m'];
  const words = emb([...args, 'fixtures/words-eval/vectors.txt', '-f', 'table']);
  expect(words.code).toBe(0);
  expect(words.stdout).toContain('each word is looked up as a whole: there are no steps');
  const level = emb([...args, 'fixtures/tokenizers/more/words.json', '-f', 'table']);
  expect(level.stdout).toContain('each word is looked up as a whole: there are no steps');
  const long = emb([
    'tokenize',
    '--explain',
    'a'.repeat(10_000),
    '-m',
    'fixtures/tokenizers/more/words.json',
  ]);
  expect([long.code, long.stdout]).toEqual([0, expect.stringContaining('there are no steps')]);
  expect(emb([...args, 'fixtures/tokenizers/wordpiece', '-f', 'table']).stdout).not.toContain('no steps');
});

test('--explain goes with no other mode', () => {
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
