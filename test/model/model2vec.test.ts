import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { FolderFiles } from '../../src/bytes/folder.ts';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { readModules, staticInput } from '../../src/model/model2vec.ts';
import type { Files } from '../../src/types.ts';
import { bitsOf, fixture, readJson, safetensors, unpack } from '../formats/tables.ts';

interface Expected {
  dtype: string;
  shape: [number, number];
  values: string;
}

const root = fixture('model2vec');
const { folders } = readJson<{ folders: Record<string, Expected> }>(`${root}/expected.json`);

const open = (folder: string) => openTensorFile(openFile(`${root}/${folder}/model.safetensors`));

const inMemory = (text: string): Files => ({
  name: 'folder',
  list: async () => ['modules.json'],
  open: async (name) => (name === 'modules.json' ? new MemorySource(name, Buffer.from(text)) : undefined),
});

describe('rows of static models', () => {
  test.each(Object.entries(folders))('%s are those that the library looks up', async (folder, expected) => {
    const file = await open(folder);
    const input = staticInput(file, {});
    const table = rowsOf((input as NonNullable<typeof input>).tensor);
    expect([table.rows, table.dim]).toEqual(expected.shape);
    expect(input?.tensor.shape).toEqual(expected.shape);
    expect(table.rounds).toBe(expected.dtype === 'float64');
    const scanned = new Float32Array(table.rows * table.dim);
    for await (const { start, data } of table.scan()) scanned.set(data, start * table.dim);
    const wanted = unpack(expected.values);
    expect(bitsOf(scanned)).toEqual(bitsOf(wanted));
    const ids = Uint32Array.of(23, 0, 5, 5);
    const some = new Float32Array(ids.length * table.dim);
    await table.gather(ids, some);
    expect([...some]).toEqual([...ids].flatMap((id) => [...wanted.subarray(id * 4, id * 4 + 4)]));
    await file.close();
  });

  test('what makes a row is said, and what normalize is for', async () => {
    const file = await open('clusters-float16');
    expect(staticInput(file, { model_type: 'model2vec', normalize: true })).toMatchObject({
      reason: 'named as in model2vec; mapping leads 24 tokens to 7 rows, weights multiply them',
      notes: ['config: normalize is for the mean of a text, rows are as they are stored'],
    });
    await file.close();
  });

  test('a plain table has no reader of its own', async () => {
    const file = await open('plain');
    const input = staticInput(file, {});
    expect(input?.tensor).toBe(file.tensors[0]);
    expect(input?.notes).toEqual([]);
    await file.close();
  });

  test('models of other kinds are none', async () => {
    const tensor = (name: string) => ({ [name]: { dtype: 'F32', shape: [1, 1], data_offsets: [0, 4] } });
    const other = await openTensorFile(new MemorySource('x', safetensors(tensor('wte.weight'), 4)));
    expect(staticInput(other, {})).toBeUndefined();
    const gpt = await openTensorFile(new MemorySource('x', safetensors(tensor('embedding.weight'), 4)));
    expect(staticInput(gpt, { model_type: 'gpt_oss' })).toBeUndefined();
  });

  test.each<[string, object, number, string]>([
    [
      'a mapping beyond the rows',
      { mapping: { dtype: 'I32', shape: [2], data_offsets: [8, 16] } },
      9,
      'mapping of token 1 is 9, expected 0 to 1',
    ],
    [
      'a mapping below 0',
      { mapping: { dtype: 'I64', shape: [1], data_offsets: [8, 16] } },
      -1,
      'mapping of token 0 is -1, expected 0 to 1',
    ],
    [
      'weights for other tokens',
      { weights: { dtype: 'F16', shape: [4], data_offsets: [8, 16] } },
      0,
      'weights has the shape [4], expected [2]',
    ],
    [
      'a mapping of floats',
      { mapping: { dtype: 'F32', shape: [2], data_offsets: [8, 16] } },
      0,
      'mapping is F32, expected whole numbers',
    ],
    [
      'a mapping of two dimensions',
      { mapping: { dtype: 'I32', shape: [2, 1], data_offsets: [8, 16] } },
      0,
      'mapping has the shape [2, 1], expected [2]',
    ],
  ])('%s is refused', async (_, part, value, message) => {
    const data = Buffer.alloc(16);
    if (value === -1) data.fill(0xff, 8);
    else data[12] = value;
    const header = { embeddings: { dtype: 'F32', shape: [2, 1], data_offsets: [0, 8] }, ...part };
    const file = await openTensorFile(new MemorySource('x', safetensors(header, data)));
    const gather = async () => {
      const table = rowsOf((staticInput(file, {}) as { tensor: (typeof file.tensors)[0] }).tensor);
      for await (const _ of table.scan());
    };
    await expect(gather()).rejects.toMatchObject({
      name: 'EmbError',
      code: 'corrupt',
      message: expect.stringContaining(message),
    });
  });

  test('damaged files are read or refused', async () => {
    const whole = readFileSync(`${root}/clusters-float64/model.safetensors`);
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        try {
          const input = staticInput(await openTensorFile(new MemorySource('m', bytes)), {});
          if (input !== undefined) for await (const _ of rowsOf(input.tensor).scan());
        } catch (error) {
          expect(error).toMatchObject({ name: 'EmbError' });
        }
      }),
      { seed: 12, numRuns: 1000 },
    );
  });
});

describe('modules of sentence-transformers', () => {
  test.each<[string, object]>([
    ['plain', { folder: '', module: 'StaticEmbedding', normalizes: true }],
    ['weights-f32', { folder: '', module: 'StaticEmbedding', normalizes: false }],
    ['sentence-static', { folder: '', module: 'StaticEmbedding', normalizes: false }],
    ['sentence-transformer', { folder: '', module: 'Transformer', normalizes: true }],
  ])('%s: the first one has the table', async (folder, expected) => {
    expect(await readModules(new FolderFiles(`${root}/${folder}`))).toEqual(expected);
  });

  test('a module may have a folder of its own', async () => {
    const list = (path: string) =>
      JSON.stringify([{ idx: 0, name: '0', path, type: 'sentence_transformers.models.StaticEmbedding' }]);
    expect(await readModules(inMemory(list('0_StaticEmbedding')))).toMatchObject({
      folder: '0_StaticEmbedding',
    });
    expect(await readModules(inMemory(list('./0_Transformer/')))).toMatchObject({ folder: '0_Transformer' });
  });

  test('a folder without them is no such model', async () => {
    expect(await readModules(new FolderFiles(fixture('model/bert-tiny')))).toBeUndefined();
  });

  test.each([
    '{}',
    '[]',
    '[1]',
    '[{"path": "a"}]',
    '[{"path": "../a", "type": "x"}]',
    '[{"path": "/etc", "type": "x"}]',
    '[{"path": "a", "type": "x"}, null]',
    'x',
  ])('%s is refused', async (text) => {
    await expect(readModules(inMemory(text))).rejects.toMatchObject({ name: 'EmbError', code: 'corrupt' });
  });
});
