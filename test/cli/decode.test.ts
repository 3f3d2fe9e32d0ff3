import { expect, test } from 'vitest';
import { emb } from '../support/emb.ts';

const decode = (input: string, ...args: string[]) =>
  emb(['tokenize', '--decode', '--input', 'jsonl', ...args], { input });

test('--decode --input jsonl takes the tokens and the lists of ids that tokenize writes', () => {
  const texts = ['Hello world', 'na\u00efve \u5cf6'];
  const tokens = emb(['tokenize', ...texts, '-f', 'jsonl']).stdout;
  expect(decode(tokens)).toMatchObject({ code: 0, stdout: `${texts.join('\n')}\n` });
  const lists = texts.map((text) => emb(['tokenize', text, '--compare', 'gpt2', '-f', 'jsonl']).stdout);
  expect(decode(lists.join(''))).toMatchObject({ code: 0, stdout: `${texts.join('\n')}\n` });
  expect(decode('[15496, 995]\n{"tokens": [0]}\n')).toMatchObject({
    code: 1,
    stdout: 'Hello world\n',
    stderr: expect.stringContaining('input line 2 has no list "ids" of ids below 50257'),
  });
  expect(decode('{"tokens": [15496]}\n', '--input', 'jsonl:tokens').stdout).toBe('Hello\n');
});

test('--decode --input jsonl passes over what is no id of the vocabulary', () => {
  for (const line of ['{"ids": [50257]}', '{"ids": [-1]}', '{"row": 0, "index": 0, "id": 50257}', '7', 'x']) {
    expect(decode(`${line}\n`)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('line 1'),
    });
  }
});

test('--decode --no-special leaves special tokens out', () => {
  const bert = ['-m', 'fixtures/model/bert-tiny'];
  const tokens = emb(['tokenize', 'hello world', '-f', 'jsonl', ...bert]).stdout;
  expect(decode(tokens, ...bert).stdout).toBe('[CLS] hello world [SEP]\n');
  expect(decode(tokens, ...bert, '--no-special').stdout).toBe('hello world\n');
  expect(emb(['tokenize', '--decode', '--no-special', '--ids', '2,5,6,3', ...bert]).stdout).toBe(
    'hello world\n',
  );
});
