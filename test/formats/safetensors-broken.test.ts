import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import { CountingSource, fixture, safetensors } from './tables.ts';

const f32 = (shape: number[], start: number, end: number) => ({
  dtype: 'F32',
  shape,
  data_offsets: [start, end],
});

async function refusal(bytes: Uint8Array): Promise<{ code: string; message: string }> {
  try {
    await openTensorFile(new MemorySource('x.safetensors', bytes));
  } catch (error) {
    expect(error).toMatchObject({ name: 'EmbError' });
    return error as { code: string; message: string };
  }
  throw new Error('was accepted');
}

describe('safetensors that are refused', () => {
  const whole = readFileSync(fixture('formats/F32.safetensors'));

  test.each(Array.from({ length: 16 }, (_, part) => part))('cut at %i/16', async (part) => {
    const error = await refusal(whole.subarray(0, Math.floor((whole.length * part) / 16)));
    expect(error.code).toBe('corrupt');
  });

  test.each([
    [
      'a length beyond the crate’s limit',
      100_000_001n,
      '"header length" is 100000001, expected at most 100000000',
    ],
    ['a length beyond 2^53', 2n ** 64n - 1n, '"header length" is 18446744073709551615, expected'],
    ['a length beyond the file', 5000n, '"header length" is 5000, expected at most 92, the rest of the file'],
  ])('%s', async (_, length, message) => {
    const bytes = Buffer.alloc(100, 0x20);
    bytes.writeBigUInt64LE(length);
    bytes[8] = 0x7b;
    expect((await refusal(bytes)).message).toContain(message);
  });

  test.each<[string, unknown, number, string]>([
    ['a tensor beyond the file', { a: f32([4], 0, 16) }, 8, 'ends at byte 79, expected at most 71'],
    [
      'bytes that no tensor owns',
      { a: f32([2], 0, 8) },
      9,
      'tensors end at byte 70, expected 71, the size of the file',
    ],
    ['a hole', { a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12, 'leaves a hole before it'],
    ['tensors that overlap', { a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12, 'overlaps the tensor before it'],
    [
      'offsets that run backwards',
      { a: f32([1], 4, 0) },
      4,
      '"data_offsets" hold -4 bytes, expected 4 for F32 [1]',
    ],
    [
      'a shape that takes other bytes',
      { a: f32([3], 0, 8) },
      8,
      '"data_offsets" hold 8 bytes, expected 12 for F32 [3]',
    ],
    ['a shape beyond 2^53', { a: f32([2 ** 30, 2 ** 30], 0, 8) }, 8, 'more than 2^53 - 1 weights'],
    [
      'half a byte',
      { a: { dtype: 'F4', shape: [3], data_offsets: [0, 2] } },
      2,
      '3 weights of F4 are 1.5 bytes',
    ],
    ['a dtype that does not exist', { a: { ...f32([1], 0, 4), dtype: 'F33' } }, 4, '"dtype" is "F33"'],
    ['no dtype', { a: { shape: [1], data_offsets: [0, 4] } }, 4, 'has no "dtype"'],
    ['no shape', { a: { dtype: 'F32', data_offsets: [0, 4] } }, 4, 'has no "shape"'],
    ['no offsets', { a: { dtype: 'F32', shape: [1] } }, 4, '"data_offsets" has 0 numbers, expected 2'],
    [
      'three offsets',
      { a: { ...f32([1], 0, 4), data_offsets: [0, 4, 4] } },
      4,
      'an array has more than 2 numbers',
    ],
    [
      'a negative size',
      '{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}',
      4,
      'a number is not whole',
    ],
    ['a fraction', '{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}', 4, 'a number is not whole'],
    [
      'a number beyond 2^53',
      '{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]}}',
      4,
      'not whole',
    ],
    [
      'a tensor twice',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}',
      2,
      '"a" stands twice',
    ],
    [
      'a tensor twice, spelled otherwise',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}',
      2,
      '"a" stands twice',
    ],
    [
      'a key twice in a tensor',
      '{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}',
      1,
      '"dtype" stands twice',
    ],
    ['metadata that is no text', { __metadata__: { a: 1 } }, 0, 'expected a string'],
    ['an array for a header', '[]', 0, 'expected an object'],
    ['text after the header', '{} x', 0, 'something follows the value'],
    ['a string that does not end', '{"a', 0, 'a string does not end'],
    ['a rank of 100', { a: f32(new Array(100).fill(1), 0, 4) }, 4, 'an array has more than 64 numbers'],
  ])('%s', async (_, header, data, message) => {
    const error = await refusal(safetensors(header, data));
    expect(error.message).toContain(message);
    expect(error.code).toBe('corrupt');
  });

  test('a name that is no UTF-8', async () => {
    const bytes = Buffer.from(safetensors('{"aX":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}', 0));
    bytes[11] = 0xff;
    expect((await refusal(bytes)).message).toContain('a string is no valid UTF-8');
  });

  test('a git-lfs pointer, by name and with the way out', async () => {
    const pointer = Buffer.from(
      'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 548105171\n',
    );
    const error = await refusal(pointer);
    expect(error).toMatchObject({
      message: 'x.safetensors: is a git-lfs pointer, not the model',
      hint: 'git lfs pull',
    });
  });

  test.each([
    ['PK\x03\x04', 'zip archive'],
    ['GGUF', 'GGUF'],
    ['\x1f\x8b\x08', 'do not inflate'],
  ])('a file of another kind: %j', async (head, kind) => {
    const error = await refusal(Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(40)]));
    expect(error.message).toContain(kind);
  });
});

describe('safetensors that are accepted', () => {
  test('what the crate accepts: other keys, white space, empty shapes, no tensors', async () => {
    const header = ` {"a" : {"extra":{"deep":[1.5e3,true,null,"\\"}"]},"dtype":"F32","shape":[],"data_offsets":[0,4]},
      "empty":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4]}, "é\\n":{"dtype":"U8","shape":[1],"data_offsets":[4,5]} }  `;
    const file = await openSafetensors(new MemorySource('x', safetensors(header, 5)));
    expect(file.tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ['a', []],
      ['empty', [0, 7]],
      ['é\n', [1]],
    ]);
    expect((await openSafetensors(new MemorySource('x', safetensors('{}', 0)))).tensors).toEqual([]);
    expect(
      (await openSafetensors(new MemorySource('x', safetensors('{"__metadata__":null}', 0)))).tensors,
    ).toEqual([]);
  });

  test('a name like a prototype key is a name', async () => {
    const header = '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}';
    const file = await openSafetensors(new MemorySource('x', safetensors(header, 1)));
    expect(file.tensors[0].name).toBe('__proto__');
  });

  test('the header of 20,000 tensors is read in two reads', async () => {
    const header: Record<string, unknown> = {};
    for (let index = 0; index < 20_000; index++) {
      header[`model.layers.${index}.self_attn.q_proj.weight`] = {
        dtype: 'U8',
        shape: [1, 1],
        data_offsets: [index, index + 1],
      };
    }
    const source = new CountingSource(new MemorySource('x', safetensors(header, 20_000)));
    const file = await openSafetensors(source);
    expect(file.tensors.length).toBe(20_000);
    expect(source.reads.length).toBe(2);
  });
});
