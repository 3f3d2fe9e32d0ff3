import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { emb, embBytes, has, shell } from '../support/emb.ts';

const vectors = 'fixtures/words-eval/vectors.txt';

describe('what comes in', () => {
  test('help names what --input takes, command by command', () => {
    const inputOf = (name: string) =>
      /--input <kind>[\s\S]*?(?=\n {2}-)/.exec(emb([name, '--help']).stdout)![0].replace(/\s+/g, ' ');
    expect(inputOf('embed')).toContain('lines, jsonl[:field], ids (default lines)');
    expect(inputOf('tokenize')).toContain('lines, jsonl[:field], ids (default lines)');
    expect(inputOf('similarity')).toContain('lines, jsonl[:field], ids, npy, f32 (default lines)');
  });

  test.each([
    [['tokenize', '--ids', '-', '--input', 'npy']],
    [['embed', '--ids', '1', '--input', 'jsonl']],
    [['embed', '--token', 'a', '--input', 'f32']],
  ])('%j is refused: ids are lines of ids', (args) => {
    const run = emb(args, { input: embBytes(['embed', 'x', '--dim', '2', '-f', 'npy']) });
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain(`--ids and --token take ids, and --input is ${args.at(-1)}`);
  });

  test('similarity reads vectors from stdin when it is given nothing else', () => {
    const npy = embBytes(['embed', '-m', vectors, '--ids', '3,5,7', '-f', 'npy']);
    const asked = emb(['similarity', '--input', 'npy', '-', '-f', 'csv'], { input: npy });
    expect(asked.code, asked.stderr).toBe(0);
    expect(emb(['similarity', '--input', 'npy', '-f', 'csv'], { input: npy }).stdout).toBe(asked.stdout);
    const f32 = embBytes(['embed', '-m', vectors, '--ids', '3,5,7', '-f', 'f32']);
    const dim = String(f32.length / 4 / 3);
    const raw = emb(['similarity', '--input', 'f32', '--dim', dim, '-f', 'csv'], { input: f32 });
    expect(raw.stdout, raw.stderr).toBe(asked.stdout);
    const stats = emb(['stats', '--input', 'npy'], { input: npy });
    expect(stats.stderr).toContain('--input npy needs something to read');
  });

  test('vocab takes --id as --ids', () => {
    const run = emb(['vocab', 'gpt2', '--id', '15496', '--ids', '995', '-f', 'ids']);
    expect(run.stdout.trim().split(/\s+/), run.stderr).toEqual(['15496', '995']);
  });

  test('counts take k, M and B wherever rows are counted', () => {
    const layer = emb(['params', '--vocab', '50k', '--dim', '768', '-f', 'jsonl']);
    expect(layer.stdout, layer.stderr).toContain('38400000');
    const rows = emb(['embed', '--ids', '49999', '--vocab', '50k', '--dim', '2', '-f', 'torch']);
    expect(rows.code, rows.stderr).toBe(0);
  });
});

describe('errors name what was meant', () => {
  const model = 'fixtures/model/bert-tiny';
  test.each([
    [
      ['embed', '-m', model, '--tensor', 'word_embeddings.weigth', '--ids', '1'],
      'did you mean bert.embeddings.word_embeddings.weight',
    ],
    [['embed', 'x', '--dtype', 'f16'], 'did you mean float16?'],
    [['embed', 'x', '--dtype', 'bf16'], 'did you mean bfloat16?'],
    [['tokenize', '-m', 'gpt4', 'x'], 'did you mean gpt-4, gpt2'],
    [['params', 'gpt-4'], 'emb tokenize -m gpt-4'],
    [['params', 'gpt-4'], 'gpt-4: its sizes are not published'],
    [['params', '--budget', 'x', '--vocab', '5'], '--budget is "x", expected a whole number, as 5000 or 50k'],
    [['tokenize', '--decode', '--ids', '99999'], 'id 99999 is outside the vocabulary of 50,257 ids'],
    [['embed', 'x', '--seed', 'abc'], '--seed is "abc"'],
    [['embed', 'x', '--padding-idx', '99999'], '--padding-idx is 99999'],
    [['embed', 'x', '-o', '/tmp/x.npyy'], 'did you mean .npy?'],
    [['tokenize', 'x', '-o', '/tmp/x.npy'], 'tokenize writes no .npy'],
  ])('%j', (args, message) => {
    const run = emb(args);
    expect(run.code).not.toBe(0);
    expect(run.stderr).toContain(message);
    expect(run.stderr).toMatch(/^emb: [^\n]+\n(hint: [^\n]+\n)?$/);
  });

  test('formats are listed once', () => {
    expect(emb(['tokenize', 'x', '-f', 'npy']).stderr.match(/jsonl/g)).toHaveLength(1);
  });
});

