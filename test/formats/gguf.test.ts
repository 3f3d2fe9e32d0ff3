import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import type { MetadataArray, TensorFile } from '../../src/types.ts';
import { gguf, MemoryFiles, stringsValue, stringValue, u32Value } from './gguf-bytes.ts';
import { CountingSource, fixture, readJson } from './tables.ts';

interface Expected {
  metadata: Record<string, unknown>;
  tensors: Record<string, { type: string; ne: number[]; bytes: number; offset: number }>;
}

const { files } = readJson<{ files: Record<string, Expected> }>(fixture('gguf/expected.json'));
const bytesOf = (name: string) => readFileSync(fixture(`gguf/${name}`));
const split = (index: number) => `split-0000${index}-of-00003.gguf`;

function open(name: string, others?: MemoryFiles): Promise<TensorFile> {
  return openTensorFile(new MemorySource(name, bytesOf(name)), others);
}

function isArray(value: unknown): value is MetadataArray {
  return typeof value === 'object' && value !== null && 'elementType' in value;
}

/** Metadata as plain values; numbers of 64 bits that no double holds as text. */
async function plain(value: unknown): Promise<unknown> {
  if (isArray(value)) return Promise.all((await value.values()).map(plain));
  return typeof value === 'bigint' ? String(value) : value;
}

describe('files of gguf-py', () => {
  const names = Object.keys(files).filter((name) => !name.startsWith('split'));

  test.each(names)('%s has its metadata, tensors, shapes and places', async (name) => {
    const expected = files[name];
    const file = await open(name);
    for (const [key, value] of Object.entries(expected.metadata)) {
      const found = await plain(file.metadata.get(key));
      expect(key.endsWith('64') && Array.isArray(found) ? found.map(String) : found, key).toEqual(value);
    }
    const tensors = Object.fromEntries(
      file.tensors.map(({ name: key, dtype, shape, byteLength, offset }) => [
        key,
        { type: dtype, ne: shape.toReversed(), bytes: byteLength, offset },
      ]),
    );
    expect(tensors).toEqual(expected.tensors);
    expect(file.tensors.every(({ bigEndian }) => (bigEndian ?? false) === name.includes('-be'))).toBe(true);
  });

  test.each(['v1.gguf', 'v2.gguf', 'v3-be.gguf'])('%s says what version 3 says', async (name) => {
    const [file, other] = [await open(name), await open('v3.gguf')];
    for (const [key, value] of other.metadata) {
      expect(await plain(file.metadata.get(key)), key).toEqual(await plain(value));
    }
    expect(file.metadata.size).toBe(other.metadata.size);
    expect(file.config).toEqual(other.config);
    const rows = async ({ tensors }: TensorFile) => {
      const table = rowsOf(tensors[0]);
      const out = new Float32Array(table.rows * table.dim);
      await table.gather(Uint32Array.of(0, 1, 2, 3, 4), out);
      return out;
    };
    expect(await rows(file)).toEqual(await rows(other));
  });

  test('arrays of strings give their bytes, arrays of numbers their values', async () => {
    for (const name of ['v1.gguf', 'v3.gguf', 'v3-be.gguf']) {
      const { metadata } = await open(name);
      const strings = metadata.get('array.string') as MetadataArray;
      const { bytes, starts, ends } = (await strings.strings?.()) ?? expect.fail();
      const texts = Array.from(starts, (start, i) => Buffer.from(bytes.subarray(start, ends[i])).toString());
      expect(texts).toEqual(['', 'a', 'grüße', 'x'.repeat(300)]);
      expect(await strings.values(2)).toEqual(['', 'a']);
      const numbers = metadata.get('array.int16') as MetadataArray;
      expect(Array.from((await numbers.numbers?.()) ?? [])).toEqual([-32768, 32767]);
      const whole = metadata.get('array.int32') as MetadataArray;
      expect(Array.from((await whole.numbers?.()) ?? [])).toEqual([-(2 ** 31), 2 ** 31 - 1]);
      expect(numbers.strings).toBeUndefined();
      const nested = metadata.get('array.array') as MetadataArray;
      expect([nested.elementType, await plain(nested)]).toEqual(['array', [[1, 2], [3]]]);
    }
  });
});

