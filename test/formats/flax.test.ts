import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { MemorySource } from '../../src/bytes/memory.ts';
import { readableDType } from '../../src/dtypes/index.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { CountingSource, fixture, readJson } from './tables.ts';

interface Answer {
  dtype: string;
  shape: number[];
  float32_sha256?: string;
}

const { files: expected } = readJson<{ files: Record<string, Record<string, Answer>> }>(
  fixture('flax/expected.json'),
);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);
const open = (bytes: Uint8Array) => openTensorFile(new MemorySource('x.msgpack', bytes));

describe('checkpoints that flax wrote', () => {
  test.each(Object.keys(expected))('%s has the arrays that msgpack_restore gives', async (name) => {
    const file = await openTensorFile(openFile(fixture(`flax/${name}`)));
    expect(file.format).toBe('flax');
    expect(file.tensors.map((tensor) => tensor.name)).toEqual(Object.keys(expected[name]));
    for (const { name: tensorName, shape, dtype, source, offset, byteLength } of file.tensors) {
      const answer = expected[name][tensorName];
      expect([tensorName, shape]).toEqual([tensorName, answer.shape]);
      if (answer.float32_sha256 === undefined || dtype.startsWith('F8')) continue;
      const { decode } = readableDType(dtype);
      const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
      decode((await source.read(offset, offset + byteLength)).slice(), values);
      expect([tensorName, sha256(new Uint8Array(values.buffer))]).toEqual([
        tensorName,
        answer.float32_sha256,
      ]);
    }
    await file.close();
  });

  test('dtypes of eight bits are named as in safetensors', async () => {
    const { tensors } = await openTensorFile(openFile(fixture('flax/parameters.msgpack')));
    const named = Object.fromEntries(tensors.map(({ name, dtype }) => [name, dtype]));
    expect(named).toMatchObject({
      'ml.float8_e4m3fn': 'F8_E4M3',
      'ml.float8_e5m2': 'F8_E5M2',
      'ml.bfloat16': 'BF16',
    });
  });

  test('rows of a chunked array cross its chunks', async () => {
    const { tensors } = await openTensorFile(openFile(fixture('flax/chunked.msgpack')));
    const tensor = tensors.find(({ name }) => name === 'wte.embedding')!;
    const table = rowsOf(tensor);
    expect(tensor.byteLength).toBeGreaterThan(100);
    const scanned = new Float32Array(9 * 6);
    for await (const { start, data } of table.scan()) scanned.set(data, start * 6);
    expect(sha256(new Uint8Array(scanned.buffer))).toBe(
      expected['chunked.msgpack']['wte.embedding'].float32_sha256,
    );
    const out = new Float32Array(18);
    await table.gather(Uint32Array.of(8, 4, 4), out);
    expect([...out]).toEqual([
      ...scanned.subarray(48),
      ...scanned.subarray(24, 30),
      ...scanned.subarray(24, 30),
    ]);
  });

  test('arrays are passed over', async () => {
    const table = Buffer.alloc(1 << 22);
    const head = Buffer.from([0x81, 0xa1, 0x77, 0xc9, 0, 0, 0, 0, 1, 0x93, 0x91, 0xce, 0, 0x10, 0, 0, 0xa7]);
    const rest = Buffer.from([...Buffer.from('float32'), 0xc6, 0, 0x40, 0, 0]);
    head.writeUInt32BE(head.length - 9 + rest.length + table.length, 4);
    const counting = new CountingSource(new MemorySource('x.msgpack', Buffer.concat([head, rest, table])));
    expect((await openTensorFile(counting)).tensors[0]).toMatchObject({
      name: 'w',
      dtype: 'F32',
      byteLength: 1 << 22,
    });
    expect(counting.bytesRead).toBeLessThan(70_000);
  });
});

describe('MessagePack that is refused', () => {
  const text = (value: string) => [0xa0 + value.length, ...Buffer.from(value)];
  const array = (shape: number[], dtype: string, bytes: number[]) => {
    const content = [0x93, 0x90 + shape.length, ...shape, ...text(dtype), 0xc4, bytes.length, ...bytes];
    return [0xc7, content.length, 1, ...content];
  };

  test.each([
    [[0x81, ...text('a'), ...array([2], 'int8', [1])], 'array "a" is 1 bytes, expected 2 for I8 [2]'],
    [[0x81, ...text('a'), 1], 'is MessagePack without arrays'],
    [[0x82, ...text('a'), 1, ...text('a'), 1], 'the key "a" stands twice'],
    [[0x81, ...text('a'), ...array([1], 'int8', [1]), 1], 'something follows the last value'],
    [[0x81, ...text('a'), 0xc1], '0xc1 begins no value'],
    [[0x81, ...text('a'), 0xc6, 255, 255, 255, 255], '4294967295 bytes follow, more than the file has'],
    [[0x81, ...text('a'), 0xdd, 255, 255, 255, 255], '1 bytes are expected, the file has 0'],
    [[0x81, ...text('a'), 0xc7, 3, 1, 0x93, 0x90, 0xc0], 'a key is no text'],
    [[0x81, ...text('a'), 0xc7, 2, 1, 0x92, 0x90], 'an array is no shape, dtype and bytes'],
    [[0x81, ...text('a'), ...Array(200).fill(0x91), 0xc0], 'nested deeper than 128'],
    [[0x81, ...text('a'), 0x81, 0x90], 'a key is no text'],
  ])('%j', async (bytes, message) => {
    await expect(open(Uint8Array.from(bytes))).rejects.toMatchObject({
      name: 'EmbError',
      message: expect.stringContaining(message),
    });
  });

  test.each(['parameters.msgpack', 'chunked.msgpack'])('%s, damaged, is read or refused', async (name) => {
    const whole = readFileSync(fixture(`flax/${name}`));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        async (changes) => {
          const bytes = Uint8Array.from(whole);
          for (const [at, byte] of changes) bytes[at] = byte;
          try {
            const { tensors } = await open(bytes);
            for (const tensor of tensors.filter(({ shape }) => shape.length === 2)) {
              const table = rowsOf(tensor);
              await table.gather(Uint32Array.of(0), new Float32Array(table.dim));
            }
          } catch (error) {
            expect(error).toMatchObject({ name: 'EmbError', message: expect.not.stringContaining('\n') });
          }
        },
      ),
      { seed: 3, numRuns: 400 },
    );
  });
});