describe('what goes out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'emb-usage-'));
  const write = (name: string, ...options: string[]) => {
    const run = emb(['embed', 'x', '--dim', '2', '-o', join(folder, name), ...options]);
    expect(run.code, run.stderr).toBe(0);
    return { ...run, text: readFileSync(join(folder, name), 'utf8') };
  };

  test('the ending chooses torch and numpy, .txt a table, and an unknown one is said', () => {
    expect(write('a.torch').text).toContain('tensor(');
    expect(write('a.numpy').text).toMatch(/^\[\[/);
    expect(write('a.txt')).toMatchObject({ stderr: '', text: expect.stringContaining('┌') });
    expect(write('a.v2').stderr).toContain('note: .v2 names no format');
    expect(write('a.v2', '-q').stderr).toBe('');
    expect(write('a.v2', '-f', 'csv').stderr).not.toContain('names no format');
  });

  test('the parts of a row fit into 80 columns', () => {
    const model = 'fixtures/model/bert-tiny';
    const { stdout } = emb(['embed', '-m', model, 'hello', '--decompose', '--position', '--type']);
    const lines = stdout.split('\n').filter((line) => line.startsWith('│'));
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('-o - is stdout', () => {
    const run = emb(['embed', 'x', '--dim', '2', '-o', '-'], { cwd: folder });
    expect(run.stdout).toContain('┌');
    expect(existsSync(join(folder, '-'))).toBe(false);
  });

  test('diff is complete for programs, and cut for people', () => {
    const [before, after] = ['0', '1'].map((seed) => join(folder, `${seed}.npy`));
    for (const seed of ['0', '1'])
      emb([
        'embed',
        '--ids',
        '0-99',
        '--vocab',
        '100',
        '--dim',
        '2',
        '--seed',
        seed,
        '-o',
        join(folder, `${seed}.npy`),
      ]);
    const lines = (...options: string[]) =>
      emb(['diff', before!, after!, '--by', 'id', ...options])
        .stdout.trim()
        .split('\n').length;
    for (const quant of [[], ['--quant']]) {
      expect(lines(...quant, '-f', 'jsonl')).toBe(100);
      expect(lines(...quant, '-f', 'csv')).toBe(101);
      expect(lines(...quant, '-f', 'jsonl', '--top', '7')).toBe(7);
      expect(lines(...quant)).toBeLessThan(30);
      expect(lines(...quant, '--full')).toBeGreaterThan(100);
    }
  });
});

describe('help', () => {
  test.each(['diff', 'vocab', 'audit', 'embed', 'stats'])('the text of %s fills its 80 columns', (name) => {
    const text = emb([name, '--help']).stdout.split('\nOptions:')[0]!.split('\n').slice(2);
    expect(text.length).toBeGreaterThan(2);
    text.forEach((line, index) => {
      expect(line.length).toBeLessThanOrEqual(80);
      const next = text[index + 1];
      const goesOn = next !== undefined && next !== '' && !next.startsWith(' ') && !/(^\s|[.:]$)/.test(line);
      if (goesOn) expect(line.length + 1 + next.split(' ')[0]!.length, line).toBeGreaterThan(80);
    });
  });
});

describe.skipIf(!has('script'))('on a terminal, long work', () => {
  const corpus = join(mkdtempSync(join(tmpdir(), 'emb-progress-')), 'corpus.txt');
  writeFileSync(
    corpus,
    Array.from({ length: 40_000 }, (_, i) => `The ${i} foxes and ${i * 7} dogs\n`).join(''),
  );
  const shown = (line: string) =>
    shell(`SHELL=/bin/sh emb="${process.execPath} bin/emb.js" script -qec '${line}' /dev/null`).stdout;
  /** The second half comes when any machine has been at it for long. */
  const halves = `(head -n 20000 ${corpus}; sleep 1.2; tail -n 20000 ${corpus})`;

  test('counts the texts that were read, on stderr beside a file or before a summary', () => {
    expect(shown(`${halves} | $emb tokenize --summary`)).toMatch(/\r\x1b\[K[\d,]+ texts\r/);
    expect(shown(`${halves} | $emb tokenize -f jsonl --threads 1 > /dev/null`)).toMatch(
      /\r\x1b\[K[\d,]+ texts\r/,
    );
    const quiet = shown(`${halves} | $emb tokenize -q --summary`);
    expect(quiet).toContain('40,000');
    expect(quiet).not.toContain('texts\r');
  });

  test('is silent where the answers go to the terminal themselves', () => {
    const ids = shown(`${halves} | $emb tokenize --threads 1 -f ids`);
    expect(ids.split('\n').length).toBeGreaterThan(40_000);
    expect(ids).not.toContain(' texts\r');
  });

  test('shows the share of the rows of --ids all', () => {
    expect(shown('$emb embed --ids all -f f32 | (sleep 1; cat > /dev/null)')).toContain('% of 50,257 rows');
  });
});
