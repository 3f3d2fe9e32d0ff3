import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { CountingSource, fixture, readJson } from './tables.ts';

const { files: expected } = readJson<{
  files: Record<string, Record<string, { shape: number[]; dtype: string; float32_sha256?: string }>>;
}>(fixture('npz/expected.json'));

describe('archives that numpy.savez wrote', () => {
  test.each(Object.keys(expected))('%s has the arrays that numpy.load gives', async (name) => {
    const file = await openTensorFile(openFile(fixture(`npz/${name}`)));
    expect(file.format).toBe('npz');
    expect(file.tensors.map((tensor) => tensor.name)).toEqual(Object.keys(expected[name]));
    for (const tensor of file.tensors) {
      const answer = expected[name][tensor.name];
      if (answer.float32_sha256 === undefined) {
        expect(() => rowsOf(tensor)).toThrow(/array holds (Python objects|text)/);
        continue;
      }
      expect(tensor.shape).toEqual(answer.shape);
      if (tensor.shape.length !== 2) continue;
      const [rows, dim] = tensor.shape;
      const values = new Float32Array(rows * dim);
      for await (const { start, data } of rowsOf(tensor).scan()) values.set(data, start * dim);
      const sum = createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex');
      expect([tensor.name, sum.slice(0, 16)]).toEqual([tensor.name, answer.float32_sha256]);
      const gathered = new Float32Array(2 * dim);
      await rowsOf(tensor).gather(Uint32Array.of(rows - 1, 0), gathered);
      expect([...gathered]).toEqual([...values.subarray((rows - 1) * dim), ...values.subarray(0, dim)]);
    }
    await file.close();
  });

  test('a row of a stored array is the only thing read of its values', async () => {
    const counting = new CountingSource(openFile(fixture('npz/stored.npz')));
    const file = await openTensorFile(counting);
    const table = file.tensors.find(({ name }) => name === 'table')!;
    const before = counting.reads.length;
    await rowsOf(table).gather(Uint32Array.of(1), new Float32Array(16));
    expect(counting.reads.slice(before).map(({ start, end }) => end - start)).toEqual([64]);
  });

  test('an archive of nothing but objects, and a damaged array', async () => {
    await expect(openTensorFile(openFile(fixture('npz/objects.zip')))).rejects.toThrow(
      'objects.zip/a.npy: array holds Python objects, a pickle, which is never executed',
    );
    const bytes = Buffer.from(readFileSync(fixture('npz/stored.npz')));
    bytes[bytes.indexOf('\x93NUMPY', 0, 'latin1')] = 0;
    await expect(openTensorFile(new MemorySource('a.npz', bytes))).rejects.toThrow(
      'a.npz/table.npy: does not begin with \\x93NUMPY',
    );
  });
});
