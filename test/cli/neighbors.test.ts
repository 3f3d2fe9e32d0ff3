import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { emb, shell, start } from '../support/emb.ts';
import { writeTables } from '../support/safetensors.ts';

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
    // JSON lines name what they hold; the rest is the same.
    expect(answers[0]).toContain('"query":"("');
    expect(new Set(answers.map((answer) => answer.replace(/"query":[^,]+/g, ''))).size).toBe(1);
  });

  describe('of tables that are odd', () => {
    const work = mkdtempSync(join(tmpdir(), 'emb-neighbors-'));
    afterAll(() => rmSync(work, { recursive: true, force: true }));
    const write = (rows: number[][]) => {
      const path = join(work, `${rows.length}.safetensors`);
      writeTables(path, { 'wte.weight': { rows } });
      return path;
    };

    test('--center is the mean of the finite rows, and says so', () => {
      const rows = [
        [1, 2],
        [3, 4],
        [Number.NaN, 1],
        [4, -6],
        [0, Number.NEGATIVE_INFINITY],
      ];
      const path = write(rows);
      for (const metric of ['cosine', 'dot', 'l2']) {
        const args = ['neighbors', '-m', path, '--ids', '0', '--center', '--metric', metric, '-f', 'ids'];
        const { stdout, stderr, code } = emb(args);
        // Without the mean, (8/3, 0): (-5/3, 2), (1/3, 4), (4/3, -6).
        expect([code, stdout], stderr).toEqual([0, '1 3\n']);
        expect(stderr).toContain('the mean is that of 3 of 5 rows: the others hold a NaN or an infinity');
      }
      const embedded = emb(['embed', '-m', path, '--ids', '1,3', '--center', '-f', 'csv', '-q']).stdout;
      expect(embedded).toContain(',0.33333334,4\n');
    });

    test('a query that --center leaves nothing of has no neighbors, and says so', () => {
      const path = write(Array.from({ length: 4 }, () => [1, 1]));
      const { stdout, stderr } = emb(['neighbors', '-m', path, '--ids', '1', '--center', '-f', 'ids']);
      expect(stdout.trim()).toBe('');
      expect(stderr).toContain('vector 0 (#1) is zero without what is taken out of it: it has no neighbors');
    });
  });

  test('--input jsonl:field names the key of the vectors', () => {
    const { stdout, code, stderr } = shell(
      `emb embed -m ${model} --ids 7 -f jsonl | sed s/vector/v/ | emb neighbors -m ${model} --vectors - --input jsonl:v -k 1 -f ids`,
    );
    expect([code, stdout.trim()], stderr).toEqual([0, '7']);
    const none = shell(`echo '{"vector":[1]}' | emb neighbors -m ${model} --vectors - --input jsonl:v`);
    expect(none.stderr).toContain('has no vector, expected an array of numbers as v');
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
    expect(emb(['stats', '--input', 'npy', '-'])).toMatchObject({
      code: 1,
      stderr: 'emb: input: is empty, expected a npy file\nhint: what writes it may have failed\n',
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

  test('texts are a stream: an endless writer has its first answer, one that pauses all that it asked', async () => {
    for (const command of ['neighbors', 'explain']) {
      const { stdout, code } = shell(
        `yes "hello world" | emb ${command} -m ${model} - -k 1 -q -f jsonl | head -n 1`,
      );
      expect(JSON.parse(stdout)).toMatchObject({ row: 0, query: 'hello world' });
      expect(code).toBe(0);
      const child = start([command, '-m', model, '-', '-k', '1', '-q', '-f', 'jsonl']);
      const answer = () =>
        new Promise<string>((resolve) =>
          child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())),
        );
      for (const [row, text] of ['one', 'two'].entries()) {
        child.stdin.write(`${text}\n`);
        expect(JSON.parse(await answer())).toMatchObject({ row, query: text });
      }
      child.stdin.end();
    }
  });

  test('more queries than one batch holds are answered in their order, as each alone is', () => {
    const texts = Array.from({ length: 600 }, (_, index) => String.fromCharCode(97 + (index % 26)));
    const args = ['neighbors', '-m', model, '-', '-k', '1', '-q', '-f', 'jsonl'];
    const rows = (stdout: string) =>
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    const few = rows(emb(args, { input: texts.slice(0, 26).join('\n') }).stdout);
    for (const more of [[], ['--threads', '2']]) {
      const all = rows(emb([...args, ...more], { input: texts.join('\n') }).stdout);
      expect(all).toEqual(texts.map((_, row) => ({ ...few[row % 26], row })));
    }
  });

  test('lines that are no query are passed over with their number', () => {
    const empty = emb(['neighbors', '-m', model, '-', '-k', '1', '-q', '-f', 'jsonl'], {
      input: 'a\n\nb\n',
    });
    const rows = empty.stdout.trim().split('\n');
    expect(rows.map((line) => JSON.parse(line).query)).toEqual(['a', 'b']);
    expect(empty).toMatchObject({
      code: 1,
      stderr: 'emb: input line 2 has no tokens, so it has no vector: passed over\n',
    });
    const numbers = '1,2,3,4,5,6,7,8';
    const bad = emb(['neighbors', '-m', model, '--vectors', '-', '-k', '1', '-q', '-f', 'jsonl'], {
      input: `[${numbers}]\n{oops\n[1,2]\n{"text":"named","vector":[${numbers}]}\n`,
    });
    const found = bad.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(found.map(({ row, query }) => [row, query])).toEqual([
      [0, null],
      [3, 'named'],
    ]);
    expect(bad).toMatchObject({
      code: 1,
      stderr:
        'emb: input line 2 is no valid JSON: passed over\nemb: input line 3 has a vector of 2 values, expected 8: passed over\n',
    });
    expect(emb(['neighbors', '-m', model, '-', '--strict'], { input: '\n' }).stderr).toContain(
      'input line 1',
    );
    expect(emb(['neighbors', '-m', model, '']).stderr).toContain('text 0 ("") has no tokens');
  });

  test('raw float32 that begins like JSON is none, and --input says what vectors are', () => {
    const blob = Uint8Array.of(0x7b, 0, 0, 0x3f, 0, 0, 0x80, 0x3f);
    const args = ['neighbors', '--vocab', '50', '--dim', '2', '--vectors', '-', '-k', '1', '-f', 'ids'];
    const told = emb(args, { input: blob });
    expect(told.code, told.stderr).toBe(0);
    const named = emb([...args, '--input', 'f32'], { input: blob });
    expect(named.code, named.stderr).toBe(0);
    expect(named.stdout).toBe(told.stdout);
    expect(emb([...args, '--input', 'jsonl'], { input: '[0.5,1]\n' }).code).toBe(0);
    expect(emb([...args, '--input', 'npy'], { input: blob }).code).toBe(1);
    expect(emb(args, { input: blob.subarray(0, 7) }).stderr).toContain('hint: --input npy or jsonl');
    expect(emb(args, { input: '{oops\n' }).stderr).toContain('--input f32 or npy');
    expect(emb([...args, '--input', 'ids'], { input: blob }).code).toBe(2);
  });

  test('a query without a direction is said by its name', () => {
    const { stdout, stderr, code } = emb(['neighbors', '--dim', '2', '--vectors', '-', '-f', 'jsonl'], {
      input: '{"vector":[null,1]}\n{"text":"nil","vector":[0,0]}\n',
    });
    expect([stdout, code]).toEqual(['', 0]);
    expect(stderr).toContain('note: vector 0 is zero or not finite: it has no neighbors');
    expect(stderr).toContain('note: vector 1 ("nil") is zero or not finite: it has no neighbors');
  });

  test('a query is named where its name is known', () => {
    const queries = (line: string) =>
      shell(line)
        .stdout.trim()
        .split('\n')
        .map((answer) => JSON.parse(answer).query);
    const neighbors = `emb neighbors -m ${model} -k 1 -q -f jsonl`;
    expect(queries(`${neighbors} --token a --token b`)).toEqual(['a', 'b']);
    expect(queries(`${neighbors} --ids 64,65`)).toEqual(['a', 'b']);
    expect(
      queries(`emb embed -m ${model} "the cat" -q --pool mean -f jsonl | ${neighbors} --vectors -`),
    ).toEqual(['the cat']);
    expect(queries(`emb embed -m ${model} "ab" -q -f jsonl | ${neighbors} --vectors -`)).toEqual(['a', 'b']);
  });
});
