import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { emb, embBytes } from '../support/emb.ts';

/** A file, in which no folder can be made. */
const env = { TMPDIR: resolve('package.json') };
const form = ['--dim', '5', '-q', '-f', 'npy'];

describe('arrays of rows that are all named on the command line', () => {
  const texts = ['a b', '', 'c d e'];
  test.each([
    ['texts', []],
    ['pooled', ['--pool', 'mean']],
    ['padded', ['--pad']],
    ['pooled and padded', ['--pool', 'max', '--pad']],
    ['cut', ['--truncate', '2']],
    ['float16', ['--dtype', 'float16']],
    ['projected', ['--project', '3']],
  ])(
    '%s: the bytes of the same rows that are counted as they come, without a temporary file',
    (_, options) => {
      const given = embBytes(['embed', ...texts, ...options, ...form], '', env);
      expect(given.length).toBeGreaterThan(128);
      expect(given).toEqual(embBytes(['embed', ...options, ...form], texts.join('\n')));
    },
  );

  test('ids and tokens', () => {
    const ids = embBytes(['embed', '--ids', '1,2', '--ids', '5-9', ...form], '', env);
    expect(ids).toEqual(embBytes(['embed', '--ids', '-', ...form], '1,2\n5-9\n'));
    const tokens = embBytes(['embed', '--token', 'a', '--token', ' b', ...form], '', env);
    expect(tokens).toEqual(embBytes(['embed', '--ids', '64,275', ...form]));
  });

  test('rows that are read are counted first, which takes a temporary file', () => {
    const { code, stderr } = emb(['embed', '--ids', '-', ...form], { input: '1\n', env });
    expect(code).toBe(1);
    expect(stderr).toContain(`temporary folder ${env.TMPDIR}`);
  });
});
