import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { emb, shell } from '../support/emb.ts';

interface Settings {
  case_insensitive?: boolean;
  dummy4unknown?: boolean;
  restrict_vocab?: number;
}
interface Expected {
  analogies: { settings: Settings; score: number; sections: [string, number, number][] }[];
  pairs: { settings: Settings; pearson: number[]; spearman: number[]; oov: number }[];
}

const folder = 'fixtures/words-eval';
const expected = JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')) as Expected;

const on = (file: string, ...args: string[]) =>
  emb(['eval', '-m', `${folder}/vectors.txt`, `${folder}/${file}`, ...args]);

const optionsOf = ({ case_insensitive, dummy4unknown, restrict_vocab }: Settings) => [
  ...(case_insensitive === false ? ['--case-sensitive'] : []),
  ...(dummy4unknown ? ['--dummy4unknown'] : []),
  ...(restrict_vocab === undefined ? [] : ['--restrict-vocab', String(restrict_vocab)]),
];

const rowsOf = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('emb eval', () => {
  test.each(expected.analogies)(
    "analogies come to gensim's numbers with $settings",
    ({ settings, score, sections }) => {
      for (const kernel of ['simd', 'ts']) {
        const args = [...optionsOf(settings), '--kernel', kernel, '-f', 'jsonl'];
        const { stdout, stderr, code } = on('analogies.txt', ...args);
        expect(code, stderr).toBe(0);
        expect(stderr).toContain('1 line is no question');
        const rows = rowsOf(stdout);
        expect(rows.map(({ section, correct, total }) => [section, correct, total])).toEqual(
          sections.map(([name, correct, total]) => [
            name === 'Total accuracy' ? 'total' : name,
            correct,
            total,
          ]),
        );
        expect(rows[rows.length - 1].accuracy).toBeCloseTo(score, 12);
      }
    },
  );

  test('a section without a question that counts has no accuracy, and what is left out is counted', () => {
    const rows = rowsOf(on('analogies.txt', '-f', 'jsonl').stdout);
    expect(rows.find(({ section }) => section === 'nothing')).toMatchObject({ accuracy: null, oov: 1 });
    expect(rows[rows.length - 1]).toMatchObject({ section: 'total', oov: 2 });
    const table = on('analogies.txt').stdout;
    expect(table).toContain('capital-common');
    expect(table).toContain('88.2%');
  });

  test.each(expected.pairs)(
    "pairs come to gensim's numbers with $settings",
    ({ settings, pearson, spearman, oov }) => {
      for (const file of ['pairs.tsv', 'pairs.csv', 'pairs.txt']) {
        const { stdout, stderr, code } = on(file, ...optionsOf(settings), '-f', 'jsonl');
        expect(code, stderr).toBe(0);
        const [row] = rowsOf(stdout);
        expect(row.oov_share * 100).toBeCloseTo(oov, 12);
        // gensim's cosines are float32.
        expect(row.pearson).toBeCloseTo(pearson[0], 6);
        expect(row.spearman).toBeCloseTo(spearman[0], 12);
        expect(row.pearson_p / pearson[1]).toBeCloseTo(1, 4);
        expect(row.spearman_p / spearman[1]).toBeCloseTo(1, 9);
      }
    },
  );

  test('the cosine with a row of zeros is 0, as gensim has it', () => {
    const vectors = '6 2\\na 1 0\\nb 1 1\\nc 0 2\\nd -1 3\\nz 0 0\\ne 2 -1\\n';
    const pairs = 'a\\tb\\t9\\na\\tc\\t5\\nb\\td\\t6\\na\\tz\\t4\\nd\\te\\t1\\n';
    const { stdout, stderr, code } = shell(
      `FILE=$(mktemp --suffix=.txt); printf '${vectors}' > $FILE; printf '${pairs}' | emb eval -m $FILE - -f jsonl; rm $FILE`,
    );
    expect(code, stderr).toBe(0);
    const [row] = rowsOf(stdout);
    expect(row).toMatchObject({ pairs: 5, oov: 0 });
    // evaluate_word_pairs of gensim 4.4.0
    expect(row.pearson).toBeCloseTo(0.971965605197434, 6);
    expect(row.spearman).toBeCloseTo(0.9746794344808964, 12);
  });

  test('pairs are one record in a table too, and - reads stdin', () => {
    const { stdout, code } = shell(`cat ${folder}/pairs.tsv | emb eval -m ${folder}/vectors.txt -`);
    expect(code).toBe(0);
    expect(stdout).toContain('spearman p');
    expect(stdout).toContain('0.82');
  });

  test('pieces with a leading space are words of a vocabulary of pieces', () => {
    const { stdout, code, stderr } = shell(
      `printf ': one\\nking queen man woman\\nKing queen man xyzzyq\\n' | emb eval --dim 4 - -f jsonl`,
    );
    expect(code, stderr).toBe(0);
    expect(rowsOf(stdout)[0]).toMatchObject({ section: 'one', total: 1, oov: 1 });
  });

  test('what is no test set, or has no word of the vocabulary, is told', () => {
    const input = (text: string) => shell(`printf '${text}' | emb eval -m ${folder}/vectors.txt -`);
    expect(input('king queen\\n')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('-: no line is a question or a pair'),
    });
    expect(input('')).toMatchObject({ code: 1, stderr: expect.stringContaining('no line is') });
    expect(input('nobody nowhere 3\\n')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('0 of 1 pairs are in the vocabulary'),
    });
    expect(emb(['eval', '-m', `${folder}/vectors.txt`])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('0 files are given, expected one'),
    });
    expect(emb(['eval', '-m', `${folder}/vectors.txt`, 'absent.txt']).code).toBe(1);
  });
});
