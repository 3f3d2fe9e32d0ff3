import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { dtypeNamed } from '../../src/dtypes/index.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import type { TensorInfo } from '../../src/types.ts';
import { hasWorld, oracle, sha256, world, worldFiles } from './manifest.ts';
import { asFloat32, decoded, type OracleTensor, rowMajorBytes } from './tensors.ts';

interface OracleModel {
  refused?: string;
  ir_version: number;
  producer: string;
  initializers: Record<string, OracleTensor>;
  /** Initializers that are a Gather's first input. */
  gather_of: string[];
}

const models = oracle<OracleModel>('oracle_onnx.json');
const tensors = oracle<OracleTensor & { name: string }>('oracle_onnx_tensorproto.json');
const files = worldFiles().filter((path) => /\.(onnx|pb)$/.test(path));

/** onnx's names of dtypes in NumPy. */
const dtypes: Record<string, string> = {
  float32: 'F32',
  float64: 'F64',
  int8: 'I8',
  uint8: 'U8',
  int32: 'I32',
  int64: 'I64',
};

async function compare(tensor: TensorInfo, expected: OracleTensor): Promise<void> {
  expect(tensor.shape).toEqual(expected.shape);
  expect(tensor.dtype).toBe(dtypes[expected.dtype]);
  const bytes = await rowMajorBytes(tensor, dtypeNamed(tensor.dtype)?.blockBytes ?? 1);
  expect(sha256(bytes)).toBe(expected.sha256_c_order_le);
  const values = await decoded(bytes, tensor.dtype);
  expect([...values.subarray(0, expected.first.length)]).toEqual(expected.first.map(asFloat32));
  if (tensor.shape.length !== 2) return;
  const scanned = new Float32Array(values.length);
  for await (const { start, data } of rowsOf(tensor).scan()) scanned.set(data, start * tensor.shape[1]);
  expect(scanned).toEqual(values);
}

describe.skipIf(!hasWorld)('every ONNX file of the world', () => {
  test('has an answer', () => {
    expect(files.length).toBeGreaterThan(8);
    expect(files.filter((path) => !models[path] && !tensors[path])).toEqual([]);
  });

  test.each(files.filter((path) => models[path] && models[path].refused === undefined))(
    '%s',
    async (path) => {
      const answer = models[path];
      const file = await openTensorFile(openFile(join(world, path)));
      expect(file.format).toBe('onnx');
      expect(file.metadata.get('ir_version')).toBe(answer.ir_version);
      expect(file.metadata.get('producer_name') ?? '').toBe(answer.producer);
      const byName = new Map(file.tensors.map((tensor) => [tensor.name, tensor]));
      for (const [name, expected] of Object.entries(answer.initializers)) {
        await compare(byName.get(name) as TensorInfo, expected);
      }
      const inputs = file.roles?.filter(({ layer }) => layer === 'input').map(({ tensor }) => tensor);
      expect(inputs).toEqual(answer.gather_of);
      await file.close();
    },
  );

  test.each(files.filter((path) => tensors[path]))('%s', async (path) => {
    const file = await openTensorFile(openFile(join(world, path)));
    expect(file.tensors).toHaveLength(1);
    await compare(file.tensors[0], tensors[path]);
    await file.close();
  });

  test.skipIf(files.length === 0)('rows of test_Embedding by its input are its output', async () => {
    const folder = join(world, 'onnx+onnx/pytorch-converted/test_Embedding');
    const [model, input, output] = await Promise.all(
      ['model.onnx', 'test_data_set_0/input_0.pb', 'test_data_set_0/output_0.pb'].map((name) =>
        openTensorFile(openFile(join(folder, name))),
      ),
    );
    const floatsOf = async (tensor: TensorInfo) =>
      decoded(await rowMajorBytes(tensor, dtypeNamed(tensor.dtype)?.blockBytes ?? 1), tensor.dtype);
    const table = rowsOf(model.tensors.find(({ name }) => name === model.roles?.[0]?.tensor) as TensorInfo);
    const ids = Uint32Array.from(await floatsOf(input.tensors[0]));
    const rows = new Float32Array(ids.length * table.dim);
    await table.gather(ids, rows);
    expect(rows).toEqual(await floatsOf(output.tensors[0]));
    for (const file of [model, input, output]) await file.close();
  });

  test.skipIf(files.length === 0)('a git-lfs pointer is said to be one', async () => {
    await expect(
      openTensorFile(openFile(join(world, 'microsoft+onnxscript/resnet18_dynamo.onnx'))),
    ).rejects.toMatchObject({ code: 'corrupt', message: expect.stringContaining('git-lfs pointer') });
  });
});
