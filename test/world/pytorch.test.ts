import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { MemorySource } from '../../src/bytes/memory.ts';
import { dtypeNamed } from '../../src/dtypes/index.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import type { TensorInfo } from '../../src/types.ts';
import { hasWorld, oracle, sha256, world, worldFiles } from './manifest.ts';
import { asFloat32, decoded, type OracleTensor, rowMajorBytes } from './tensors.ts';

type OracleEntry = (OracleTensor & { torch_dtype?: string }) | { scalar: number | string };

interface OracleFile {
  tensors?: Record<string, OracleEntry>;
  refused?: string;
  weights_only_refuses?: string;
}

const answers = oracle<OracleFile>('oracle_torch.json');
const files = worldFiles().filter((path) => path in answers);

const isTensor = (entry: OracleEntry): entry is OracleTensor => 'shape' in entry;

async function compare(tensor: TensorInfo, answer: OracleTensor): Promise<void> {
  expect(tensor.shape).toEqual(answer.shape);
  const bytes = await rowMajorBytes(tensor, dtypeNamed(tensor.dtype)!.blockBytes);
  const values = await decoded(bytes, tensor.dtype);
  expect([...values.subarray(0, answer.first.length)]).toEqual(answer.first.map(asFloat32));
  expect([...values.subarray(values.length - answer.last.length)]).toEqual(answer.last.map(asFloat32));
  // bfloat16 was widened for the sum, whose bytes are then the decoded ones.
  const widened = tensor.dtype === 'BF16';
  expect(sha256(widened ? new Uint8Array(values.buffer) : bytes)).toBe(answer.sha256_c_order_le);
  if (tensor.shape.length !== 2 || values.length === 0) return;
  const scanned = new Float32Array(values.length);
  for await (const { start, data } of rowsOf(tensor).scan()) scanned.set(data, start * tensor.shape[1]);
  expect(scanned).toEqual(values);
}

describe.skipIf(!hasWorld)('every PyTorch file of the world', () => {
  test('has an answer', () => {
    expect(files.length).toBeGreaterThan(95);
    expect(files.length).toBe(Object.keys(answers).length);
  });

  test.each(files)('%s', async (path) => {
    const answer = answers[path];
    const source = openFile(join(world, path));
    // torch.load refuses TorchScript with weights_only; its pickle is on the list like any other.
    if (path.endsWith('tch-rs/foo.pt')) {
      expect((await openTensorFile(source)).tensors).toHaveLength(1);
    } else if (answer.refused !== undefined) {
      const named = path.endsWith('evil_torch.bin')
        ? 'posix system'
        : /foo[37]\.pt$/.test(path)
          ? 'without tensors'
          : '';
      await expect(openTensorFile(source)).rejects.toMatchObject({
        name: 'EmbError',
        message: expect.stringContaining(named),
      });
    } else {
      const { tensors, metadata } = await openTensorFile(source);
      const expected = Object.entries(answer.tensors!).map(([name, entry]) => [
        name === '.' ? 'tensor' : name,
        entry,
      ]) as [string, OracleEntry][];
      expect(tensors.map(({ name }) => name).sort()).toEqual(
        expected
          .filter(([, entry]) => isTensor(entry))
          .map(([name]) => name)
          .sort(),
      );
      for (const [name, entry] of expected) {
        if (isTensor(entry)) await compare(tensors.find((tensor) => tensor.name === name)!, entry);
        else expect(metadata.get(name)).toBe(entry.scalar);
      }
    }
    await source.close();
  });

  test('TorchScript parameters are read by their module names', async () => {
    const { tensors } = await openTensorFile(openFile(join(world, 'LaurentMazare+tch-rs/foo.pt')));
    expect(tensors.map(({ name, shape }) => [name, shape])).toEqual([['value', [1]]]);
    // As torch.jit.load has it.
    expect([...(await decoded(await rowMajorBytes(tensors[0], 4), 'F32'))]).toEqual([42]);
  });

  test('shards together hold what the whole file holds', async () => {
    const folder = join(world, 'joaopauloschuler+neural-api');
    const open = async (name: string) => (await openTensorFile(openFile(join(folder, name)))).tensors;
    const whole = await open('tiny_gpt2.bin');
    const parts = [
      ...(await open('tiny_gpt2-00001-of-00002.bin')),
      ...(await open('tiny_gpt2-00002-of-00002.bin')),
    ];
    expect(parts.map(({ name }) => name).sort()).toEqual(whole.map(({ name }) => name).sort());
    for (const tensor of whole) {
      const part = parts.find(({ name }) => name === tensor.name)!;
      const [a, b] = [await rowMajorBytes(tensor, 4), await rowMajorBytes(part, 4)];
      expect(Buffer.compare(a, b)).toBe(0);
    }
  });
});

describe.skipIf(!hasWorld)('other archives and pickles of the world', () => {
  test.each([
    ['mmaitre314+picklescan/benign0_v3.pkl', 'unsupported', 'is a pickle without tensors'],
    ['mmaitre314+picklescan/benign_password_protected.zip', 'unsupported', ''],
  ])('%s is refused', async (path, code, message) => {
    await expect(openTensorFile(openFile(join(world, path)))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });
});

describe.skipIf(!hasWorld)('globals that picklescan found in malicious pickles', () => {
  const harmless = new Set([
    '__builtin__ dict',
    '_codecs encode',
    'torch LongStorage',
    'torch._utils _rebuild_tensor',
  ]);
  const paths = [
    ...new Set(Object.values(oracle<string[]>('picklescan_malicious_globals.json')).flat()),
  ].filter((path) => !path.startsWith('!'));
  /** The list joins module and name by a dot: either side of every dot may be the module. */
  const splits = paths.flatMap((path) => {
    const parts = path.split('.');
    return parts
      .slice(1)
      .map((_, at) => `${parts.slice(0, at + 1).join('.')} ${parts.slice(at + 1).join('.')}`);
  });
  const open = (pickle: string) => openTensorFile(new MemorySource('x.pkl', Buffer.from(pickle, 'latin1')));

  test('are many', () => {
    expect(paths.length).toBeGreaterThan(60);
    expect(splits.filter((split) => harmless.has(split))).toHaveLength(harmless.size);
  });

  test.each(splits.filter((split) => !harmless.has(split)))('%s is refused by name', async (split) => {
    const [module, name] = split.split(' ');
    const refusal = { code: 'unsupported', message: expect.stringContaining(`pickle names "${split}"`) };
    await expect(open(`\x80\x02c${module}\n${name}\n(X\x04\0\0\0codetR.`)).rejects.toMatchObject(refusal);
    await expect(open(`\x80\x02(i${module}\n${name}\n.`)).rejects.toMatchObject(refusal);
  });

  test('those that torch.load allows too run nothing', async () => {
    for (const path of harmless) {
      const [module, name] = path.split(' ');
      await expect(open(`\x80\x02c${module}\n${name}\n(X\x04\0\0\0codetR.`)).rejects.toMatchObject({
        name: 'EmbError',
      });
    }
  });
});
