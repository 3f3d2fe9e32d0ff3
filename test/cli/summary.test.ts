import { describe, expect, test } from 'vitest';
import { emb, shell } from '../support/emb.ts';

const corpus = "printf 'Hello wörld, naïve café\\nПривет, мир! 你好 😀\\n'";

describe('emb tokenize --summary', () => {
  test('counts texts, words, tokens and scripts of all input together', () => {
    const { stdout, code } = shell(`${corpus} | emb tokenize --summary -f json`);
    expect(code).toBe(0);
    const { scripts, ...counts } = JSON.parse(stdout);
    expect(counts).toMatchObject({
      tokenizer: 'gpt2',
      texts: 2,
      characters: 40,
      bytes: 59,
      words: 8,
      tokens: 27,
      distinct_tokens: 24,
      vocabulary_coverage: 24 / 50257,
      unknown_tokens: 0,
      tokens_per_word: 26 / 8,
      characters_per_token: 40 / 27,
      longest_text: 1,
      longest_text_tokens: 20,
      longest_word: 'Привет,',
      longest_word_tokens: 8,
    });
    const sum = (key: string) =>
      scripts.reduce((total: number, row: Record<string, number>) => total + row[key], 0);
    expect([sum('characters'), sum('bytes'), sum('tokens')]).toEqual([40, 59, 27]);
    expect(
      scripts.map((row: { script: string; characters: number }) => [row.script, row.characters]),
    ).toEqual([
      ['Latin', 19],
      ['Common', 10],
      ['Cyrillic', 9],
      ['Han', 2],
    ]);
  });

  test('--compare sets tokenizers side by side; nothing in is no division by zero', () => {
    const side = shell(`${corpus} | emb tokenize --summary --compare gpt2,o200k_base -f jsonl`);
    const lines = side.stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).tokens)).toEqual([27, 16]);
    const empty = shell('emb tokenize --summary -f json < /dev/null');
    expect(JSON.parse(empty.stdout)).toMatchObject({ texts: 0, tokens_per_word: null, unknown_rate: null });
  });

  test('the template’s tokens are told apart', () => {
    const { stdout } = shell('emb tokenize --summary -m fixtures/tokenizers/roberta -f json "a b"');
    expect(JSON.parse(stdout)).toMatchObject({ template_tokens: 2, words: 2 });
  });

  // How often the unknown token is among the ids that Hugging Face's tokenizers 0.23.3 gives, and how many ids without the template.
  test.each([
    ['more/words.json', 3, 4],
    ['more/t5.json', 2, 11],
    ['more/hashed.json', 2, 7],
    ['more/bert.json', 1, 7],
    ['unknown/tokenizer.json', 2, 10],
    ['wordpiece', 1, 7],
  ])('%s: unknown tokens are counted, of the tokens that stand for text', (name, unknown, tokens) => {
    const [input, model] = ['\u2603 unbel \u{1f600} x\n', `fixtures/tokenizers/${name}`];
    const { stdout } = emb(['tokenize', '--summary', '-m', model, '-f', 'json'], { input });
    expect(JSON.parse(stdout)).toMatchObject({ unknown_tokens: unknown, unknown_rate: unknown / tokens });
  });

  test.each(['bert', 't5'])('GGUF %s: its unknown tokens are said to be unknown and counted', (kind) => {
    const text = '\u2603 x \u{1f600}';
    const model = `fixtures/gguf/vocab/${kind}.gguf`;
    const rows = emb(['tokenize', text, '-m', model, '-f', 'jsonl'])
      .stdout.trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const named = rows.filter(({ token }) => /unk/i.test(token));
    expect(named).toHaveLength(2);
    for (const { stage } of named) expect(stage).toBe('unknown');
    const { stdout } = emb(['tokenize', text, '--summary', '-m', model, '-f', 'json']);
    const inText = rows.filter(({ stage }) => stage !== 'template').length;
    expect(JSON.parse(stdout)).toMatchObject({ unknown_tokens: 2, unknown_rate: 2 / inText });
  });

  test('the name of the unknown token in the text is no unknown text', () => {
    const { stdout } = emb([
      'tokenize',
      '[UNK] a',
      '--summary',
      '-m',
      'fixtures/tokenizers/wordpiece',
      '-f',
      'json',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ unknown_tokens: 0, unknown_rate: 0 });
  });

  test('goes with --compare and with nothing else', () => {
    expect(shell('emb tokenize --summary --count a')).toMatchObject({ code: 2 });
    expect(shell('emb tokenize --summary --ids 1')).toMatchObject({ code: 2 });
  });
});
