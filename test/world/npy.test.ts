import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { dtypeNamed } from '../../src/dtypes/index.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { hasWorld, oracle, sha256, world, worldFiles } from './manifest.ts';
import { asFloat32, decoded, type OracleTensor, rowMajorBytes } from './tensors.ts';

type OracleArray = OracleTensor & { refused?: string };

const answers = oracle<OracleArray>('oracle_numpy.json');
const files = worldFiles().filter((path) => path.endsWith('.npy'));
/** Bytes other than 0 and 1 in a bool array: NumPy takes them for True, emb refuses to give them a value. */
const badBool = 'jturner314+ndarray-npy/example_bool_bad_value.npy';

describe.skipIf(!hasWorld)('every npy file of the world', () => {
  test('has an answer', () => {
    expect(files.length).toBeGreaterThan(90);
    expect(files.filter((path) => !answers[path])).toEqual([]);
  });

  test.each(files)('%s', async (path) => {
    const answer = answers[path];
    const source = openFile(join(world, path));
    if (answer.refused !== undefined) {
      await expect(openTensorFile(source)).rejects.toMatchObject({ name: 'EmbError' });
      await source.close();
      return;
    }
    const file = await openTensorFile(source);
    const [tensor] = file.tensors;
    expect(tensor.shape).toEqual(answer.shape);
    const bytes = await rowMajorBytes(tensor, dtypeNamed(tensor.dtype)?.blockBytes ?? 1);
    if (path !== badBool) expect(sha256(bytes)).toBe(answer.sha256_c_order_le);
    if (path === badBool) {
      await expect(decoded(bytes, tensor.dtype)).rejects.toThrow('expected 0 or 1');
    } else if (tensor.dtype.startsWith('C')) {
      if (tensor.shape.length === 2) expect(() => rowsOf(tensor)).toThrow('is not decoded');
    } else {
      const values = await decoded(bytes, tensor.dtype);
      expect([...values.subarray(0, answer.first.length)]).toEqual(answer.first.map(asFloat32));
      expect([...values.subarray(values.length - answer.last.length)]).toEqual(answer.last.map(asFloat32));
      if (tensor.shape.length === 2) {
        const scanned = new Float32Array(values.length);
        for await (const { start, data } of rowsOf(tensor).scan()) scanned.set(data, start * tensor.shape[1]);
        expect(scanned).toEqual(values);
      }
    }
    await file.close();
  });
});
