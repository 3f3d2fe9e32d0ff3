import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { emb, embBytes, shell } from '../support/emb.ts';

const vectors = 'fixtures/words-eval/vectors.txt';
const words = ['king', 'queen', 'Oslo'];
const { similarity: expected } = JSON.parse(readFileSync('fixtures/words-eval/expected.json', 'utf8')) as {
  similarity: number[][];
};

const rowsOf = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('emb similarity', () => {
  test("has gensim's cosines, from arguments and from stdin", () => {
    const given = emb(['similarity', '-m', vectors, ...words, '-f', 'jsonl']);
    expect(given.code, given.stderr).toBe(0);
    const rows = rowsOf(given.stdout);
    expect(rows.map(({ row, text }) => [row, text])).toEqual(words.map((word, row) => [row, word]));
    rows.forEach(({ vector }, a) => {
      expect(vector[a]).toBe(1);
      vector.forEach((value: number, b: number) => {
        expect(value).toBeCloseTo(expected[a][b], 6);
      });
    });
    const read = emb(['similarity', '-m', vectors, '-f', 'jsonl'], { input: `${words.join('\n')}\n` });
    expect(read.stdout).toBe(given.stdout);
  });

  test('of nothing is an empty matrix, in every format of text', () => {
    for (const format of ['table', 'md', 'csv', 'json', 'jsonl', 'heatmap', 'svg']) {
      for (const input of ['lines', 'ids', 'jsonl']) {
        const { code, stderr } = emb(['similarity', '-m', vectors, '--input', input, '-f', format], {
          input: '',
        });
        expect(code, `${format} of ${input}: ${stderr}`).toBe(0);
      }
    }
  });

  test('compares ids, and vectors that need no model', () => {
    const ids = shell(`emb similarity -m ${vectors} --ids 3,5,7 --metric l2 -f csv`);
    expect(ids.code, ids.stderr).toBe(0);
    expect(ids.stdout.split('\n')[0]).toBe('row,id,token,bytes,d0,d1,d2');
    const numbers = (csv: string, skip: number) =>
      csv
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(',').slice(skip));
    for (const format of ['npy', 'jsonl', 'f32']) {
      const width = format === 'f32' ? '--dim 12' : '';
      const line = `emb embed -m ${vectors} --ids 3,5,7 -f ${format} | emb similarity --vectors - ${width} --metric l2 -f csv`;
      const { stdout, code, stderr } = shell(line);
      expect(code, stderr).toBe(0);
      expect(numbers(stdout, 1)).toEqual(numbers(ids.stdout, 4));
    }
    const piped = `emb embed -m ${vectors} --ids 3,5,7 -f npy | emb similarity --input npy - --metric l2 -f csv`;
    expect(numbers(shell(piped).stdout, 1)).toEqual(numbers(ids.stdout, 4));
  });

  test('writes a square matrix as npy, of nothing too', () => {
    const header = embBytes(['similarity', '-m', vectors, ...words, '-f', 'npy']).toString('latin1');
    expect(header).toContain("'shape': (3, 3)");
    expect(embBytes(['similarity', '-m', vectors, '-f', 'npy']).toString('latin1')).toContain(
      "'shape': (0, 0)",
    );
  });

  test('names rows and columns of pictures, and shows a table', () => {
    const heat = emb(['similarity', '-m', vectors, ...words, '-f', 'heatmap']).stdout;
    const [, heading, first] = heat.split('\n');
    expect(heading.trim().split(/\s+/)).toEqual(words);
    expect(first).toMatch(/^king +1\.00 /);
    const svg = emb(['similarity', '-m', vectors, ...words, '-f', 'svg']).stdout;
    for (const word of words) expect(svg.split(`>${word}<`).length).toBe(3);
    const table = emb(['similarity', '-m', vectors, ...words]).stdout;
    expect(table).toContain('cosine');
    expect(table).toContain('0.7124');
    const hostile = shell(`printf 'a\\033[31m\\n' | emb similarity --dim 4 -f heatmap`).stdout;
    expect(hostile).not.toContain('\u001b');
  });

  test('rows without a direction are NaN, and contradicting inputs are refused', () => {
    const line = `printf '[0,0]\\n[1,2]\\n' | emb similarity --vectors - -f csv`;
    const { stdout, stderr, code } = shell(line);
    expect(code).toBe(0);
    expect(stdout).toBe('row,d0,d1\n0,nan,nan\n1,nan,1\n');
    expect(stderr).toContain('have no similarity');
    const both = emb(['similarity', '-m', vectors, '--vectors', 'x.npy']);
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('-m and vectors are given') });
    const texts = emb(['similarity', 'a', '--vectors', 'x.npy']);
    expect(texts).toMatchObject({ code: 2, stderr: expect.stringContaining('expected one of them') });
    expect(emb(['similarity', '-m', '-'], { input: '' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('both read stdin'),
    });
  });
});
