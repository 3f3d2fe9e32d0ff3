import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { emb } from '../support/emb.ts';

describe('exit codes and errors', () => {
  test.each([
    [['tokenise', 'x'], 2, 'unknown command "tokenise"', 'did you mean tokenize'],
    [['embed', 'x', '--dmi', '4'], 2, 'unknown option "--dmi"', 'did you mean --dim'],
    [['embed', 'x', '-f', 'jsnol'], 2, 'unknown format "jsnol"', 'did you mean'],
    [['params', '--vocab', '5', '--dim', '0'], 2, '--dim is 0', ''],
    [['embed', 'x', '--dim', '0'], 2, '--dim is 0, expected at least 1', ''],
    [['embed', 'x', '--vocab', '1e12'], 2, '--vocab is 1e12, expected at most 4,294,967,295', ''],
    [['embed', '--ids', '-1'], 2, '"-1" is no id', ''],
    [['embed', '--ids', '1.5'], 2, '"1.5" is no id', ''],
    [
      ['embed', '--ids', '50257'],
      1,
      'id 50257 is outside the table of 50,257 rows',
      'the highest id is 50256',
    ],
    [['embed', '--token', 'Helo'], 1, 'no token "Helo"', 'did you mean'],
    [['embed', '-m', 'nowhere.safetensors', 'x'], 1, 'nowhere.safetensors', ''],
    [['embed', 'x', '--input', 'xml'], 2, '--input is "xml"', ''],
    [['embed', 'x', '--seed', 'abc'], 2, 'abc', ''],
    [['embed', '--ids', '5', 'hello'], 2, 'texts as arguments and --ids and --token', 'leave out one'],
    [['embed', '--file', 'x.txt', 'hello'], 2, 'texts as arguments and --file', ''],
    [['embed', '--input', 'ids', 'hello'], 2, 'texts as arguments and --input ids', ''],
    [['tokenize', '-', '--file', 'x'], 2, '- and --file are given', ''],
    [['embed', '-', '--ids', '1'], 2, '- and --ids and --token', ''],
    [['embed', '--ids', '-', '--ids', '-'], 2, '--ids - is given twice', ''],
    [['tokenize', '--input', 'ids:x'], 2, '--input ids takes no field', ''],
    [['embed', '--input', 'npy'], 2, '--input npy is vectors', ''],
    [['tokenize', '--ids', '1', '--count'], 2, '--count takes texts', ''],
    [['tokenize', '--count', '--decode'], 2, '--decode and --count are given', ''],
    [['embed', '-m', '-', '--ids', '-'], 2, 'both read stdin', ''],
    [['embed', 'x', '-o', 'x.png'], 2, 'embed writes no .png', ''],
    [['embed', 'x', '--dim', '100000000'], 2, '--dim is 100000000, expected at most 16,777,216', ''],
    [['embed', 'x', '--decompose', '--pool', 'mean'], 2, '--decompose is of the rows of tokens', ''],
    [['embed', '--ids', '5-3'], 2, 'the range 5-3 runs backwards', ''],
    [['embed', '--token', '␣world'], 1, 'no token "␣world"', 'did you mean " world"?'],
    [['embed', '--model', ''], 2, '--model is empty', ''],
    [['params', '--vocab', '50,000', '--dim', '4'], 2, '--vocab is "50,000"', '50000, without commas'],
    [['help', 'nope'], 2, 'unknown command "nope"', ''],
    [['-q', 'embed', 'x'], 2, '"-q" stands before the command', 'emb embed -q'],
    [['tokenize', '-m', 'opt-175b', 'x'], 1, 'the tokenizer of this preset is not built in', ''],
    [['info', 'a', '-m', 'b'], 2, 'two models', ''],
    [['embed', '-m', 'fixtures/model/bert-tiny', '--ids', '1', '--type-id', '5'], 1, 'has 2 rows', ''],
  ])('%j exits %d', (args, code, message, hint) => {
    const run = emb(args as string[]);
    expect(run.code, run.stderr).toBe(code);
    expect(run.stdout).toBe('');
    expect(run.stderr).toContain(message);
    expect(run.stderr).toContain(hint);
    expect(run.stderr).toMatch(/^emb: [^\n]+\n(hint: [^\n]+\n)?$/);
  });

  test('help is asked for on stdout and shown on stderr with exit 2 when nothing was', () => {
    expect(emb(['--help'])).toMatchObject({ code: 0, stderr: '' });
    expect(emb(['embed', '--help']).stdout).toContain('--padding-idx');
    expect(emb([])).toMatchObject({ code: 2, stdout: '' });
  });

  test('--version agrees with package.json', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(emb(['--version']).stdout).toBe(`${version}\n`);
    expect(emb(['-V']).stdout).toBe(`${version}\n`);
  });

  test('NO_COLOR and --color decide about color', () => {
    const args = ['tokenize', 'Hello world'];
    expect(emb(args).stdout).not.toContain('\x1b');
    expect(emb([...args, '--color', 'truecolor'], { env: { NO_COLOR: '1' } }).stdout).toContain('\x1b[');
    expect(emb([...args, '--color', 'never']).stdout).not.toContain('\x1b');
  });

  test('--debug shows timing, and the stack of an error', () => {
    const { stderr } = emb(['embed', '-m', 'nowhere.npy', 'x', '--debug']);
    expect(stderr).toMatch(/at .*\n/);
    expect(stderr).toMatch(/ms, .* bytes resident/);
  });
});
