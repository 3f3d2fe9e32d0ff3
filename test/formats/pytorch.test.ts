import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { readableDType } from '../../src/dtypes/index.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import type { TensorFile, TensorInfo } from '../../src/types.ts';
import { CountingSource, fixture, readJson } from './tables.ts';

interface Answer {
  dtype: string;
  shape: number[];
  /** The first 16 digits. */
  float32_sha256?: string;
  bytes?: string;
}

const { files: expected } = readJson<{ files: Record<string, Record<string, Answer>> }>(
  fixture('pytorch/expected.json'),
);

const open = (name: string) => openTensorFile(openFile(fixture(`pytorch/${name}`)));

function find({ tensors }: TensorFile, name: string): TensorInfo {
  const tensor = tensors.find((candidate) => candidate.name === name);
  if (tensor === undefined) throw new Error(`no ${name}`);
  return tensor;
}

/** All values in row-major order: through the row reader when there are rows, by strides otherwise. */
async function valuesOf(tensor: TensorInfo): Promise<Float32Array> {
  const { shape, source, offset, byteLength } = tensor;
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  if (values.length === 0) return values;
  if (shape.length === 2) {
    for await (const { start, data } of rowsOf(tensor).scan()) values.set(data, start * shape[1]);
    return values;
  }
  const dtype = readableDType(tensor.dtype, tensor.bigEndian);
  const held = new Float32Array(byteLength / dtype.blockBytes);
  dtype.decode((await source.read(offset, offset + byteLength)).slice(), held);
  const strides = tensor.strides ?? shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  for (let place = 0; place < values.length; place++) {
    let rest = place;
    let from = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += (rest % shape[axis]) * strides[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    values[place] = held[from];
  }
  return values;
}

/** As safetensors calls PyTorch's types of eight bits. */
const eightBits = (_: string, form: string, kind = '') => `f8_${form}${kind === 'fnuz' ? kind : ''}`;

const sha256 = (values: Float32Array) =>
  createHash('sha256')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex')
    .slice(0, 16);

describe('files that torch.save wrote', () => {
  test.each(Object.keys(expected))('%s has the tensors that torch.load gives', async (name) => {
    const file = await open(name);
    const answers = expected[name];
    expect(file.format).toBe('pytorch');
    expect(file.tensors.map((tensor) => tensor.name).sort()).toEqual(Object.keys(answers).sort());
    for (const tensor of file.tensors) {
      const answer = answers[tensor.name];
      expect(tensor.shape).toEqual(answer.shape);
      if (answer.bytes !== undefined) {
        const { source, offset, byteLength } = tensor;
        expect(Buffer.from(await source.read(offset, offset + byteLength)).toString('hex')).toBe(
          answer.bytes,
        );
        expect(tensor.dtype).toBe(
          answer.dtype.replace(/^float8_(e\dm\d)(fnuz|fnu?)?$/, eightBits).toUpperCase(),
        );
      } else if (answer.float32_sha256 === undefined) {
        expect(() => readableDType(tensor.dtype)).toThrow('is not decoded');
      } else {
        expect([tensor.name, sha256(await valuesOf(tensor))]).toEqual([tensor.name, answer.float32_sha256]);
      }
    }
    await file.close();
  });

  test('rows of a strided table are the rows of its scan, in any order and more than once', async () => {
    const { tensors } = await open('strided.pt');
    for (const tensor of tensors) {
      if (tensor.shape.length !== 2 || tensor.shape.includes(0)) continue;
      const [rows, dim] = tensor.shape;
      const values = await valuesOf(tensor);
      const ids = Uint32Array.from([rows - 1, 0, Math.floor(rows / 2), 0]);
      const out = new Float32Array(ids.length * dim);
      await rowsOf(tensor).gather(ids, out);
      expect([...out]).toEqual([...ids].flatMap((id) => [...values.subarray(id * dim, (id + 1) * dim)]));
    }
  });

  test('tensors that share a storage share a source, so that ties are seen', async () => {
    const file = await open('tied.pt');
    const [embed, head, part] = ['embed.weight', 'head.weight', 'part'].map((name) => find(file, name));
    expect([head.source, head.offset]).toEqual([embed.source, embed.offset]);
    expect([part.source, part.offset]).toEqual([embed.source, embed.offset + 2 * 4 * 4]);
  });

  test('opening reads the directory and the pickle, and a row reads its local header and its bytes', async () => {
    const counting = new CountingSource(openFile(fixture('pytorch/alone.pt')));
    const file = await openTensorFile(counting);
    const before = counting.reads.length;
    await rowsOf(file.tensors[0]).gather(Uint32Array.of(2), new Float32Array(8));
    expect(counting.reads.slice(before).map(({ start, end }) => end - start)).toEqual([30, 32]);
  });

  test('opening a legacy file reads no storage, and a row reads its length and its bytes', async () => {
    const counting = new CountingSource(openFile(fixture('pytorch/legacy-2.pt')));
    const file = await openTensorFile(counting);
    const before = counting.reads.length;
    await rowsOf(find(file, 'weight')).gather(Uint32Array.of(2), new Float32Array(8));
    expect(counting.reads.slice(before).map(({ start, end }) => end - start)).toEqual([8, 32]);
  });

  test('numbers and texts beside the tensors are metadata', async () => {
    const { metadata } = await open('everything.pt');
    expect(metadata.get('epoch')).toBe(12);
    expect(metadata.get('name')).toBe('a checkpoint');
    expect(metadata.get('args.lr')).toBe(0.1);
    expect(metadata.get('optimizer.param_groups.0.lr')).toBe(0.5);
  });

  test('quantized tensors are listed and not decoded, sparse ones are noted', async () => {
    const file = await open('other-kinds.pt');
    expect(find(file, 'quantized')).toMatchObject({ dtype: 'QINT8', shape: [6, 8] });
    expect(() => rowsOf(find(file, 'quantized'))).toThrow('dtype QINT8 is not decoded');
    expect(file.notes).toEqual([
      'tensor "sparse" is not listed: torch._utils._rebuild_sparse_tensor makes no plain tensor',
    ]);
  });
});
