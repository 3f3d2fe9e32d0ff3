import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { FolderFiles } from '../../src/bytes/folder.ts';
import { MemorySource } from '../../src/bytes/memory.ts';
import { readableDType } from '../../src/dtypes/index.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import type { Files, TensorInfo } from '../../src/types.ts';
import { CountingSource, fixture, readJson } from './tables.ts';

interface Expected {
  roles?: Record<string, string | string[]>;
  tables: Record<string, { shape: number[]; values: string }>;
}

const folder = fixture('onnx');
const { files } = readJson<{ files: Record<string, Expected> }>(`${folder}/expected.json`);
const names = Object.keys(files);

const open = (name: string) => openTensorFile(openFile(`${folder}/${name}`), new FolderFiles(folder));

const bytesOf = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** 8-bit floats that no format but ONNX has are listed. */
function isReadable(dtype: string): boolean {
  try {
    readableDType(dtype);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ name: 'EmbError', code: 'unsupported' });
    return false;
  }
}

/** Float32 bytes as the maker writes them. */
function packed(values: Float32Array): string {
  const bytes = bytesOf(values);
  return bytes.length <= 64
    ? bytes.toString('base64')
    : `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function scanned(tensor: TensorInfo): Promise<Float32Array> {
  const table = rowsOf(tensor);
  const values = new Float32Array(table.rows * table.dim);
  for await (const { start, data } of table.scan()) values.set(data, start * table.dim);
  return values;
}

/** A field of bytes: tag, length, payload. */
const bytesField = (field: number, payload: Uint8Array | string) => {
  const body = Buffer.from(payload as string);
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
};
const numberField = (field: number, value: number) => Buffer.concat([varint(field * 8), varint(value)]);
function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 128 : 0));
    if (rest < 128) return Buffer.from(bytes);
  }
}
const modelOf = (...fields: Uint8Array[]) =>
  Buffer.concat([numberField(1, 8), bytesField(2, 'test'), bytesField(7, Buffer.concat(fields))]);
const tensorOf = (name: string, dims: number[], type: number, ...rest: Uint8Array[]) =>
  bytesField(
    5,
    Buffer.concat([
      ...dims.map((size) => numberField(1, size)),
      numberField(2, type),
      bytesField(8, name),
      ...rest,
    ]),
  );

describe('ONNX models', () => {
  test('every fixture has an answer', () => {
    const there = readdirSync(folder).filter((name) => /\.(onnx|pb)$/.test(name));
    expect(there.sort()).toEqual([...names].sort());
    expect(there.length).toBeGreaterThan(30);
  });

  test.each(names)('%s has the tables that onnx and onnxruntime read', async (name) => {
    const file = await open(name);
    expect(file.format).toBe('onnx');
    const expected = Object.entries(files[name].tables);
    for (const [tensor, { shape, values }] of expected) {
      const found = file.tensors.find((each) => each.name === tensor) as TensorInfo;
      expect(found, tensor).toBeDefined();
      if (/^FLOAT8/.test(tensor)) expect(found).toMatchObject({ shape, byteLength: 6 });
      if (!isReadable(found.dtype)) continue;
      const table = rowsOf(found);
      expect([table.rows, table.dim]).toEqual(shape);
      expect(packed(await scanned(found)), tensor).toBe(values);
    }
    await file.close();
  });

  test.each(names.filter((name) => files[name].roles))(
    'the graph of %s tells which tensor is what',
    async (name) => {
      const file = await open(name);
      const found: Record<string, string | string[]> = {};
      for (const { layer, tensor } of file.roles ?? []) {
        const before = found[layer];
        found[layer] = before === undefined ? tensor : [before, tensor].flat();
      }
      expect(found).toEqual(files[name].roles);
      await file.close();
    },
  );

  test('rows are gathered in any order as they are scanned', async () => {
    for (const name of [
      'i4-blocks.onnx',
      'n-bits-4-zero.onnx',
      'gpt-script.onnx',
      'u4-rows.onnx',
      'external.onnx',
    ]) {
      const file = await open(name);
      for (const { tensor } of file.roles ?? []) {
        const found = file.tensors.find((each) => each.name === tensor) as TensorInfo;
        const table = rowsOf(found);
        const ids = Uint32Array.of(table.rows - 1, 0, 2, 2, 1);
        const rows = new Float32Array(ids.length * table.dim);
        await table.gather(ids, rows);
        const all = await scanned(found);
        const wanted = [...ids].flatMap((id) => [...all.subarray(id * table.dim, (id + 1) * table.dim)]);
        expect([...rows]).toEqual(wanted);
      }
      await file.close();
    }
  });

  test('a role says which input it is looked up by, and what is dequantized', async () => {
    const file = await open('u8-after.onnx');
    expect(file.roles).toEqual([
      { layer: 'input', tensor: 'wte_quantized', reason: 'Gather looks "input_ids" up in it' },
    ]);
    expect(file.notes).toEqual(['wte_quantized: rows are dequantized, as DequantizeLinear does']);
    await file.close();
  });

  test('a head that is stored [dim, vocab] has the shape and the strides of a table', async () => {
    const file = await open('gpt-script.onnx');
    const head = file.tensors.find(({ name }) => name === 'onnx::MatMul_10');
    expect(head).toMatchObject({ shape: [11, 4], strides: [1, 11] });
    const reason = file.roles?.find(({ layer }) => layer === 'output')?.reason;
    expect(reason).toMatch(/^MatMul with it gives "[^"]+"; stored as \[4, 11\]$/);
    await file.close();
  });

  test('weights are not read to list a model, and two rows cost two rows', async () => {
    const rows = 1 << 15;
    const table = new Float32Array(rows * 32).map((_, index) => index);
    const weights = bytesField(9, new Uint8Array(table.buffer));
    const small = tensorOf('b', [2], 1, bytesField(9, new Uint8Array(8)));
    const gather = Buffer.concat([
      bytesField(1, 'w'),
      bytesField(1, 'input_ids'),
      bytesField(2, 'y'),
      bytesField(4, 'Gather'),
    ]);
    const bytes = modelOf(
      bytesField(1, gather),
      tensorOf('w', [rows, 32], 1, weights),
      small,
      bytesField(11, bytesField(1, 'input_ids')),
    );
    const source = new CountingSource(new MemorySource('m.onnx', bytes));
    const file = await openTensorFile(source);
    expect(file.roles).toMatchObject([{ layer: 'input', tensor: 'w' }]);
    expect(source.bytesRead).toBeLessThan(140_000);
    const before = source.bytesRead;
    const found = new Float32Array(64);
    await rowsOf(file.tensors[0]).gather(Uint32Array.of(rows - 1, 3), found);
    expect([found[0], found[32]]).toEqual([(rows - 1) * 32, 96]);
    expect(source.bytesRead - before).toBe(256);
  });

  test('a sparse tensor is listed and refused by its name', async () => {
    const file = await open('sparse.onnx');
    const few = file.tensors.find(({ name }) => name === 'few') as TensorInfo;
    expect(few.shape).toEqual([2, 4]);
    expect(() => rowsOf(few)).toThrow('tensor "few" is sparse, expected a dense one');
    await file.close();
  });
});

describe('weights beside an ONNX model', () => {
  const whole = readFileSync(`${folder}/external.onnx`);
  const data = readFileSync(`${folder}/external.onnx_data`);
  const beside = (opened: (name: string) => Uint8Array | undefined): Files => ({
    name: 'folder',
    list: async () => [],
    open: async (name) => {
      const bytes = opened(name);
      return bytes && new MemorySource(name, bytes);
    },
  });

  test.each<[string, Files | undefined, string, string]>([
    [
      'that are not there',
      beside(() => undefined),
      'missing',
      'its weights lie in "external.onnx_data", which is not there',
    ],
    ['of a file that came alone', undefined, 'missing', 'which is not there'],
    [
      'that are cut',
      beside(() => data.subarray(0, 50)),
      'corrupt',
      'external.onnx_data: is 50 bytes, expected at least',
    ],
  ])('%s are named when they are read', async (_, files, code, message) => {
    const file = await openTensorFile(new MemorySource('m.onnx', whole), files);
    expect(file.tensors.map(({ name }) => name)).toEqual(['wte', 'wpe']);
    await expect(scanned(file.tensors[0])).rejects.toMatchObject({
      name: 'EmbError',
      code,
      message: expect.stringContaining(message),
    });
    await file.close();
  });

  test.each(['../../../../passwd', '/xternal.onnx_data', 'C:/ernal.onnx_data', '..\\ernal.onnx_data'])(
    '%s points outside',
    async (location) => {
      const name = 'external.onnx_data';
      const bytes = Buffer.from(
        whole.toString('latin1').replaceAll(name, location.padEnd(name.length, 'x')),
        'latin1',
      );
      await expect(
        openTensorFile(
          new MemorySource('m.onnx', bytes),
          beside(() => data),
        ),
      ).rejects.toMatchObject({ code: 'corrupt', message: expect.stringContaining('points outside') });
    },
  );
});

describe('ONNX models that are refused', () => {
  test.each<[string, Uint8Array, string]>([
    [
      'too few bytes',
      modelOf(tensorOf('w', [2, 2], 1, bytesField(9, Buffer.alloc(15)))),
      'are 15 bytes, expected 16 for F32 [2, 2]',
    ],
    ['no data', modelOf(tensorOf('w', [2, 2], 1)), 'are 0 bytes, expected 16'],
    [
      'a tensor that stands twice',
      modelOf(tensorOf('w', [], 3, bytesField(9, 'x')), tensorOf('w', [], 3, bytesField(9, 'x'))),
      'tensor "w" stands twice',
    ],
    ['a shape beyond 2^53', modelOf(tensorOf('w', [2 ** 40, 2 ** 40], 1)), 'more than 2^53 - 1 bits'],
    [
      'a dtype that does not exist',
      modelOf(tensorOf('w', [2], 29, bytesField(9, 'xy'))),
      '"data_type" is 29, expected 1 to 28',
    ],
    [
      'numbers of another dtype',
      modelOf(tensorOf('w', [1], 1, bytesField(5, Buffer.of(1)))),
      'has numbers in field 5, expected 4 for F32',
    ],
    [
      'fewer numbers than the shape',
      modelOf(tensorOf('w', [2 ** 20, 2 ** 10], 6, bytesField(5, Buffer.of(1)))),
      'its numbers are 1 bytes, expected at least 1073741824',
    ],
    ['no graph', Buffer.concat([numberField(1, 8), bytesField(2, 'test')]), 'has no "graph"'],
    [
      'a payload beyond the file',
      Buffer.concat([numberField(1, 8), bytesField(2, 'test'), varint(58), varint(99)]),
      'has 99 bytes, expected at most 0',
    ],
    [
      'sixty-five dimensions',
      modelOf(tensorOf('w', Array(65).fill(1), 3, bytesField(9, 'x'))),
      'has more than 64 numbers',
    ],
  ])('%s', async (_, bytes, message) => {
    await expect(openTensorFile(new MemorySource('m.onnx', bytes))).rejects.toMatchObject({
      name: 'EmbError',
      message: expect.stringContaining(message),
    });
  });

  test('numbers that are too many or too few are said when they are read', async () => {
    for (const numbers of [Buffer.of(1, 2, 3), Buffer.of(1, 0x82, 2, 3, 4, 5)]) {
      const file = await openTensorFile(
        new MemorySource(
          'm.onnx',
          modelOf(
            tensorOf(
              'w',
              [1, numbers.length === 3 ? 3 : 4],
              6,
              bytesField(5, numbers.length === 3 ? Buffer.of(1, 0x80, 2) : numbers),
            ),
          ),
        ),
      );
      await expect(scanned(file.tensors[0])).rejects.toMatchObject({ name: 'EmbError', code: 'corrupt' });
    }
  });

  test('a TensorFlow graph (.pb) is none', async () => {
    const bytes = bytesField(1, bytesField(1, 'Placeholder'));
    await expect(openTensorFile(new MemorySource('graph.pb', bytes))).rejects.toMatchObject({
      message: 'graph.pb: begins neither an ONNX model nor a tensor, expected a version or dimensions',
    });
  });
});

describe('damaged ONNX models', () => {
  test.each([
    'dtypes.onnx',
    'external.onnx',
    'i4-blocks.onnx',
    'n-bits-4-zero.onnx',
    'gather-bytes.onnx',
    'bert-script.onnx',
    'lone.pb',
  ])('%s with changed bytes is read or refused', async (name) => {
    const whole = readFileSync(`${folder}/${name}`);
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(9), async (changes, cut) => {
        let bytes = Uint8Array.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        if (cut === 0) bytes = bytes.subarray(0, changes[0][0]);
        try {
          const file = await openTensorFile(new MemorySource(name, bytes), new FolderFiles(folder));
          for (const tensor of file.tensors) await scanned(tensor).catch(expectRefusal);
          await file.close();
        } catch (error) {
          expectRefusal(error);
        }
      }),
      { seed: 11, numRuns: 300 },
    );
  });
});

function expectRefusal(error: unknown): void {
  expect(error).toMatchObject({ name: 'EmbError', message: expect.not.stringContaining('\n') });
}
