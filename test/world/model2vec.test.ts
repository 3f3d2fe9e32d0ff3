import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { FolderFiles } from '../../src/bytes/folder.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { readModules, staticInput } from '../../src/model/model2vec.ts';
import { hasWorld, oracle, sha256, world } from './manifest.ts';
import type { OracleTensor } from './tensors.ts';

const folder = 'MinishLab+model2vec-rs';
const answers = oracle<{ tensors: Record<string, OracleTensor> }>('oracle_safetensors.json');

async function rows(name: string): Promise<Float32Array> {
  const path = `${folder}/${name}/model.safetensors`;
  const expected = answers[path].tensors.embeddings;
  const file = await openTensorFile(openFile(join(world, path)));
  const input = staticInput(file, { model_type: 'model2vec', normalize: true });
  expect(input?.tensor.shape).toEqual(expected.shape);
  const table = rowsOf((input as NonNullable<typeof input>).tensor);
  const values = new Float32Array(table.rows * table.dim);
  for await (const { start, data } of table.scan()) values.set(data, start * table.dim);
  if (expected.dtype === 'F32')
    expect(sha256(new Uint8Array(values.buffer))).toBe(expected.sha256_c_order_le);
  await file.close();
  return values;
}

describe.skipIf(!hasWorld)('the models of model2vec-rs', () => {
  test('float16 is float32 within its precision, row by row', async () => {
    const [whole, half] = [await rows('test-model-float32'), await rows('test-model-float16')];
    expect(half.length).toBe(whole.length);
    const far = whole.findIndex(
      (value, at) => Math.abs(value - half[at]) > Math.abs(value) * 2 ** -11 + 2 ** -24,
    );
    expect(far).toBe(-1);
  });

  test('modules.json says where the table is and that means are normalized', async () => {
    const files = new FolderFiles(join(world, folder, 'test-model-float32'));
    expect(await readModules(files)).toEqual({ folder: '', module: 'StaticEmbedding', normalizes: true });
  });
});
