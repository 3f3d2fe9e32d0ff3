import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import type { MetadataArray } from '../../src/types.ts';
import { allRows, bytesOf, expectedTables, openWords, wordFixture, wordsOf } from './word-fixtures.ts';

const models = Object.entries(expectedTables).filter(([, { others }]) => others !== undefined);
const firstComposed = 2 ** 31;

describe('a fastText model', () => {
  test.each(models)(
    '%s gives words out of vocabulary the vectors that fastText gives',
    async (name, { others }) => {
      const file = await openWords(name);
      const words = await wordsOf(file);
      const table = rowsOf(file.tensors[0]!);
      let next = firstComposed;
      for (const [word, vector] of Object.entries(others!)) {
        const bytes = Buffer.from(word);
        const id = words.compose!(bytes);
        // A known divergence: a word without n-grams has no vector, where fastText gives zeros.
        if (/^(00)+$/.test(vector)) {
          expect([word, id]).toEqual([word, undefined]);
          continue;
        }
        expect(id).toBe(next++);
        expect([words.compose!(bytes), table.composes!(id!), Buffer.from(words.bytesOf(id!))]).toEqual([
          id,
          true,
          bytes,
        ]);
        const out = new Float32Array(2 * table.dim);
        await table.gather(Uint32Array.of(0, id!), out);
        expect([word, bytesOf(out.subarray(table.dim)).toString('hex')]).toEqual([word, vector]);
      }
      expect(table.composes!(next)).toBe(false);
      expect(() => words.bytesOf(next)).toThrow('expected at most');
      await file.close();
    },
  );

  test.each(models)('%s shows its matrices and labels', async (name, expected) => {
    const file = await openWords(name);
    const [, input, output] = file.tensors;
    const sum = async (tensor: typeof input) =>
      createHash('sha256')
        .update(bytesOf(await allRows(tensor!)))
        .digest('hex');
    if (expected.input)
      expect([await sum(input), await sum(output)]).toEqual([expected.input, expected.output]);
    expect(file.metadata.get('quantized')).toBe(expected.input === null);
    expect(input!.dtype).toBe(expected.input === null ? 'PQ' : 'F32');
    const labels = (await (file.metadata.get('labels') as MetadataArray | undefined)?.values()) ?? [];
    expect(labels).toEqual(expected.labels);
    expect(file.roles?.map(({ layer, tensor }) => `${layer} ${tensor}`)).toEqual(
      labels.length > 0 ? ['input words'] : ['input words', 'output output'],
    );
    await file.close();
  });

  test('that is cut anywhere is refused', async () => {
    const whole = readFileSync(wordFixture('skipgram.bin'));
    for (let length = 4; length < whole.length; length += 37) {
      await expect(
        openTensorFile(new MemorySource('x.bin', whole.subarray(0, length))),
      ).rejects.toMatchObject({
        name: 'EmbError',
      });
    }
  });

  test.each([
    ['version', 4, 13, 'fastText version is 13, expected 11 or 12'],
    ['dim', 8, 6, 'input matrix has 5 columns, expected 6'],
    ['maxn', 48, 5000, '"maxn" is 5000, expected 0 to 64'],
    ['bucket', 40, 61, 'input matrix has 98 rows, expected at least 99: 38 words and 61 buckets'],
    ['size', 64, 2 ** 31 - 1, 'dictionary has 2147483647 entries'],
  ])('with a wrong %s says so', async (_, at, value, message) => {
    const bytes = Buffer.from(readFileSync(wordFixture('skipgram.bin')));
    bytes.writeInt32LE(value, at);
    await expect(openTensorFile(new MemorySource('x.bin', bytes))).rejects.toMatchObject({
      name: 'EmbError',
      message: expect.stringContaining(message),
    });
  });
});