describe('what a file says of its model', () => {
  test('config and roles come from the keys of its architecture', async () => {
    const file = await open('v3.gguf');
    expect(file.config).toEqual({
      model_type: 'llama',
      vocab_size: 5,
      hidden_size: 32,
      max_position_embeddings: 4096,
      num_hidden_layers: 2,
      rope_theta: 10000,
      pad_token_id: 0,
      tie_word_embeddings: false,
    });
    expect(file.roles?.map(({ layer, tensor }) => [layer, tensor])).toEqual([
      ['input', 'token_embd.weight'],
      ['output', 'output.weight'],
    ]);
    expect(file.vocabulary?.kind).toBe('gguf');
  });

  test.each([
    ['llama', ['token_embd.weight'], true],
    ['llama', ['token_embd.weight', 'output.weight'], false],
    ['bert', ['token_embd.weight'], false],
    ['llama', ['blk.0.attn_q.weight'], undefined],
  ])('%s with %j is tied: %s', async (architecture, names, tied) => {
    const bytes = gguf({
      keys: [['general.architecture', stringValue(architecture)]],
      tensors: names.map((name, i) => ({ name, shape: [8, 1], offset: 32 * i })),
      data: 64,
    });
    const file = await openTensorFile(new MemorySource('x.gguf', bytes));
    expect(file.config?.tie_word_embeddings).toBe(tied);
  });

  test('position and type tables are found', async () => {
    const bytes = gguf({
      keys: [
        ['general.architecture', stringValue('bert')],
        ['tokenizer.ggml.token_type_count', u32Value(2)],
      ],
      tensors: ['token_embd', 'position_embd', 'token_types'].map((name, i) => ({
        name: `${name}.weight`,
        shape: [8, 2],
        offset: 64 * i,
      })),
      data: 192,
    });
    const { roles, config } = await openTensorFile(new MemorySource('x.gguf', bytes));
    expect(roles?.map(({ layer }) => layer)).toEqual(['input', 'position', 'type']);
    expect(config).toMatchObject({ model_type: 'bert', type_vocab_size: 2 });
  });
});

describe('split files', () => {
  const all = () => new MemoryFiles(Object.fromEntries([1, 2, 3].map((i) => [split(i), bytesOf(split(i))])));

  test.each([1, 2, 3])('part %i opens all, with the metadata of the first', async (index) => {
    const others = all();
    const file = await open(split(index), others);
    expect(file.tensors.map(({ name, source }) => [name, source.name])).toEqual([
      ['token_embd.weight', split(1)],
      ['output_norm.weight', split(2)],
      ['output.weight', split(3)],
    ]);
    expect(file.metadata.get('llama.embedding_length')).toBe(32);
    expect(file.roles?.length).toBe(2);
    expect(file.notes).toEqual([]);
    expect(others.opened).not.toContain(split(index));
    const output = rowsOf(file.tensors[2]);
    const row = new Float32Array(32);
    await output.gather(Uint32Array.of(1), row);
    expect(row[7]).toBe(2);
    await file.close();
  });

  test('a part whose others are not there opens alone and says so', async () => {
    for (const files of [undefined, new MemoryFiles({ [split(2)]: bytesOf(split(2)) })]) {
      const file = await open(split(2), files);
      expect(file.tensors.length).toBe(1);
      expect(file.notes).toEqual(['part 2 of 3: the others are not here, and its tensors stand alone']);
    }
  });

  test('a missing part is named', async () => {
    const files = new MemoryFiles({ [split(1)]: bytesOf(split(1)), [split(2)]: bytesOf(split(2)) });
    await expect(open(split(1), files)).rejects.toMatchObject({
      code: 'missing',
      message: `folder: has no ${split(3)}, expected all 3 parts: 2 are there`,
    });
  });

  test('a part of another split, a part twice and a part under another name are refused', async () => {
    const [first, second] = [bytesOf(split(1)), bytesOf(split(2))];
    const wrong = new MemoryFiles({ [split(2)]: second, [split(3)]: second });
    await expect(open(split(1), wrong)).rejects.toThrow(
      '"split.no" and "split.count" are 1 and 3, expected 2 and 3',
    );
    await expect(openTensorFile(new MemorySource('a.gguf', first), all())).rejects.toThrow(
      'is part 1 of 3, expected a name that ends with "-00001-of-00003.gguf"',
    );
    const third = Buffer.from(bytesOf(split(3)));
    third.write('token_embd.weight', third.indexOf('output.weight'));
    third.writeUInt32LE(17, third.indexOf('token_embd.weight') - 8);
    await expect(
      open(split(1), new MemoryFiles({ [split(2)]: second, [split(3)]: third })),
    ).rejects.toMatchObject({ name: 'EmbError' });
  });
});

describe('large headers', () => {
  const tokens = Array.from({ length: 150_000 }, (_, i) => `token${i}`);
  const bytes = gguf({
    keys: [
      ['tokenizer.ggml.tokens', stringsValue(tokens)],
      ['last', stringValue('x')],
    ],
    tensors: [{ name: 'token_embd.weight', shape: [8, 2] }],
    data: 64,
  });

  test('are walked in few reads and little time, and decoded from what was read', async () => {
    const source = new CountingSource(new MemorySource('x.gguf', bytes));
    const start = performance.now();
    const file = await openTensorFile(source);
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(source.reads.length).toBeLessThan(10);
    const reads = source.reads.length;
    const array = file.metadata.get('tokenizer.ggml.tokens') as MetadataArray;
    expect(await array.values(3)).toEqual(tokens.slice(0, 3));
    expect(file.metadata.get('last')).toBe('x');
    const strings = (await array.strings?.()) ?? expect.fail();
    const last = strings.bytes.subarray(strings.starts[149_999], strings.ends[149_999]);
    expect(Buffer.from(last).toString()).toBe('token149999');
    expect(source.reads.length).toBe(reads);
  });
});
