import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { emb } from '../support/emb.ts';
import { openOracle, theirAnswer } from '../tokenizers/tokenizer-json-oracle.ts';

const folder = mkdtempSync(join(tmpdir(), 'emb-truncate-'));
afterAll(() => rmSync(folder, { recursive: true }));

const texts = ['the cat sat on the mats', 'hello', 'a b c', '', 'unaffable and 12,345 others'];
const bert = 'fixtures/tokenizers/more/bert.json';
const linesOf = (model: string, ...args: string[]) =>
  emb(['tokenize', '-m', model, '-f', 'ids', ...args], { input: `${texts.join('\n')}\n` });

/** Two tokens before a text and one after it. */
function lopsided(): string {
  const file = JSON.parse(readFileSync(bert, 'utf8'));
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  file.post_processor = {
    type: 'TemplateProcessing',
    single: [special('[CLS]'), special('[SEP]'), { Sequence: { id: 'A', type_id: 0 } }, special('[SEP]')],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: Object.fromEntries(
      ['[CLS]', '[SEP]'].map((id) => [id, { id, ids: [file.model.vocab[id]], tokens: [id] }]),
    ),
  };
  const path = join(folder, 'tokenizer.json');
  writeFileSync(path, JSON.stringify(file));
  return path;
}

test.each([
  ['[CLS] text [SEP]', () => bert, 2],
  ['[CLS] [SEP] text [SEP]', lopsided, 3],
])('--truncate keeps the template as the truncation of Hugging Face does: %s', async (_, pathOf, least) => {
  const path = pathOf();
  const file = JSON.parse(readFileSync(path, 'utf8'));
  for (const limit of [least, least + 1, 5, 9, 100]) {
    file.truncation = { max_length: limit, strategy: 'LongestFirst', stride: 0, direction: 'Right' };
    const oracle = openOracle(file);
    const wanted = [];
    for (const text of texts) wanted.push((await theirAnswer(oracle, text))[0].join(' '));
    const { stdout, code } = linesOf(path, '--truncate', String(limit));
    expect([limit, code, stdout.split('\n').slice(0, -1)]).toEqual([limit, 0, wanted]);
    const rows = linesOf(path, '--truncate', String(limit), '-f', 'jsonl').stdout.trim().split('\n');
    const ids = rows.map((row) => JSON.parse(row)).filter(({ row }) => row === 0);
    expect(ids.map(({ id }) => id).join(' ')).toBe(wanted[0]);
  }
});

test('--truncate cuts plainly where there is no template, and wants room for one', () => {
  const plain = linesOf('gpt2', '--truncate', '2').stdout.split('\n');
  const whole = linesOf('gpt2').stdout.split('\n');
  expect(plain).toEqual(whole.map((line) => line.split(' ').slice(0, 2).join(' ')));
  const bare = linesOf(bert, '--truncate', '2', '--no-special').stdout.split('\n');
  const all = linesOf(bert, '--no-special').stdout.split('\n');
  expect(bare).toEqual(all.map((line) => line.split(' ').slice(0, 2).join(' ')));
  const { code, stderr } = linesOf(bert, '--truncate', '1');
  expect(code).toBe(2);
  expect(stderr).not.toContain('cut to');
  expect(stderr).toMatch(
    /--truncate is 1, expected at least 2: .*bert\.json puts so many tokens around each text/,
  );
});
