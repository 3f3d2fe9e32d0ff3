import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { fixture } from './tables.ts';

/** A zip archive of stored entries, as torch.save writes it. */
function archive(entries: Record<string, Uint8Array | string>): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(entries)) {
    const data = Buffer.from(content as string, 'latin1');
    const label = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(label.length, 26);
    const record = Buffer.alloc(46);
    record.writeUInt32LE(0x02014b50);
    record.writeUInt32LE(crc32(data), 16);
    record.writeUInt32LE(data.length, 20);
    record.writeUInt32LE(data.length, 24);
    record.writeUInt16LE(label.length, 28);
    record.writeUInt32LE(offset, 42);
    parts.push(local, label, data);
    directory.push(record, label);
    offset += 30 + label.length + data.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(Object.keys(entries).length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

const storage = (elements: number, kind = 'Float') =>
  `(U\x07storagectorch\n${kind}Storage\nU\x010U\x03cpuK${String.fromCharCode(elements)}tQ`;
const tuple = (numbers: number[]) =>
  `(${numbers.map((number) => `K${String.fromCharCode(number)}`).join('')}t`;
const tensor = (elements: number, offset: number, shape: number[], strides: number[]) =>
  `ctorch._utils\n_rebuild_tensor\n(${storage(elements)}K${String.fromCharCode(offset)}${tuple(shape)}${tuple(strides)}tR`;
const dictionary = (value: string) => `\x80\x02}U\x01w${value}s.`;

const floats = new Uint8Array(Float32Array.from({ length: 12 }, (_, index) => index).buffer);
const open = (bytes: Uint8Array) => openTensorFile(new MemorySource('x.pt', bytes));
const saved = (pickle: string, more: Record<string, Uint8Array | string> = { 'x/data/0': floats }) =>
  open(archive({ 'x/data.pkl': pickle, ...more }));

describe('PyTorch archives', () => {
  test('a tensor and its rows', async () => {
    const { tensors } = await saved(dictionary(tensor(12, 2, [2, 3], [4, 1])));
    expect(tensors[0]).toMatchObject({
      name: 'w',
      shape: [2, 3],
      strides: [4, 1],
      offset: 8,
      byteLength: 28,
    });
    const out = new Float32Array(6);
    await rowsOf(tensors[0]).gather(Uint32Array.of(1, 0), out);
    expect([...out]).toEqual([6, 7, 8, 2, 3, 4]);
  });

  test('pairs of a dictionary as Python 2 wrote them, tensors as PyTorch 0.1 did, a view of a storage', async () => {
    const pairs = `\x80\x02ccollections\nOrderedDict\n(](U\x01w${tensor(12, 0, [3], [1])}\x86etR.`;
    expect((await saved(pairs)).tensors).toMatchObject([{ name: 'w', shape: [3] }]);
    const old = dictionary(
      `ctorch\nFloatTensor\n)\x81(${storage(12)}K\x01${tuple([2, 2])}${tuple([2, 1])}tb`,
    );
    expect((await saved(old)).tensors).toMatchObject([{ name: 'w', shape: [2, 2], offset: 4 }]);
    const viewed = storage(12).replace('tQ', '(U\x05otherK\x04K\x03ttQ');
    const view = `ctorch._utils\n_rebuild_tensor\n(${viewed}K\x01${tuple([2])}${tuple([1])}tR`;
    expect((await saved(dictionary(view))).tensors).toMatchObject([{ name: 'w', offset: 20, byteLength: 8 }]);
  });

  test('two tensors of one name are told apart', async () => {
    const one = tensor(12, 0, [3], [1]);
    const both = `\x80\x02}U\x03a.b${one}sU\x01a}U\x01b${one}ss.`;
    expect((await saved(both)).tensors.map(({ name }) => name)).toEqual(['a.b', 'a.b#2']);
  });

  test.each([
    [
      'a tensor that leaves its storage',
      tensor(12, 0, [4, 4], [4, 1]),
      'ends at byte 64 of its storage, expected at most 48',
    ],
    ['by its offset', tensor(12, 7, [2, 3], [3, 1]), 'ends at byte 52 of its storage'],
    ['by its strides', tensor(12, 0, [2, 3], [10, 1]), 'ends at byte 52 of its storage'],
    ['a tensor longer than what its storage is said to be', tensor(3, 0, [4], [1]), 'expected at most 12'],
    ['a storage that is too short', tensor(13, 0, [4], [1]), 'storage "0" is 48 bytes, expected 52'],
    ['a shape without strides', tensor(12, 0, [4, 1], [1]), 'has 1 strides, expected 2'],
  ])('%s is refused', async (_, value, message) => {
    await expect(saved(dictionary(value))).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(message),
    });
  });

  test('a storage that is missing', async () => {
    await expect(saved(dictionary(tensor(12, 0, [3], [1])), {})).rejects.toThrow('has no entry "x/data/0"');
  });

  test('shapes whose product is beyond counting, in a storage of four bytes', async () => {
    const huge = `ctorch._utils\n_rebuild_tensor\n(${storage(1)}K\x00(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft${tuple([0, 0])}tR`;
    await expect(saved(dictionary(huge))).rejects.toThrow('has more than 2^53 - 1 bytes');
    const large = huge.replaceAll('J\xff\xff\xff\x7f', 'J\xff\xff\x00\x00');
    const { tensors } = await saved(dictionary(large));
    expect(() => rowsOf(tensors[0])).toThrow('repeats 1 weights to [65535, 65535], expected at most');
  });
});

describe('PyTorch files that are no archives', () => {
  const whole = readFileSync(fixture('pytorch/legacy-2.pt'));

  test.each(Array.from({ length: 15 }, (_, part) => part + 1))('cut at %i/16', async (part) => {
    const cut = whole.subarray(0, Math.floor((whole.length * part) / 16));
    await expect(open(cut)).rejects.toMatchObject({ name: 'EmbError', code: 'corrupt' });
  });

  test('a storage whose length is not that of the pickle', async () => {
    const bytes = Buffer.from(whole);
    const { tensors } = await open(bytes);
    const table = tensors.find(({ name }) => name === 'weight')!;
    const at = bytes.indexOf(Buffer.from([48, 0, 0, 0, 0, 0, 0, 0]));
    bytes[at] = 49;
    await expect(rowsOf(table).gather(Uint32Array.of(0), new Float32Array(8))).rejects.toThrow(
      'has 49 elements, expected 48',
    );
  });

  test('a tar archive of PyTorch before 0.1.10', async () => {
    const head = Buffer.alloc(1024);
    head.write('sys_info');
    head.write('ustar', 257);
    await expect(open(head)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('as PyTorch wrote it before 0.1.10'),
    });
  });

  test('another version of the protocol', async () => {
    const bytes = Buffer.from(whole);
    bytes[bytes.indexOf('M\xe9\x03', 0, 'latin1') + 1] = 0xea;
    await expect(open(bytes)).rejects.toThrow('PyTorch protocol is 1002, expected 1001');
  });
});
