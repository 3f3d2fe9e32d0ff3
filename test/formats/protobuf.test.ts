import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { ProtoReader } from '../../src/formats/protobuf.ts';

/** The fields of a message, as number, wire type and payload. */
async function fieldsOf(bytes: number[]): Promise<[number, number, number[]][]> {
  const source = new MemorySource('m', Uint8Array.from(bytes));
  const reader = ProtoReader.over(source);
  const found: [number, number, number[]][] = [];
  while (reader.ready ? reader.step() : await reader.next()) {
    found.push([reader.field, reader.type, bytes.slice(reader.start, reader.end)]);
  }
  return found;
}

const numberOf = async (bytes: number[]) => {
  const reader = ProtoReader.over(new MemorySource('m', Uint8Array.of(8, ...bytes)));
  await reader.next();
  return reader.integer('n');
};

describe('protobuf messages', () => {
  test('every wire type is walked', async () => {
    const bytes = [8, 150, 1, 18, 2, 104, 105, 29, 1, 2, 3, 4, 33, 1, 2, 3, 4, 5, 6, 7, 8, 0x82, 1, 0];
    expect(await fieldsOf(bytes)).toEqual([
      [1, 0, [150, 1]],
      [2, 2, [104, 105]],
      [3, 5, [1, 2, 3, 4]],
      [4, 1, [1, 2, 3, 4, 5, 6, 7, 8]],
      [16, 2, []],
    ]);
  });

  test.each([
    [[0], 0],
    [[0x96, 1], 150],
    [[0xff, 0xff, 0xff, 0xff, 0x0f], 0xffffffff],
    [[0x80, 0x80, 0x80, 0x80, 0x10], 2 ** 32],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], 2 ** 53 - 1],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], -1],
    [[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], -2],
  ])('%j is %d', async (bytes, value) => {
    expect(await numberOf(bytes)).toBe(value);
  });

  test.each<[string, number[], string]>([
    ['a number beyond 2^53', [8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10], '"n" is beyond 2^53 - 1'],
    ['a number of 11 bytes', [8, ...Array(10).fill(0x80), 1], 'is inside a number of more than 10 bytes'],
    ['a number that ends', [8, 0x80], 'is inside a number, expected its end'],
    ['field 0', [0, 1], 'has no field number'],
    ['a group', [11, 12], 'has the wire type 3, expected 0, 1, 2 or 5'],
    ['bytes beyond the message', [18, 5, 1], 'has 5 bytes, expected at most 1'],
    ['bytes where a number is asked for', [10, 1, 7], '"n" has the wire type 2, expected a number'],
  ])('%s is refused', async (_, bytes, message) => {
    const reader = ProtoReader.over(new MemorySource('m', Uint8Array.from(bytes)));
    const walk = async () => {
      while (await reader.next()) reader.integer('n');
    };
    await expect(walk()).rejects.toMatchObject({
      name: 'EmbError',
      code: 'corrupt',
      message: expect.stringContaining(message),
    });
  });

  test('numbers are read packed and one by one, as many as are allowed', async () => {
    const reader = ProtoReader.over(new MemorySource('m', Uint8Array.of(8, 1, 10, 3, 2, 0x96, 1, 8, 4)));
    const numbers: number[] = [];
    while (await reader.next()) await reader.integers('dims', numbers, 4);
    expect(numbers).toEqual([1, 2, 150, 4]);
    const short = ProtoReader.over(new MemorySource('m', Uint8Array.of(10, 3, 2, 3, 4)));
    await short.next();
    await expect(short.integers('dims', [], 2)).rejects.toThrow('"dims" has more than 2 numbers');
  });

  test('messages inside are walked where they lie, and the outer one goes on behind them', async () => {
    const far = Array(70_000).fill(7);
    const inner = [10, 2, 104, 105, 18, 0xf0, 0xa2, 4, ...far, 24, 9];
    const length = [0x80 | (inner.length & 127), 0x80 | ((inner.length >> 7) & 127), inner.length >> 14];
    const bytes = Uint8Array.from([10, ...length, ...inner, 16, 5]);
    const outer = ProtoReader.over(new MemorySource('m', bytes));
    await outer.next();
    const reader = outer.message('inner');
    await reader.next();
    expect(await reader.text('text', 10)).toBe('hi');
    await reader.next();
    expect((await reader.bytes('far', 100_000)).length).toBe(70_000);
    await expect(reader.bytes('far', 100)).rejects.toThrow('"far" has 70000 bytes, expected at most 100');
    await reader.next();
    expect(reader.integer('n')).toBe(9);
    expect(await reader.next()).toBe(false);
    await outer.next();
    expect(outer.integer('m')).toBe(5);
  });

  test('bytes in memory need no waiting', () => {
    const bytes = Uint8Array.of(10, 2, 104, 105, 16, 3);
    const reader = ProtoReader.overBytes(new MemorySource('m', bytes), bytes);
    expect(reader.ready && reader.step()).toBe(true);
    expect(reader.viewText('text', 8)).toBe('hi');
    expect(reader.ready && reader.step()).toBe(true);
    expect(reader.integer('n')).toBe(3);
    expect(reader.step()).toBe(false);
  });
});
