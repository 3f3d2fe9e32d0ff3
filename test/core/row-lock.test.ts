import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changedRows, hashRows, hashVocabulary, readLock, writeLock } from '../../src/core/row-lock.ts';
import { EmbError } from '../../src/errors.ts';
import { openModel } from '../../src/model/open.ts';

const text = readFileSync('fixtures/lock/gpt2-tiny.lock', 'utf8');
const lines = text.trimEnd().split('\n');
const refusal = (bad: string[]) =>
  readLock('x.lock', bad).then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a lock', () => {
  test('has the hashes of Python’s hashlib, of rows and of the vocabulary', async () => {
    const model = await openModel('fixtures/model/gpt2-tiny');
    const table = await model.table();
    const lock = await readLock('gpt2-tiny.lock', lines);
    expect(lock).toMatchObject({ rows: table.rows, dim: table.dim, tensor: table.tensorName });
    expect(await hashRows(table.scan(), table.rows, table.dim)).toEqual(new Uint8Array(lock.hashes));
    expect(hashVocabulary(await model.tokenizer())).toBe(lock.vocabulary);
    expect([...writeLock(lock)]).toEqual(lines);
    await model.close();
  });

  test('tells bits apart, not numbers', async () => {
    const hash = (...values: number[]) =>
      hashRows([{ start: 0, rows: 1, data: Float32Array.of(...values) }], 1, 2);
    expect(await hash(0, 1)).not.toEqual(await hash(-0, 1));
    expect(await hash(Number.NaN, 1)).toEqual(await hash(Number.NaN, 1));
  });

  test('names the rows that differ', () => {
    const before = new Uint8Array(40);
    const after = new Uint8Array(48);
    after[8] = 1;
    after[31] = 1;
    expect(changedRows(before, after)).toEqual([1, 3]);
    expect(changedRows(after, before)).toEqual([1, 3]);
  });

  test.each<[string, string[], string]>([
    ['empty', [], 'is no lock'],
    ['another file', ['{"a":1}'], 'line 1 is "{\\"a\\":1}", expected "emb lock 1"'],
    ['no JSON', [lines[0]!, '{'], 'line 2 is "{", expected JSON'],
    ['a count that is none', [lines[0]!, lines[1]!.replace('"rows":264', '"rows":-1')], 'line 2 is'],
    [
      'more rows than hashes',
      [lines[0]!, lines[1]!.replace('"rows":264', '"rows":4294967295'), ...lines.slice(2)],
      'ends after 2112 bytes of hashes, expected 34359738360',
    ],
    [
      'fewer rows than hashes',
      [lines[0]!, lines[1]!.replace('"rows":264', '"rows":8'), ...lines.slice(2)],
      'has more than the 8 rows',
    ],
    ['cut', lines.slice(0, -1), 'ends after 2112 bytes of hashes, expected 2112 and their sum'],
    [
      'a hash that was edited',
      [...lines.slice(0, 2), `A${lines[2]!.slice(1)}`, ...lines.slice(3)],
      '"sha256" of its hashes is',
    ],
    [
      'a line that is no base64',
      [...lines.slice(0, 2), '\u001b[31m', ...lines.slice(3)],
      'expected up to 64 characters of base64',
    ],
    ['lines after the sum', [...lines, 'x'], 'expected nothing after the sum'],
  ])('is refused: %s', async (_, bad, message) => {
    const error = await refusal(bad);
    expect(error).toBeInstanceOf(EmbError);
    expect((error as EmbError).message).toContain(message);
  });

  test('that was damaged anywhere is refused, or is the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 }), async (at, code) => {
        const bad = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        const error = await refusal(bad.trimEnd().split('\n'));
        // Names and dtype of the second line may be others; everything else is checked.
        if (error !== undefined) expect(error).toBeInstanceOf(EmbError);
        else expect(bad.split('\n').slice(2)).toEqual(text.split('\n').slice(2));
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});
