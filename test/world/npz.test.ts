import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { dtypeNamed } from '../../src/dtypes/index.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { hasWorld, oracle, sha256, world, worldFiles } from './manifest.ts';
import { type OracleTensor, rowMajorBytes } from './tensors.ts';

const answers = oracle<Record<string, OracleTensor> | { refused: string }>('oracle_numpy.json');
const files = worldFiles().filter((path) => path.endsWith('.npz'));

describe.skipIf(!hasWorld)('every npz file of the world', () => {
  test('has an answer', () => {
    expect(files).toHaveLength(5);
    expect(files.filter((path) => !answers[path])).toEqual([]);
  });

  test.each(files)('%s', async (path) => {
    const answer = answers[path];
    const source = openFile(join(world, path));
    if ('refused' in answer) {
      await expect(openTensorFile(source)).rejects.toThrow(
        'Python objects, a pickle, which is never executed',
      );
      await source.close();
      return;
    }
    const file = await openTensorFile(source);
    expect(file.tensors.map(({ name }) => name).sort()).toEqual(Object.keys(answer).sort());
    for (const tensor of file.tensors) {
      expect(tensor.shape).toEqual(answer[tensor.name].shape);
      const bytes = await rowMajorBytes(tensor, dtypeNamed(tensor.dtype)!.blockBytes);
      expect(sha256(bytes)).toBe(answer[tensor.name].sha256_c_order_le);
    }
    await file.close();
  });
});
