import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { dtypeNamed } from '../../src/dtypes/index.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { hasWorld, oracle, sha256, world, worldFiles } from './manifest.ts';
import { asFloat32, decoded, type OracleTensor, rowMajorBytes } from './tensors.ts';

interface OracleFile {
  refused?: string;
  metadata?: Record<string, string> | null;
  tensors?: Record<string, OracleTensor>;
}

const answers = oracle<OracleFile>('oracle_safetensors.json');
const files = worldFiles().filter((path) => path.endsWith('.safetensors'));
const listedOnly = /^(F6_|C)/;

describe.skipIf(!hasWorld)('every safetensors file of the world', () => {
  test('has an answer', () => {
    expect(files.length).toBeGreaterThan(25);
    expect(files.filter((path) => !answers[path])).toEqual([]);
  });

  test.each(files)('%s', async (path) => {
    const answer = answers[path];
    const source = openFile(join(world, path));
    if (answer.refused !== undefined) {
      await expect(openTensorFile(source)).rejects.toMatchObject({ name: 'EmbError', code: 'corrupt' });
      await source.close();
      return;
    }
    const file = await openTensorFile(source);
    expect(file.format).toBe('safetensors');
    expect(Object.fromEntries(file.metadata)).toEqual(answer.metadata ?? {});
    expect(file.tensors.map(({ name }) => name).sort()).toEqual(Object.keys(answer.tensors ?? {}).sort());
    for (const tensor of file.tensors) {
      const expected = answer.tensors?.[tensor.name] as OracleTensor;
      expect(tensor.shape).toEqual(expected.shape);
      const bytes = await rowMajorBytes(tensor, dtypeNamed(tensor.dtype)?.blockBytes ?? 1);
      if (listedOnly.test(tensor.dtype)) {
        if (tensor.shape.length === 2) expect(() => rowsOf(tensor)).toThrow('is not decoded');
        continue;
      }
      const values = await decoded(bytes, tensor.dtype);
      // The oracle widens bfloat16 and floats of eight bits before it hashes.
      expect(sha256(/^(BF16|F8_)/.test(tensor.dtype) ? new Uint8Array(values.buffer) : bytes)).toBe(
        expected.sha256_c_order_le,
      );
      expect([...values.subarray(0, expected.first.length)]).toEqual(expected.first.map(asFloat32));
      if (tensor.shape.length !== 2 || tensor.byteLength === 0) continue;
      const scanned = new Float32Array(values.length);
      for await (const { start, data } of rowsOf(tensor).scan()) scanned.set(data, start * tensor.shape[1]);
      expect(scanned).toEqual(values);
    }
    await file.close();
  });
});
