import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import type { TensorFile } from '../../src/types.ts';
import { allRows, bytesOf, expectedTables, openWords, wordsOf } from './word-fixtures.ts';

const tables = Object.entries(expectedTables).filter(([, { words }]) => words !== undefined);

describe('files of word vectors', () => {
  test.each(tables)('%s has the words and rows that the reference reads', async (name, expected) => {
    const file = await openWords(name);
    const [tensor] = file.tensors;
    expect(tensor!.shape).toEqual(expected.shape);
    const words = await wordsOf(file);
    const spelled = Array.from({ length: words.size }, (_, id) =>
      Buffer.from(words.bytesOf(id)).toString('hex'),
    );
    expect(spelled).toEqual(expected.words);
    for (const [index, word] of spelled.entries()) {
      expect(words.idOf(Buffer.from(word, 'hex'))).toBe(
        spelled.indexOf(word) === index ? index : spelled.indexOf(word),
      );
    }
    expect(words.idOf(Buffer.from('no such word'))).toBeUndefined();
    const rows = await allRows(tensor!);
    const dim = expected.shape![1];
    expect(bytesOf(rows.subarray(0, dim)).toString('hex')).toBe(expected.first);
    expect(bytesOf(rows.subarray(-dim)).toString('hex')).toBe(expected.last);
    expect(createHash('sha256').update(bytesOf(rows)).digest('hex')).toBe(expected.sha256);
    expect(file.notes).toEqual(expected.notes);
    const reader = rowsOf(tensor!);
    const ids = Uint32Array.from({ length: 300 }, (_, index) => (index * 7919) % reader.rows);
    const gathered = new Float32Array(ids.length * dim);
    await reader.gather(ids, gathered);
    ids.forEach((id, place) => {
      const row = rows.subarray(id * dim, (id + 1) * dim);
      expect(bytesOf(gathered.subarray(place * dim, (place + 1) * dim))).toEqual(bytesOf(row));
    });
    await file.close();
  });

  test.each(Object.entries(expectedTables).filter(([, { entries }]) => entries !== undefined))(
    '%s has a tensor for each of its tables, with words of its own',
    async (name, { entries }) => {
      const file = await openWords(name);
      expect(file.tensors.map((tensor) => tensor.name)).toEqual(entries);
      expect(file.vocabulary === undefined).toBe(entries!.length > 1);
      for (const tensor of file.tensors) {
        const words = await wordsOf(tensor);
        const rows = await allRows(tensor);
        expect([words.size, words.size * tensor.shape[1]!]).toEqual([tensor.shape[0], rows.length]);
        expect(rows[0]).toBe(1);
      }
      await file.close();
    },
  );

  test('an array in a gz file opens as what it is', async () => {
    const file = await openWords('array.npy.gz');
    expect([file.format, file.tensors[0]!.shape]).toEqual(['npy in gzip', [2, 3]]);
    expect(await allRows(file.tensors[0]!)).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5));
    await file.close();
  });
});

const open = (text: string | Uint8Array, name = 'table.vec'): Promise<TensorFile> =>
  openTensorFile(new MemorySource(name, typeof text === 'string' ? Buffer.from(text, 'latin1') : text));

