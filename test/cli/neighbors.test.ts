import { describe, expect, test } from 'vitest';
import { emb, shell } from '../support/emb.ts';

const model = 'fixtures/model/gpt2-tiny';

describe('emb neighbors', () => {
  test('a row is its own nearest, and is left out of its answer with a note', () => {
    const kept = emb(['neighbors', '-m', model, '--ids', '5', '-k', '2', '--keep-self', '-f', 'json']);
    expect(kept.code, kept.stderr).toBe(0);
    expect(JSON.parse(kept.stdout)[0]).toMatchObject({ rank: 1, id: 5, cosine: 1 });
    expect(kept.stderr).not.toContain('--keep-self');
    const left = emb(['neighbors', '-m', model, '--ids', '5', '-k', '2', '-f', 'json']);
    expect(JSON.parse(left.stdout).map(({ id }: { id: number }) => id)).not.toContain(5);
    expect(left.stderr).toContain('left out of its own answer');
  });

  test('vectors in, tokens out: jsonl, npy and f32 give the same', () => {
    const answers = ['jsonl', 'npy', 'f32'].map((format) => {
      const { stdout, stderr, code } = shell(
        `emb embed -m ${model} --ids 7,9 -f ${format} | emb neighbors -m ${model} --vectors - -k 1 -f jsonl`,
      );
      expect(code, stderr).toBe(0);
      return stdout;
    });
    expect(
      answers[0]
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual([7, 9]);
    expect(new Set(answers).size).toBe(1);
  });

  test('l2 is a distance, dot is neither, both kernels give the same bytes', () => {
    for (const metric of ['cosine', 'dot', 'l2']) {
      const [simd, ts] = ['simd', 'ts'].map(
        (kernel) =>
          emb(['neighbors', '-m', model, '--ids', '3', '--metric', metric, '--kernel', kernel, '-f', 'csv'])
            .stdout,
      );
      expect(simd).toBe(ts);
      const scores = simd
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => Number(line.split(',').at(-2)));
      const sorted = [...scores].sort((a, b) => (metric === 'l2' ? a - b : b - a));
      expect(scores).toEqual(sorted);
    }
  });

  test('--among keeps to the tokens of a file, --threshold to what is near enough', () => {
    const { stdout, code, stderr } = shell(
      `LIST=$(mktemp); printf '#1\\n#2\\n\\n#3\\n' > $LIST; emb neighbors -m ${model} --ids 9 --among $LIST -f ids; rm $LIST`,
    );
    expect(code, stderr).toBe(0);
    expect(stdout.trim().split(/\s+/).map(Number).sort()).toEqual([1, 2, 3]);
    const none = emb(['neighbors', '-m', model, '--ids', '9', '--threshold', '2', '-f', 'csv']);
    expect(none.stdout.trim().split('\n').length).toBe(1);
    expect(none.code).toBe(0);
  });

  test('any number of threads gives the same bytes, also without leading components', () => {
    for (const more of [[], ['--remove-components', '2'], ['--kernel', 'ts']]) {
      const [one, three] = ['1', '3'].map((threads) =>
        emb(['neighbors', '-m', model, '--ids', '3,9', ...more, '--threads', threads, '-f', 'csv']),
      );
      expect(one.code, one.stderr).toBe(0);
      expect(three.stdout).toBe(one.stdout);
    }
  });

  test('what cannot be compared is said', () => {
    expect(emb(['neighbors', '-m', model, '--ids', '9', '--remove-components', '8'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--remove-components is 8, expected at most 7'),
    });
    expect(emb(['neighbors', '-m', model])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('nothing to compare is given'),
    });
    expect(shell(`printf '[1,2]\\n' | emb neighbors -m ${model} --vectors -`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('vectors have 2 columns, expected 8'),
    });
    expect(shell(`printf '{"a":1}\\n' | emb neighbors -m ${model} --vectors -`).stderr).toContain(
      'has no vector, expected an array of numbers',
    );
    expect(emb(['neighbors', '-m', model, '--ids', '9', '-k', '0']).code).toBe(2);
  });
});
