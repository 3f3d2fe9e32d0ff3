import { describe, expect, test } from 'vitest';
import { emb, shell } from '../support/emb.ts';

const vectors = 'fixtures/words-eval/vectors.txt';
const on = (command: string, ...args: string[]) => emb([command, '-m', vectors, ...args]);
const rowsOf = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('emb analogy', () => {
  test('takes + and - as arguments, and its own tokens are no answers unless asked for', () => {
    const { stdout, stderr, code } = on(
      'analogy',
      'king',
      '-',
      'man',
      '+',
      'woman',
      '-k',
      '2',
      '-f',
      'jsonl',
    );
    expect(code, stderr).toBe(0);
    expect(rowsOf(stdout)).toMatchObject([
      { query: 'king - man + woman', rank: 1, token: 'queen' },
      { rank: 2, token: 'aunt' },
    ]);
    expect(stderr).toContain('left out of its answer');
    const kept = on('analogy', 'king', '--keep-self', '-k', '1', '-f', 'jsonl');
    expect(rowsOf(kept.stdout)).toMatchObject([{ token: 'king', cosine: 1 }]);
    const table = on('analogy', 'king - man + woman', '-k', '1');
    expect(table.stdout).toContain('3CosAdd');
    expect(table.stdout).toContain('queen');
  });

  test('an expression that begins with - is one argument', () => {
    const first = on('analogy', '- man + king', '-k', '3', '-f', 'jsonl');
    expect(first.code, first.stderr).toBe(0);
    const last = on('analogy', 'king - man', '-k', '3', '-f', 'jsonl');
    const tokens = (stdout: string) => rowsOf(stdout).map(({ token }) => token);
    expect(tokens(first.stdout)).toEqual(tokens(last.stdout));
    expect(emb(['tokenize', '- an item', '-f', 'ids']).stdout).toBe('12 281 2378\n');
    expect(emb(['tokenize', '-an item', '-f', 'ids'])).toMatchObject({ code: 2 });
  });

  test('answers have the number of their argument where those of neighbors have it', () => {
    const keys = (command: string, ...args: string[]) =>
      rowsOf(on(command, ...args, '-f', 'jsonl').stdout).map((row) => Object.entries(row).slice(0, 2));
    expect(keys('neighbors', 'king', '-k', '1')).toEqual([
      [
        ['row', 0],
        ['query', 'king'],
      ],
    ]);
    expect(keys('analogy', 'king', '-k', '1')).toEqual([
      [
        ['row', 0],
        ['query', 'king'],
      ],
    ]);
    expect(keys('rank', 'king', 'queen')).toEqual([
      [
        ['row', 0],
        ['query', 'king'],
      ],
    ]);
    expect(keys('odd', 'king', 'queen', 'man').toSorted()).toEqual([
      [
        ['row', 0],
        ['query', 'king'],
      ],
      [
        ['row', 1],
        ['query', 'queen'],
      ],
      [
        ['row', 2],
        ['query', 'man'],
      ],
    ]);
  });

  test('--raw adds rows with their lengths, --method mul multiplies cosines', () => {
    const answers = [[], ['--raw'], ['--method', 'mul']].map(
      (more) => on('analogy', 'king - man + woman', '-k', '5', '-f', 'csv', ...more).stdout,
    );
    expect(new Set(answers).size).toBe(3);
    const ts = on('analogy', 'king - man + woman', '-k', '5', '-f', 'csv', '--kernel', 'ts');
    expect(ts.stdout).toBe(answers[0]);
  });

  test('takes a token with a leading space where only that exists, and says so', () => {
    const { stderr, code } = emb(['analogy', '-m', 'fixtures/model/gpt2-tiny', 'wor', '-', ' w', '-k', '1']);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('no token is "wor": " wor" is taken');
    expect(stderr).not.toContain('no token is " w"');
    const spaced = emb(['analogy', '--dim', '4', 'king', '-', 'queen', '-k', '1', '-f', 'csv']);
    expect(spaced.stderr).toContain('no token is "queen": " queen" is taken');
  });

  test('a token that the vocabulary lacks is no unknown token but an error', () => {
    const bert = ['analogy', '-m', 'fixtures/model/bert-tiny', 'hello', '+'];
    expect(emb([...bert, 'helo'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/no token is "helo"\nhint: did you mean "hello"/),
    });
    expect(emb([...bert, 'the'])).toMatchObject({ code: 1, stderr: expect.stringContaining('hint: ') });
    expect(emb([...bert, '[UNK]'])).toMatchObject({ code: 0 });
  });

  test('what is no expression, no token or no row is told with what to do', () => {
    const cases: [string[], number, string][] = [
      [['king', 'man'], 2, '"man" stands after "king", expected + or -'],
      [['kinf'], 1, 'did you mean "king"?'],
      [['king-man'], 1, 'put spaces around + and -'],
      [['#46'], 1, '#46 is no row of "vectors", expected at most 45'],
      [['king', '-', 'king'], 1, 'the sum of the expression is zero'],
      [['king', '--raw', '--method', 'mul'], 2, '--raw and --method mul are given'],
      [[], 2, 'the expression ends at its start'],
    ];
    for (const [args, wanted, message] of cases) {
      const { stdout, stderr, code } = on('analogy', ...args);
      expect(stderr).toContain(message);
      expect([code, stdout]).toEqual([wanted, '']);
    }
  });
});

describe('emb rank', () => {
  test('counts the rows that are nearer, in one scan for several tokens', () => {
    const { stdout, code, stderr } = on('rank', 'king', 'queen', 'king', 'Oslo', '-f', 'jsonl');
    expect(code, stderr).toBe(0);
    expect(rowsOf(stdout)).toMatchObject([
      { query: 'king', token: 'queen', rank: 1, of: 45 },
      { token: 'king', rank: 1 },
      { token: 'Oslo', rank: 39, ties: 0 },
    ]);
  });

  test('counts only what --among names', () => {
    const { stdout, code, stderr } = shell(
      `LIST=$(mktemp); printf 'girl\\naunt\\n#21\\n' > $LIST; emb rank -m ${vectors} king Oslo --among $LIST -f jsonl; rm $LIST`,
    );
    expect(code, stderr).toBe(0);
    expect(rowsOf(stdout)).toMatchObject([{ rank: 4, of: 3 }]);
    expect(on('rank', 'king').code).toBe(2);
  });
});

describe('emb odd', () => {
  test('gives the one that does not match first', () => {
    const { stdout, code, stderr } = on('odd', 'Athens', 'Rome', 'Oslo', 'smaller', '-f', 'jsonl');
    expect(code, stderr).toBe(0);
    const rows = rowsOf(stdout);
    expect(rows[0]).toMatchObject({ token: 'smaller', odd: true });
    expect(rows.slice(1).every(({ odd }) => odd === false)).toBe(true);
    expect(on('odd', 'Athens', 'Rome', 'Oslo', 'smaller').stdout).toContain('cosine with mean');
    expect(on('odd', 'Athens', 'Rome')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('2 tokens are given, expected at least 3'),
    });
  });
});