describe('text that is told by its content', () => {
  test.each([
    ['a word and two numbers a line', 'a 1 2\nb 3 4\n', [2, 2]],
    ['one line without an end', 'a 1 2', [1, 2]],
    ['one number a line behind a first line', '2 1\na 1\nb 2\n', [2, 1]],
    ['words that are numbers', '0 0.5 0.25\n1 0.5 0.25\n', [2, 2]],
    ['an empty word', ' 1.5 2\nb 3 4\n', [2, 2]],
    ['a first line that is long', `a${' 0.5'.repeat(5000)}\nb${' 0.5'.repeat(5000)}\n`, [2, 5000]],
  ])('%s is a table', async (_, text, shape) => {
    expect((await open(text, 'noname')).tensors[0]!.shape).toEqual(shape);
  });

  test.each([
    ['prose', 'It was the best of times,\nit was the worst of times.\n'],
    ['JSON', '{"a": 1}\n'],
    ['merges', '#version: 0.2\nh e\nl l\n'],
    ['words and ids', 'the 1\nof 2\n'],
    ['a matrix', '1.5e+00 2.5e+00 3\n0.5 1 2\n'],
    ['an indented matrix', '  1 2 3\n  4 5 6\n'],
    ['commas', 'a,1,2\nb,3,4\n'],
    ['two numbers', '12 5\n'],
    ['other counts', 'a 1 2 3\nb 4\n'],
    ['a NUL', 'a 1 2\0\nb 3 4\n'],
  ])('%s is none', async (_, text) => {
    await expect(open(text, 'noname')).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('text that breaks off or lies', () => {
  const rows = 'b 3 4\n'.repeat(200);
  test.each([
    ['too few numbers', `a 1 2\n${rows}c 5\nd 6 7\n`, 'table.vec: line 202 has 1 value, expected 2'],
    [
      'too many numbers',
      `a 1 2\n${rows}c 5.125 6.125 7.125\n`,
      'table.vec: line 202 has 3 values, expected 2',
    ],
    ['an empty line between', `a 1 2\n\n${rows}`, 'table.vec: line 2 is empty, expected a word and numbers'],
    ['a word alone', `2 2\n${rows}c`, 'table.vec: line 202 has 0 values, expected 2'],
    ['no rows', '2 2\n', 'table.vec: first lines are no rows of a word and numbers'],
    [
      'a line of 2 MiB',
      `a 1 2\nb ${'1'.repeat(1 << 21)} 2\n`,
      'table.vec: line 2 is longer than 1048576 bytes',
    ],
  ])('with %s names the line', async (_, text, message) => {
    await expect(open(text)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(message),
    });
  });

  test('with no number in a row that is read names line and field', async () => {
    const file = await open(`1 2\na 1 2\n${rows}c x 3\n`);
    const reader = rowsOf(file.tensors[0]!);
    await reader.gather(Uint32Array.of(0), new Float32Array(2));
    const message = 'table.vec: line 203 has the value "x", expected a number';
    await expect(reader.gather(Uint32Array.of(201), new Float32Array(2))).rejects.toMatchObject({ message });
    await expect(allRows(file.tensors[0]!)).rejects.toMatchObject({ message });
  });

  test('a million spaces before the end of a line take no time', async () => {
    const start = Date.now();
    await open(`a 1 2\nb 3 4${' '.repeat(1_000_000)}x\n`).catch(() => {});
    await open(`a 1 2${' '.repeat(1_000_000)}\nb 3 4\n`);
    expect(Date.now() - start).toBeLessThan(20_000);
  });
});

describe('binary word2vec', () => {
  const row = (word: string, ...values: number[]) =>
    Buffer.concat([Buffer.from(`${word} `), Buffer.from(Float32Array.from(values).buffer)]);

  test('that is shorter than its first line says is refused, whatever is cut', async () => {
    const whole = Buffer.concat([Buffer.from('3 2\n'), row('a', 1, 2), row('bcd', 3, 4), row('e', 5, 6)]);
    expect((await open(whole)).tensors[0]!.shape).toEqual([3, 2]);
    for (let length = 4; length < whole.length; length++) {
      await expect(open(whole.subarray(0, length), 'x.bin')).rejects.toMatchObject({ name: 'EmbError' });
    }
  });

  test('that is cut says how many bytes are missing', async () => {
    const whole = Buffer.concat([Buffer.from('3 2\n'), row('a', 1e-40, 2), row('b', 3, 4), row('c', 5, 6)]);
    await expect(open(whole.subarray(0, 20), 'x.bin')).rejects.toThrow(
      'x.bin: is 20 bytes, expected at least 31 for 3 rows of 2 values',
    );
  });

  test('says what follows the last row', async () => {
    const file = await open(
      Buffer.concat([Buffer.from('1 2\n'), row('a', 1e-40, 2), Buffer.from('junk')]),
      'x.bin',
    );
    expect(file.notes).toEqual(['4 bytes follow the last row']);
  });

  test('with words longer than its rows is read row by row', async () => {
    const word = 'w'.repeat(50_000);
    const file = await open(
      Buffer.concat([Buffer.from('3 1\n'), row('c', 1e-40), row(word, 2), row(`${word}2`, 3)]),
      'x.bin',
    );
    expect(await allRows(file.tensors[0]!)).toEqual(Float32Array.of(1e-40, 2, 3));
    expect((await wordsOf(file)).idOf(Buffer.from(`${word}2`))).toBe(2);
  });
});
