import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { bitsOf, fixture, readJson, unpack } from './tables.ts';

interface Expected {
  shape: number[];
  dtype?: string;
  descr?: string;
  values?: string;
}

const { files } = readJson<{ files: Record<string, Expected> }>(fixture('formats/expected.json'));
const tables = Object.entries(files).filter(
  ([, { shape, values }]) => shape.length === 2 && values && shape[0] > 0,
);

async function open(name: string) {
  const file = await openTensorFile(openFile(fixture(`formats/${name}`)));
  return { file, tensor: file.tensors[0] };
}

describe('tables of the reference libraries', () => {
  test('every dtype, byte order and index order has a fixture', () => {
    expect(tables.length).toBeGreaterThan(55);
  });

  test.each(tables)(
    '%s is scanned to the float32 values that the reference converts to',
    async (name, expected) => {
      const { file, tensor } = await open(name);
      expect(tensor.shape).toEqual(expected.shape);
      if (expected.dtype) expect(tensor.dtype).toBe(expected.dtype);
      const table = rowsOf(tensor);
      const values = new Float32Array(table.rows * table.dim);
      let next = 0;
      for await (const { start, rows, data } of table.scan()) {
        expect(start).toBe(next);
        next += rows;
        values.set(data, start * table.dim);
      }
      expect(next).toBe(table.rows);
      expect(bitsOf(values)).toEqual(bitsOf(unpack(expected.values as string)));
      await file.close();
    },
  );

  test.each(tables)('%s gathers rows in any order, with repeats', async (name, expected) => {
    const { file, tensor } = await open(name);
    const table = rowsOf(tensor);
    const last = table.rows - 1;
    const ids = Uint32Array.of(last, 0, 1, 2, last, 0, 0, 3, 2, 1);
    const values = new Float32Array(ids.length * table.dim);
    await table.gather(ids, values);
    const all = unpack(expected.values as string);
    const wanted = new Float32Array(values.length);
    ids.forEach((id, place) => {
      wanted.set(all.subarray(id * table.dim, (id + 1) * table.dim), place * table.dim);
    });
    expect(bitsOf(values)).toEqual(bitsOf(wanted));
    await file.close();
  });

  test('metadata of a safetensors file is read', async () => {
    const { file } = await open('F32.safetensors');
    expect([...file.metadata]).toEqual([['made_by', 'fixtures/make/formats.py']]);
    await file.close();
  });

  test('dtypes of less than two bytes are listed with their sizes; of six bits and complex ones are refused by name', async () => {
    const { file } = await open('listed.safetensors');
    const sizes = Object.fromEntries(file.tensors.map(({ dtype, byteLength }) => [dtype, byteLength]));
    expect(sizes).toEqual({ F8_E4M3: 32, F8_E5M2: 32, F8_E8M0: 32, F4: 16, F6_E2M3: 24, C64: 256 });
    for (const tensor of file.tensors) {
      const opens = () => rowsOf(tensor);
      if (!['F6_E2M3', 'C64'].includes(tensor.dtype)) expect(opens).not.toThrow();
      else expect(opens).toThrow(`dtype ${tensor.dtype} is not decoded, expected one of F64 F32`);
    }
    await file.close();
  });
});

describe('npy files that are no tables', () => {
  test.each([
    ['one-dimension.npy', 'has the shape [6], expected two dimensions'],
    ['three-dimensions.npy', 'has the shape [2, 3, 4], expected two dimensions'],
    ['no-rows.npy', 'has the shape [0, 4], expected at least one row'],
    ['complex.npy', 'dtype C64 is not decoded'],
  ])('%s is listed and refused as a table', async (name, message) => {
    const { file, tensor } = await open(name);
    expect(tensor.shape).toEqual(files[name].shape);
    expect(() => rowsOf(tensor)).toThrow(message);
    await file.close();
  });

  test.each([
    ['objects.npy', 'Python objects, a pickle, which is never executed'],
    ['text.npy', 'array holds text ("<U2")'],
    ['bytes.npy', 'array holds byte strings ("|S2")'],
    ['dates.npy', 'array holds dates'],
    ['records.npy', 'array holds records of several fields'],
  ])('%s is refused: %s', async (name, message) => {
    await expect(open(name)).rejects.toMatchObject({
      name: 'EmbError',
      code: 'unsupported',
      message: expect.stringContaining(message),
    });
  });
});
