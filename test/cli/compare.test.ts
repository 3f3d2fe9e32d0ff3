import { expect, test } from 'vitest';
import { emb } from '../support/emb.ts';

const text = 'Hello wörld Привет 你好 😀';
const rowsOf = (args: string[]) =>
  emb(['tokenize', text, ...args, '-f', 'jsonl'])
    .stdout.trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test('--compare --by-script counts tokens, characters and bytes of each script for each tokenizer', () => {
  const rows = rowsOf(['--compare', 'gpt2,o200k_base', '--by-script']);
  const totals = rowsOf(['--compare', 'gpt2,o200k_base']);
  for (const { tokenizer, tokens } of totals) {
    const own = rows.filter((row) => row.tokenizer === tokenizer);
    const sum = (key: string) => own.reduce((total, row) => total + row[key], 0);
    expect([sum('tokens'), sum('characters'), sum('bytes')]).toEqual([
      tokens,
      [...text].length,
      Buffer.byteLength(text),
    ]);
    expect(own.map(({ script }) => script)).toEqual(['Latin', 'Cyrillic', 'Common', 'Han']);
    for (const row of own) {
      expect(row.characters_per_token).toBe(row.tokens === 0 ? null : row.characters / row.tokens);
      expect(row.bytes_per_token).toBe(row.tokens === 0 ? null : row.bytes / row.tokens);
    }
  }
  // " Привет" is " П" in two halves and five letters to gpt2, and " Пр" and "ивет" to o200k_base.
  const cyrillic = rows.filter(({ script }) => script === 'Cyrillic');
  expect(cyrillic.map(({ tokens }) => tokens)).toEqual([7, 2]);
});

test('--by-script asks for --compare', () => {
  expect(emb(['tokenize', 'a', '--by-script'])).toMatchObject({ code: 2 });
  expect(emb(['tokenize', 'a', '--by-script', '--compare', 'gpt2', '--summary'])).toMatchObject({ code: 2 });
});

test('tokens stand side by side, halves of characters and leading spaces to be seen, and are lists for machines', () => {
  const args = ['tokenize', 'a \u5cf6', '--compare', 'gpt2'];
  const table = emb([...args, '-f', 'table']).stdout;
  // \u5cf6 is e5 b3 b6: a space and its first byte, then two bytes.
  expect(table).toContain('a|␣<0xE5>|<0xB3>|<0xB6>');
  const [row] = JSON.parse(emb([...args, '-f', 'json']).stdout);
  expect(row.segmentation).toEqual(['a', ' <0xE5>', '<0xB3>', '<0xB6>']);
  const plain = emb(['tokenize', 'a b', '--compare', 'gpt2', '-f', 'text']).stdout;
  expect(plain).toBe('a| b\n');
});
