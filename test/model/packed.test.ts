import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { unpackedTable } from '../../src/model/packed.ts';
import type { Config, TensorInfo } from '../../src/types.ts';
import { fixture, readJson, safetensors } from '../formats/tables.ts';

const { config, tables } = readJson<{
  config: Config;
  tables: Record<string, { shape: [number, number]; sha256: string }>;
}>(fixture('mlx/expected.json'));

async function openTable(name: string, settings: Config = config): Promise<TensorInfo> {
  const file = await openTensorFile(openFile(fixture('mlx/model.safetensors')));
  const find = async (wanted: string) => file.tensors.find((tensor) => tensor.name === wanted);
  return unpackedTable((await find(`${name}.weight`)) as TensorInfo, find, settings);
}

describe('tables that MLX quantized', () => {
  test.each(Object.entries(tables))('%s has the values that mlx gives', async (name, { shape, sha256 }) => {
    const tensor = await openTable(name);
    expect(tensor.shape).toEqual(shape);
    const table = rowsOf(tensor);
    const values = new Float32Array(table.rows * table.dim);
    for await (const { start, data } of table.scan()) values.set(data, start * table.dim);
    expect(createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex')).toBe(sha256);
    const some = new Float32Array(2 * table.dim);
    await table.gather(Uint32Array.of(2, 0), some);
    expect([...some]).toEqual([...values.subarray(2 * table.dim), ...values.subarray(0, table.dim)]);
  });

  test('another mode is refused by its name', async () => {
    await expect(openTable('mxfp4')).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('tensor "mxfp4.weight" is quantized (mxfp4: U32 with mxfp4.scales)'),
    });
  });

  test('without the config nobody knows how many bits a number has', async () => {
    await expect(openTable('float16-4', {})).rejects.toMatchObject({ code: 'unsupported' });
  });

  test('a config of another model does not fit', async () => {
    await expect(openTable('float16-4', { quantization: { group_size: 32, bits: 4 } })).rejects.toMatchObject(
      {
        code: 'corrupt',
        message: expect.stringContaining('do not fit together, expected 4 bits in groups of 32'),
      },
    );
  });
});

describe('tables that other libraries quantized', () => {
  const f32 = (name: string, start: number) => ({
    [name]: { dtype: 'F32', shape: [1], data_offsets: [start, start + 4] },
  });
  const weight = (dtype: string) => ({ 'e.weight': { dtype, shape: [4, 1], data_offsets: [0, 4] } });

  async function open(header: object): Promise<TensorInfo> {
    const file = await openTensorFile(new MemorySource('m.safetensors', safetensors(header, 8)));
    const find = async (name: string) => file.tensors.find((tensor) => tensor.name === name);
    return unpackedTable((await find('e.weight')) as TensorInfo, find, {});
  }

  test.each([
    ['e.weight.absmax', 'bitsandbytes'],
    ['e.SCB', 'bitsandbytes'],
    ['e.weight_scale', 'compressed-tensors'],
  ])('%s says that values are scaled: %s', async (name, library) => {
    await expect(open({ ...weight('I8'), ...f32(name, 4) })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining(`is quantized (${library}: I8 with ${name})`),
    });
  });

  test('whole numbers alone are whole numbers', async () => {
    const tensor = await open({ ...weight('U8'), ...f32('other.scales', 4) });
    expect(tensor.reader).toBeUndefined();
  });
});
