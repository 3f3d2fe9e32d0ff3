import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { emb, shell } from '../support/emb.ts';
import { writeTables } from '../support/safetensors.ts';

const work = mkdtempSync(join(tmpdir(), 'emb-lock-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const model = 'fixtures/model/gpt2-tiny';
const lock = 'fixtures/lock/gpt2-tiny.lock';

/** A copy of the model's table with some values changed, as npy. */
function changed(edit: (values: Float32Array) => Float32Array): string {
  const { stdout } = shell(`emb embed -m ${model} --ids all -q -f npy | base64 -w0`);
  const bytes = Buffer.from(stdout, 'base64');
  const start = 10 + bytes.readUInt16LE(8);
  const values = new Float32Array(new Uint8Array(bytes.subarray(start)).buffer);
  const edited = edit(values);
  const head = bytes
    .subarray(0, start)
    .toString('latin1')
    .replace('(264, 8)', `(${edited.length / 8}, 8)`);
  const path = join(work, 'edited.npy');
  writeFileSync(
    path,
    Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(edited.buffer, 0, edited.byteLength)]),
  );
  return path;
}

describe('emb lock and emb verify', () => {
  test('a lock is what hashlib makes, and verifies the model and the same values in another format', () => {
    expect(emb(['lock', model, '-q']).stdout).toBe(readFileSync(lock, 'utf8'));
    const same = emb(['verify', lock, model]);
    expect([same.code, same.stdout.split('\n')[0]]).toEqual([
      0,
      `${model} · transformer.wte.weight: 0 of 264 rows changed`,
    ]);
    expect(emb(['verify', lock, changed((values) => values), '-q']).code).toBe(0);
    expect(shell(`emb lock ${model} -q | emb verify - ${model} -q; echo $?`).stdout.trim()).toMatch(/0$/);
  });

  test('the hashes of the lock can be had as rows', () => {
    const hashes = readFileSync(lock, 'utf8')
      .split('\n')
      .slice(2, -2)
      .map((line) => Buffer.from(line, 'base64').toString('hex'))
      .join('')
      .match(/.{16}/g)!;
    const rows = emb(['lock', model, '-q', '-f', 'jsonl'])
      .stdout.trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ id, hash }) => [id, hash])).toEqual(hashes.map((hash, id) => [id, hash]));
    expect(rows[0]).toMatchObject({ token: '!', bytes: '21' });
    expect(emb(['lock', model, '-q']).stdout).toMatch(/^emb lock 1\n/);
    expect(emb(['lock', model, '-q', '-f', 'table']).stdout.split('\n')[4]).toMatch(
      /│\s+0 │ !\s+│ [0-9a-f]{16}/,
    );
  });

  test('rows that changed are named, and the exit code is 3', () => {
    const path = changed((values) => {
      values[8 * 7 + 3] += 1;
      values[8 * 263] = -values[8 * 263];
      return values;
    });
    const { code, stdout, stderr } = emb(['verify', lock, path, '--tokenizer', model, '-f', 'jsonl']);
    expect(code).toBe(3);
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ change, id }) => [change, id])).toEqual([
      ['changed', 7],
      ['changed', 263],
    ]);
    expect(rows[0].token).toBe(JSON.parse(shell(`emb vocab ${model} --ids 7 -f jsonl`).stdout).token);
    expect(stderr).toContain('2 of 264 rows changed');
    expect(emb(['verify', lock, path, '-q', '-f', 'ids']).stdout).toBe('7 263\n');
  });

  test('rows at the end are added or removed', () => {
    const shorter = emb(['verify', lock, changed((values) => values.slice(0, 8 * 262)), '-f', 'csv', '-q']);
    expect([shorter.code, shorter.stdout]).toEqual([3, 'change,id\nremoved,262\nremoved,263\n']);
    const longer = changed((values) => Float32Array.of(...values, ...new Float32Array(8)));
    expect(emb(['verify', lock, longer, '-f', 'csv', '-q']).stdout).toBe('change,id\nadded,264\n');
  });

  test('another vocabulary is named though no row has changed', () => {
    const shifted = join(work, 'shifted');
    cpSync(model, shifted, { recursive: true });
    const path = join(shifted, 'tokenizer.json');
    const file = JSON.parse(readFileSync(path, 'utf8'));
    const [first, second] = Object.keys(file.model.vocab);
    [file.model.vocab[first], file.model.vocab[second]] = [file.model.vocab[second], file.model.vocab[first]];
    writeFileSync(path, JSON.stringify(file));
    const found = emb(['verify', lock, shifted, '-f', 'jsonl']);
    expect(found.code).toBe(3);
    expect(JSON.parse(found.stdout)).toEqual({ change: 'vocabulary', id: null, token: null, bytes: null });
    expect(found.stderr).toContain('0 of 264 rows changed, another vocabulary');
    expect(emb(['verify', lock, shifted, '-q', '-f', 'ids'])).toMatchObject({ code: 3, stdout: '' });
    expect(emb(['verify', lock, shifted, '-q']).stdout).toMatch(/│ vocabulary │\s+- │ -\s+│/);
  });

  test('a lock of a named tensor is held against that tensor, one of a role against the role', () => {
    const path = join(work, 'two.safetensors');
    const rows = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    writeTables(path, { 'wte.weight': { rows }, 'lm_head.weight': { rows: rows.toReversed() } });
    const lockOf = (args: string[]) => {
      const file = join(work, 'two.lock');
      writeFileSync(file, emb(['lock', path, '-q', ...args]).stdout);
      return file;
    };
    const verify = (args: string[]) => emb(['verify', lockOf(args), path]);
    expect(verify(['--tensor', 'lm_head.weight'])).toMatchObject({ code: 0 });
    expect(verify(['--tensor', 'lm_head.weight']).stdout).toContain('lm_head.weight: 0 of 3 rows changed');
    expect(verify(['--layer', 'output'])).toMatchObject({ code: 0 });
    const head = lockOf(['--tensor', 'lm_head.weight']);
    expect(emb(['verify', head, path, '--tensor', 'wte.weight', '-q', '-f', 'ids']).stdout).toBe('0 2\n');
    expect(emb(['verify', head, path, '--layer', 'input', '-q', '-f', 'ids']).stdout).toBe('0 2\n');
  });

  test('a lock of a role that there is not is none', () => {
    const odd = join(work, 'odd.lock');
    writeFileSync(odd, readFileSync(lock, 'utf8').replace('"layer":"input"', '"layer":"foo"'));
    const { code, stderr } = emb(['verify', odd, model]);
    expect([code, stderr.split('\n')[0]]).toEqual([1, expect.stringContaining('odd.lock: line 2 is ')]);
  });

  test('a vocabulary that cannot be compared is said', () => {
    const { code, stderr } = emb(['verify', lock, changed((values) => values)]);
    expect(code).toBe(0);
    expect(stderr).toContain('the lock has a vocabulary and the model none: only rows are compared');
  });

  test('another width, another file and no lock are said', () => {
    expect(emb(['verify', lock, 'fixtures/formats/f4-le-C.npy']).stderr).toMatch(
      /has \d+ columns, the lock of "transformer.wte.weight" 8/,
    );
    expect(emb(['verify', 'README.md', model]).stderr).toContain(
      'README.md: line 1 is "# emb", expected "emb lock 1"',
    );
    expect(emb(['verify', 'missing.lock', model]).stderr).toContain('missing.lock: no such file');
    expect(emb(['verify']).code).toBe(2);
    expect(emb(['lock']).stderr).toContain('lock needs a model');
  });
});
