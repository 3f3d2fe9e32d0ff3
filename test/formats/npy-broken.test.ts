import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { fixture } from './tables.ts';

/** An npy file, version 1, of this header text. */
function npy(header: string, data = 24): Uint8Array {
  const head = Buffer.from([
    0x93,
    0x4e,
    0x55,
    0x4d,
    0x50,
    0x59,
    1,
    0,
    header.length & 255,
    header.length >> 8,
  ]);
  return Buffer.concat([head, Buffer.from(header, 'latin1'), Buffer.alloc(data)]);
}

const open = (bytes: Uint8Array) => openTensorFile(new MemorySource('x.npy', bytes));

describe('npy files that are refused', () => {
  const whole = readFileSync(fixture('formats/f4-v1.npy'));

  test.each(Array.from({ length: 16 }, (_, part) => part))('cut at %i/16', async (part) => {
    const cut = whole.subarray(0, Math.floor((whole.length * part) / 16));
    await expect(open(cut)).rejects.toMatchObject({ name: 'EmbError', code: 'corrupt' });
  });

  test.each([
    [
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4)}",
      'array ends at byte 99, expected at most 91',
    ],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (9007199254740991, 2)}", 'more than 2^53 - 1 bytes'],
    [
      "{'descr': '<f4', 'fortran_order': False, 'shape': (9007199254740993, 0)}",
      'has the number 9007199254740993',
    ],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 2)}", 'is no Python literal'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2.0, 2)}", 'lacks a comma'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': 6}", '"shape" is no tuple'],
    ["{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}", '"fortran_order" is neither'],
    ["{'descr': '<f4', 'shape': (2, 3)}", 'header has the keys "descr, shape"'],
    ["{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 'the key "descr" twice'],
    ["{'descr': '<f3', 'fortran_order': False, 'shape': (2, 3)}", 'expected numbers'],
    ["{'descr': '', 'fortran_order': False, 'shape': (2, 3)}", 'is no dtype'],
    ["{'descr': '|V2', 'fortran_order': False, 'shape': (2, 3)}", 'array holds raw records'],
    ["__import__('os').system('true')", 'is no Python literal'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} + 1", 'is followed by something'],
    ["{'descr': __import__('os')}", 'is no Python literal'],
    ['[1, 2]', 'header is no dictionary'],
  ])('%s', async (header, message) => {
    await expect(open(npy(header))).rejects.toMatchObject({
      name: 'EmbError',
      message: expect.stringContaining(message),
    });
  });

  test('a header that nests 5,000 deep', async () => {
    await expect(open(npy('('.repeat(5000)))).rejects.toThrow('nested deeper than 16');
  });

  test('a header length beyond the limit and an unknown version', async () => {
    const long = Buffer.from(npy(' '.repeat(11_000)));
    await expect(open(long)).rejects.toThrow('"header length" is 11000, expected at most 10000');
    const version = Buffer.from(whole);
    version[6] = 4;
    await expect(open(version)).rejects.toThrow('npy version is 4.0, expected 1.0, 2.0 or 3.0');
  });
});

describe('npy files that are accepted', () => {
  test('headers as Python 2 wrote them, and arrays after the first', async () => {
    const file = await open(npy("{'descr': \"<f4\", 'fortran_order': False, 'shape': (2L, 3L), }   \n", 100));
    expect(file.tensors[0]).toMatchObject({ shape: [2, 3], dtype: 'F32', byteLength: 24 });
  });
});
