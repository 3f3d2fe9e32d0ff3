import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import type { MetadataArray } from '../../src/types.ts';
import { gguf, type Parts, stringsValue, stringValue, text, u32, u32Value, u64 } from './gguf-bytes.ts';
import { fixture } from './tables.ts';

async function refusal(bytes: Uint8Array): Promise<{ code: string; message: string; hint?: string }> {
  try {
    await openTensorFile(new MemorySource('x.gguf', bytes));
  } catch (error) {
    expect(error).toMatchObject({ name: 'EmbError' });
    return error as { code: string; message: string };
  }
  throw new Error('was accepted');
}

const tensor = { name: 'a', shape: [8] };
const array = (type: number, count: number | bigint, content = Buffer.alloc(0)) =>
  Buffer.concat([u32(9), u32(type), u64(count), content]);

describe('GGUF files that are refused', () => {
  test.each(['v3.gguf', 'v1.gguf', 'v3-be.gguf', 'types.gguf'])('%s cut at every 16th', async (name) => {
    const whole = readFileSync(fixture(`gguf/${name}`));
    for (let part = 0; part < 16; part++) {
      const error = await refusal(whole.subarray(0, Math.floor((whole.length * part) / 16)));
      expect(error.code).toBe('corrupt');
    }
    expect((await refusal(whole.subarray(0, 100))).message).toMatch(/expected at most|the size of the file/);
  });

  test.each<[string, Parts, string]>([
    ['version 0', { version: 0 }, 'GGUF version is 0'],
    ['version 4', { version: 4 }, 'GGUF version is 4, expected 1, 2 or 3'],
    [
      'too many tensors',
      { tensorCount: 2n ** 63n },
      '"tensor_count" has 9223372036854776000 tensors, expected at most',
    ],
    ['too many keys', { keyCount: 5 }, '"metadata_kv_count" has 5 keys, expected at most 0'],
    [
      'a string that is longer than the file',
      { keys: [['k', Buffer.concat([u32(8), u64(10n ** 12n)])]], data: 32 },
      '"k" has 1000000000000 bytes, expected at most',
    ],
    [
      'a type of value that does not exist',
      { keys: [['k', Buffer.concat([u32(13), u64(0)])]] },
      '"k" has type 13',
    ],
    [
      'an array with more numbers than the file',
      { keys: [['k', array(4, 1000)]], data: 64 },
      '"k" has 1000 elements, expected at most',
    ],
    [
      'an array with more strings than the file',
      { keys: [['k', array(8, 2n ** 40n)]], data: 64 },
      '"k" has 1099511627776 elements, expected at most',
    ],
    [
      'a string in an array that leads out of the file',
      { keys: [['k', array(8, 2, Buffer.concat([u64(5000), u64(0)]))]] },
      'a string of "k" before element 1 ends at byte',
    ],
    [
      'arrays nine deep',
      {
        keys: [['k', Buffer.concat([u32(9), ...Array.from({ length: 9 }, () => [u32(9), u64(1)]).flat()])]],
        data: 64,
      },
      '"k" nests arrays deeper than 8',
    ],
    [
      'a key twice',
      {
        keys: [
          ['k', u32Value(1)],
          ['k', u32Value(1)],
        ],
      },
      'key "k" stands twice',
    ],
    ['a tensor twice', { tensors: [tensor, { ...tensor, offset: 32 }], data: 64 }, 'tensor "a" stands twice'],
    [
      'tensors that overlap',
      {
        tensors: [
          { name: 'a', shape: [16] },
          { name: 'b', shape: [8], offset: 32 },
        ],
        data: 64,
      },
      'tensor "b" begins at byte 128, expected at least 160: it overlaps "a"',
    ],
    [
      'a tensor beyond the file',
      { tensors: [tensor], data: 31 },
      'tensor "a" ends at byte 96, expected at most 95',
    ],
    [
      'an offset beyond 2^53',
      { tensors: [{ ...tensor, offset: 2n ** 63n }], data: 32 },
      'ends at byte 92233720368547',
    ],
    [
      'an alignment that is no power of two',
      { keys: [['general.alignment', u32Value(24)]] },
      '"general.alignment" is 24, expected a power of two',
    ],
    ['an alignment of 0', { keys: [['general.alignment', u32Value(0)]] }, '"general.alignment" is 0'],
    [
      'an alignment of text',
      { keys: [['general.alignment', stringValue('32')]] },
      '"general.alignment" is "32"',
    ],
    [
      'nine dimensions',
      { tensors: [{ name: 'a', shape: new Array(9).fill(1) }], data: 32 },
      'has 9 dimensions, expected at most 8',
    ],
    [
      'rows of half a block',
      { tensors: [{ name: 'a', shape: [48, 2], type: 8 }], data: 256 },
      'rows of [2, 48] are 48 weights of Q8_0, expected a multiple of 32',
    ],
    [
      'a shape beyond 2^53',
      { tensors: [{ name: 'a', shape: [2 ** 30, 2 ** 30] }], data: 32 },
      'shape [1073741824, 1073741824] has more than 2^53 - 1 weights',
    ],
    [
      'a dimension of 2^64',
      { tensors: [{ name: 'a', shape: [2n ** 64n - 1n] }], data: 32 },
      'more than 2^53 - 1 weights',
    ],
    [
      'split.no of text',
      {
        keys: [
          ['split.count', u32Value(3)],
          ['split.no', stringValue('1')],
        ],
      },
      '"split.no" is "1"',
    ],
    [
      'split.no beyond the count',
      {
        keys: [
          ['split.count', u32Value(3)],
          ['split.no', u32Value(3)],
        ],
      },
      '"split.no" is 3, expected 0 to 2',
    ],
    ['a million parts', { keys: [['split.count', u32Value(1e6)]] }, '"split.count" is 1000000'],
  ])('%s', async (_, parts, message) => {
    expect((await refusal(gguf(parts))).message).toContain(message);
  });

  test.each([
    [4, 'Q4_2'],
    [5, 'Q4_3'],
    [31, 'Q4_0_4_4'],
    [36, 'IQ4_NL_4_4'],
  ])('type %i, by the name that it had: %s', async (type, name) => {
    const error = await refusal(gguf({ tensors: [{ ...tensor, type }], data: 64 }));
    expect(error).toMatchObject({
      code: 'unsupported',
      message: `x.gguf: tensor "a": type is ${name} (${type}), which ggml has removed`,
    });
  });

  test('an offset off the alignment is a note: gguf-py reads it, llama.cpp does not', async () => {
    const bytes = gguf({ tensors: [{ ...tensor, offset: 8 }], data: 64 });
    const { notes, tensors } = await openTensorFile(new MemorySource('x.gguf', bytes));
    expect(tensors[0].offset % 32).toBe(8);
    expect(notes).toEqual([
      'offsets of 1 of 1 tensors, "a" first, are no multiple of 32, the alignment: llama.cpp refuses such a file',
    ]);
  });

  test('a type that ggml never had', async () => {
    const error = await refusal(gguf({ tensors: [{ ...tensor, type: 99 }], data: 64 }));
    expect(error).toMatchObject({ code: 'unsupported', message: expect.stringContaining('type is 99') });
  });

  test('80,000 arrays in an array cost little time', async () => {
    const inner = Buffer.alloc(12 * 80_000);
    for (let i = 0; i < 80_000; i++) inner.writeUInt32LE(4, 12 * i);
    const start = performance.now();
    const file = await openTensorFile(
      new MemorySource('x', gguf({ keys: [['k', array(9, 80_000, inner)]] })),
    );
    expect((file.metadata.get('k') as MetadataArray).length).toBe(80_000);
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

/** Reads all that a damaged header still says. */
async function survive(bytes: Uint8Array): Promise<void> {
  try {
    const file = await openTensorFile(new MemorySource('x.gguf', bytes));
    for (const [, value] of file.metadata) {
      if (typeof value !== 'object' || value === null) continue;
      const each = value as MetadataArray;
      expect((await each.values()).length).toBe(each.length);
      await each.strings?.();
      await each.numbers?.();
    }
    for (const { offset, byteLength } of file.tensors)
      expect(offset + byteLength).toBeLessThanOrEqual(bytes.length);
  } catch (error) {
    expect(error).toMatchObject({ name: 'EmbError', message: expect.not.stringContaining('\n') });
  }
}

describe('damaged headers', () => {
  const whole = gguf({
    keys: [
      ['general.architecture', stringValue('llama')],
      ['general.alignment', u32Value(32)],
      ['tokenizer.ggml.tokens', stringsValue(['a', 'bc', ''])],
      ['nested', array(9, 2, Buffer.concat([u32(4), u64(1), u32(7), u32(8), u64(1), text('x')]))],
    ],
    tensors: [
      { name: 'token_embd.weight', shape: [32, 2], type: 8 },
      { name: 'b', shape: [4], offset: 96 },
    ],
    data: 112,
  });
  const fixtures = ['v3.gguf', 'v1.gguf', 'v3-be.gguf'].map((name) => readFileSync(fixture(`gguf/${name}`)));

  test.each([whole, ...fixtures])('are read or refused', async (file) => {
    const length = Math.min(file.length, 1600);
    const change = fc.tuple(
      fc.nat(length - 1),
      fc.oneof(fc.nat(255), fc.nat(13), fc.constantFrom(255, 127, 128)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (changes, cut) => {
          const bytes = Uint8Array.from(cut ? file.subarray(0, changes[0][0] + 1) : file);
          for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
          await survive(bytes);
        },
      ),
      { seed: 3, numRuns: 2000 },
    );
  });
});
