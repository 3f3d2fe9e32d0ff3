import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { allRows, wordsOf } from './word-fixtures.ts';

const dim = 16;
const suffix = '_'.repeat(80);

/** More than is kept in memory when it is decompressed: 60,000 rows, 9 MB. */
function rowsOfText(count = 60_000): { text: string; values: Float32Array } {
  const values = new Float32Array(count * dim);
  const lines: string[] = [];
  let seed = 5;
  for (let row = 0; row < count; row++) {
    let line = `w${row}`;
    for (let column = 0; column < dim; column++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const number = ((seed / 2 ** 32) * 2 - 1).toFixed(6);
      values[row * dim + column] = Number(number);
      line += ` ${number}`;
    }
    lines.push(line);
  }
  return { text: `${lines.join('\n')}\n`, values };
}

const open = (bytes: Uint8Array, name = 'x.gz') => openTensorFile(new MemorySource(name, bytes));

describe('content that is too large to keep', () => {
  const { text, values } = rowsOfText();

  test.each([
    ['text', Buffer.from(text), ''],
    ['word2vec', word2vecOf(values, suffix), suffix],
  ])('is read as a stream, once for each pass: %s', async (_, content, ending) => {
    expect(content.length).toBeGreaterThan(1 << 23);
    const file = await open(gzipSync(content, { level: 1 }));
    const [tensor] = file.tensors;
    expect(tensor!.shape).toEqual([60_000, dim]);
    const words = await wordsOf(file);
    expect(words.idOf(Buffer.from(`w59999${ending}`))).toBe(59_999);
    expect((await allRows(tensor!)).every((value, index) => value === values[index])).toBe(true);
    const ids = Uint32Array.of(59_999, 3, 40_000, 3, 0);
    const out = new Float32Array(ids.length * dim);
    await rowsOf(tensor!).gather(ids, out);
    expect(out).toEqual(
      Float32Array.from([...ids].flatMap((id) => [...values.subarray(id * dim, (id + 1) * dim)])),
    );
    await file.close();
  });

  test('is left in the middle without trouble', async () => {
    const file = await open(gzipSync(text, { level: 1 }));
    for await (const { rows } of rowsOf(file.tensors[0]!).scan()) {
      expect(rows).toBeGreaterThan(0);
      break;
    }
    await file.close();
  });
});

function word2vecOf(values: Float32Array, ending: string): Buffer {
  const copies = values.length / dim;
  const parts: Buffer[] = [Buffer.from(`${copies} ${dim}\n`)];
  for (let row = 0; row < copies; row++) {
    parts.push(
      Buffer.from(`w${row}${ending} `),
      Buffer.from(values.slice(row * dim, (row + 1) * dim).buffer),
    );
  }
  return Buffer.concat(parts);
}

describe('what is no table once it is decompressed', () => {
  test('is refused', async () => {
    await expect(open(gzipSync(gzipSync('a 1 2\n')))).rejects.toMatchObject({
      message: 'x.gz: is compressed twice, expected once',
    });
    await expect(open(gzipSync(''))).rejects.toMatchObject({ code: 'corrupt' });
    await expect(open(gzipSync('Hello world, hello\n'))).rejects.toMatchObject({ code: 'unsupported' });
  });
});
