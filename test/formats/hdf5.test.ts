import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { readableDType } from '../../src/dtypes/index.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import type { TensorInfo } from '../../src/types.ts';
import { CountingSource, fixture, readJson } from './tables.ts';

interface Answer {
  shape: number[];
  chunked?: boolean;
  float32_sha256: string;
}

const { files: expected } = readJson<{ files: Record<string, Record<string, Answer>> }>(
  fixture('hdf5/expected.json'),
);
const bytesOf = (name: string) => gunzipSync(readFileSync(fixture(`hdf5/${name}.gz`)));
const open = (name: string, bytes: Uint8Array = bytesOf(name)) =>
  openTensorFile(new MemorySource(name, bytes));
const refused = 'indexed.h5';

async function valuesOf({ shape, dtype, bigEndian, source, offset, byteLength }: TensorInfo) {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  readableDType(dtype, bigEndian).decode(
    Uint8Array.from(await source.read(offset, offset + byteLength)),
    values,
  );
  return values;
}

describe('files that h5py and Keras wrote', () => {
  test.each(Object.keys(expected).filter((name) => name !== refused))(
    '%s has the datasets that h5py reads',
    async (name) => {
      const file = await open(name);
      expect(file.format).toBe('hdf5');
      expect(file.name).toBe(name);
      const answers = expected[name];
      expect(file.tensors.map((tensor) => tensor.name).sort()).toEqual(Object.keys(answers).sort());
      for (const tensor of file.tensors) {
        const answer = answers[tensor.name];
        expect(tensor.shape).toEqual(answer.shape);
        if (tensor.reader !== undefined) {
          expect(answer.chunked === true || tensor.name === 'unwritten').toBe(true);
          expect(() => rowsOf(tensor)).toThrow(/is stored in chunks|was never written/);
          continue;
        }
        const sum = createHash('sha256').update(new Uint8Array((await valuesOf(tensor)).buffer));
        expect([tensor.name, sum.digest('hex').slice(0, 16)]).toEqual([tensor.name, answer.float32_sha256]);
      }
      await file.close();
    },
  );

  test('datasets of no numbers are noted', async () => {
    const { notes } = await open('earliest.h5');
    expect(notes).toEqual([
      'dataset "names" holds no numbers and is not listed',
      'dataset "text" holds no numbers and is not listed',
    ]);
  });

  test('a group whose links are indexed is refused with what to do', async () => {
    await expect(open(refused)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('keeps its links in an index'),
      hint: expect.stringContaining('h5repack'),
    });
  });

  test('opening reads where objects are, and a row its bytes', async () => {
    const counting = new CountingSource(new MemorySource('a.h5', bytesOf('model.weights.h5')));
    const file = await openTensorFile(counting);
    const table = file.tensors.find(({ shape }) => shape[0] === 11)!;
    const before = counting.reads.length;
    await rowsOf(table).gather(Uint32Array.of(10), new Float32Array(4));
    expect(counting.reads.slice(before).map(({ start, end }) => end - start)).toEqual([16]);
  });
});

describe('HDF5 that is refused', () => {
  test('cut files', async () => {
    const whole = bytesOf('model.weights.h5');
    for (let part = 1; part < 16; part++) {
      const cut = whole.subarray(0, Math.floor((whole.length * part) / 16));
      await expect(open('x.h5', cut)).rejects.toMatchObject({ name: 'EmbError', code: 'corrupt' });
    }
    await expect(open('x.h5', Buffer.from('no HDF5'))).rejects.toThrow(
      /does not begin with|expected at most 7/,
    );
  });

  test.each(Object.keys(expected).filter((name) => name !== 'model.keras'))(
    '%s, damaged, is read or refused',
    async (name) => {
      const whole = bytesOf(name);
      const used = [...whole.keys()].filter((at) => whole[at] !== 0);
      const change = fc.tuple(
        fc.oneof(fc.constantFrom(...used), fc.nat(whole.length - 1)),
        fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 255)),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
          const bytes = Uint8Array.from(whole);
          for (const [at, byte] of changes) bytes[at] = byte;
          try {
            const { tensors } = await open(name, bytes);
            for (const tensor of tensors.filter(({ shape }) => shape.length === 2 && !shape.includes(0))) {
              const table = rowsOf(tensor);
              await table.gather(Uint32Array.of(table.rows - 1), new Float32Array(table.dim));
            }
          } catch (error) {
            expect(error).toMatchObject({ name: 'EmbError', message: expect.not.stringContaining('\n') });
          }
        }),
        { seed: 8, numRuns: 400 },
      );
    },
  );
});
