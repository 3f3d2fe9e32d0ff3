import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { emb } from '../support/emb.ts';
import { writeTables } from '../support/safetensors.ts';

const before = 'fixtures/model/gpt2-tiny';
const after = 'fixtures/diff/after';
const expected = JSON.parse(readFileSync('fixtures/diff/expected.json', 'utf8')) as {
  changed: [number, number, number | null, number | null, number | null, number | null][];
  moved: [number, number][];
  removed: number[];
  added: number[];
};

interface Row {
  change: string;
  token: string;
  id_before: number | null;
  id_after: number | null;
  cosine: number | null;
  relative_l2: number | null;
  norm_before: number | null;
  norm_after: number | null;
}

const rowsOf = (args: string[]): Row[] =>
  emb(['diff', ...args, '-q', '-f', 'jsonl'])
    .stdout.split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('emb diff', () => {
  const rows = rowsOf([before, after]);
  const named = (change: string) => rows.filter((row) => row.change === change);

  test('finds the rows that changed, with NumPy’s numbers, the most changed first', () => {
    const found = named('changed');
    const byId = [...found].sort((a, b) => a.id_before! - b.id_before!);
    expect(byId.map((row) => [row.id_before, row.id_after])).toEqual(
      expected.changed.map((row) => row.slice(0, 2)),
    );
    byId.forEach((row, i) => {
      const numbers = [row.cosine, row.relative_l2, row.norm_before, row.norm_after];
      expected.changed[i]!.slice(2).forEach((value, at) => {
        if (value === null) expect([i, at, numbers[at]]).toEqual([i, at, null]);
        else expect(numbers[at]).toBeCloseTo(value, 6);
      });
    });
    const distances = found.map((row) => row.relative_l2 ?? Number.POSITIVE_INFINITY);
    expect(distances).toEqual([...distances].sort((a, b) => b - a));
  });

  test('finds tokens that moved, came and went, by their bytes', () => {
    expect(named('moved').map((row) => [row.id_before, row.id_after])).toEqual(
      expected.moved.toSorted((a, b) => a[1] - b[1]),
    );
    expect(named('removed').map((row) => row.id_before)).toEqual(expected.removed);
    expect(named('added').map((row) => row.id_after)).toEqual(expected.added);
  });

  test('compares rows by number where it is asked to, and says what it counts', () => {
    const byId = rowsOf([before, after, '--by', 'id', '--all']);
    expect(byId.filter((row) => row.change === 'added').map((row) => row.id_after)).toEqual([264, 265]);
    expect(byId.some((row) => row.change === 'changed' && row.id_before === 40 && row.id_after === 40)).toBe(
      true,
    );
    expect(byId.some((row) => row.change === 'moved')).toBe(false);
    const { stdout, stderr } = emb(['diff', before, after, '--top', '1']);
    expect(stdout).toContain(`${expected.changed.length} changed, 2 moved, 1 removed, 3 added`);
    expect(stderr).toContain('4 of ');
  });

  test('exits with 3 where it is asked to and something differs', () => {
    expect(emb(['diff', before, after, '-q']).code).toBe(0);
    expect(emb(['diff', before, after, '-q', '--exit-code']).code).toBe(3);
    const same = emb(['diff', before, `${before}/model.safetensors`, '-q', '--exit-code', '-f', 'jsonl']);
    expect([same.code, same.stdout]).toEqual([0, '']);
  });

  test('refuses other widths and other numbers of models', () => {
    expect(emb(['diff', before, 'fixtures/formats/f4-le-C.npy']).stderr).toMatch(
      /has 8 columns, "array" of .* 5/,
    );
    expect(emb(['diff', before]).stderr).toContain('diff takes two models, not 1');
    expect(emb(['diff', before, after, before]).code).toBe(2);
    expect(emb(['diff', before, 'missing.safetensors']).code).toBe(1);
    expect(emb(['diff', before, 'fixtures/formats/f4-le-C.npy', '--by', 'token']).code).toBe(1);
  });

  test('--quant tells what every row lost and whose neighbors are other ones', () => {
    const quant = rowsOf([before, after, '--quant']) as unknown as (Row & {
      snr: number | null;
      flipped: boolean;
    })[];
    expect(quant.map((row) => row.id_before)).toEqual(named('changed').map((row) => row.id_before));
    for (const { relative_l2, snr } of quant) {
      if (relative_l2 !== null) expect(snr).toBeCloseTo(-20 * Math.log10(relative_l2), 9);
    }
    const { stdout } = emb(['diff', before, after, '--quant', '--summary', '-q', '-f', 'json']);
    const summary = JSON.parse(stdout);
    expect(summary).toMatchObject({ changed: expected.changed.length, dtype_before: 'F32' });
    expect(summary.neighbors_flipped).toBeLessThanOrEqual(summary.neighbors_looked_at);
    const same = JSON.parse(emb(['diff', before, before, '--quant', '--summary', '-q', '-f', 'json']).stdout);
    expect(same).toMatchObject({ changed: 0, snr: null, neighbors_flipped: 0 });
    expect(emb(['diff', before, after, '--summary']).code).toBe(2);
    expect(emb(['diff', before, after, '--threads', '2']).stderr).toContain(
      '--threads is given without --quant',
    );
  });

  describe('--quant of tables that are more than quantized', () => {
    const work = mkdtempSync(join(tmpdir(), 'emb-quant-'));
    afterAll(() => rmSync(work, { recursive: true, force: true }));
    const rows = Array.from({ length: 12 }, (_, row) => [1 + row, 2, -row]);
    const write = (name: string, changed: (readonly number[])[]) => {
      const path = join(work, `${name}.safetensors`);
      writeTables(path, { 'wte.weight': { rows: changed } });
      return path;
    };
    const whole = write('whole', rows);
    const quantOf = (other: string) => {
      const args = ['diff', whole, other, '--quant', '--exit-code'];
      const { stdout, code } = emb([...args, '--summary', '-f', 'json', '-q']);
      return { summary: JSON.parse(stdout), code, caption: emb(args).stdout.split('\n')[0] };
    };

    test('values that are not finite are no gain', () => {
      const nan = quantOf(
        write(
          'nan',
          rows.map((row) => row.map(() => Number.NaN)),
        ),
      );
      expect(nan.summary).toMatchObject({ rows: 12, changed: 12, not_finite: 12, snr: null });
      expect(nan.summary).toMatchObject({ relative_l2_mean: null, relative_l2_worst: null });
      expect(nan.caption).toContain(
        '12 of 12 rows changed, no row of finite values to compare, 12 not finite',
      );
      const infinity = quantOf(write('infinity', [[Number.POSITIVE_INFINITY, 2, 0], ...rows.slice(1)]));
      expect(infinity.summary).toMatchObject({ rows: 12, changed: 1, not_finite: 1, relative_l2_worst: 0 });
      expect(infinity.caption).toContain('nothing lost in finite rows, relative L2 0.00 on average');
      expect([nan.code, infinity.code]).toEqual([3, 3]);
      const zeros = write('zeros', [[0, 0, 0], ...rows.slice(1)]);
      const from = ['diff', zeros, write('half', [[1, 1, 1], [3, 3, -1.5], ...rows.slice(2)]), '--quant'];
      // Row 1 is one and a half of what it was: of the eleven rows with a relative distance.
      const { relative_l2_mean: mean } = JSON.parse(emb([...from, '--summary', '-f', 'json', '-q']).stdout);
      expect(mean).toBeCloseTo(0.5 / 11, 12);
      expect(emb(from).stdout).toContain(', 1 from all zeros');
    });

    test('rows that only one of them has are a difference', () => {
      const shorter = quantOf(write('shorter', rows.slice(2)));
      expect(shorter.summary).toMatchObject({ rows: 10, removed: 2, added: 0 });
      const longer = quantOf(write('longer', [...rows, [1, 1, 1]]));
      expect(longer.summary).toMatchObject({ rows: 12, changed: 0, removed: 0, added: 1 });
      expect(longer.caption).toContain('0 of 12 rows changed, nothing lost');
      expect(longer.caption).toContain('1 added');
      expect([shorter.code, longer.code, quantOf(whole).code]).toEqual([3, 3, 0]);
    });
  });

  test('any kernel and number of threads gives the same bytes', () => {
    for (const words of [[], ['--quant']]) {
      const printed = (more: readonly string[]) =>
        emb(['diff', before, after, '-q', '-f', 'jsonl', ...words, ...more]).stdout;
      const plain = printed(['--kernel', 'ts']);
      expect(plain.split('\n').length).toBeGreaterThan(expected.changed.length);
      expect(printed([])).toBe(plain);
      if (words.length > 0) expect(printed(['--threads', '3'])).toBe(plain);
    }
  });
});
