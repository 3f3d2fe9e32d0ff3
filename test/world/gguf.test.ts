import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { openGgufTokenizer } from '../../src/tokenizers/gguf.ts';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
import type { MetadataArray } from '../../src/types.ts';
import { checkExplained } from '../tokenizers/explained.ts';
import { hasWorld, oracle, world, worldFiles } from './manifest.ts';

interface OracleFile {
  refused?: string;
  kv: Record<string, unknown>;
  tensors: Record<string, { ggml_type: string; ne: number[]; n_bytes: number }>;
}

const answers = oracle<OracleFile>('oracle_gguf.json');
const files = worldFiles().filter((path) => path.endsWith('.gguf'));
const vocabularies = files.filter((path) => path.includes('ggml-vocab-'));
const hostile = files.filter((path) => path.startsWith('EffortlessMetrics+'));

async function open(path: string) {
  return openTensorFile(openFile(join(world, path)));
}

describe.skipIf(!hasWorld)('every GGUF file of the world', () => {
  test('has an answer or is known to be hostile', () => {
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((path) => !answers[path] && !hostile.includes(path))).toEqual([]);
  });

  test.each(files.filter((path) => answers[path] !== undefined))('%s', async (path) => {
    const answer = answers[path];
    if (answer.refused !== undefined) {
      await expect(open(path)).rejects.toMatchObject({ name: 'EmbError', code: 'corrupt' });
      return;
    }
    const file = await open(path);
    const tensors = file.tensors.map(({ name, dtype, shape, byteLength }) => [
      name,
      { ggml_type: dtype, ne: shape.toReversed(), n_bytes: byteLength },
    ]);
    const expected = Object.entries(answer.tensors).map(([name, { ggml_type, ne, n_bytes }]) => [
      name,
      { ggml_type, ne, n_bytes },
    ]);
    expect(tensors).toEqual(expected);
    for (const [key, value] of Object.entries(answer.kv)) {
      if (key.startsWith('GGUF.')) continue;
      const found = file.metadata.get(key);
      const array = found as MetadataArray;
      if (typeof value === 'object' && value !== null && 'len' in value) {
        const { len, first, last } = value as { len: number; first: unknown[]; last: unknown[] };
        expect(array.length, key).toBe(len);
        expect(await array.values(first.length), key).toEqual(first);
        expect((await array.values()).slice(-last.length), key).toEqual(last);
      } else if (Array.isArray(value)) expect(await array.values(), key).toEqual(value);
      else if (typeof found === 'string')
        expect(found.slice(0, 80), key).toBe((value as string).slice(0, 80));
      else expect(typeof found === 'bigint' ? Number(found) : found, key).toEqual(value);
    }
    await file.close();
  });

  test.each(hostile)('%s is refused or opens without its weights', async (path) => {
    try {
      const file = await open(path);
      for (const [, value] of file.metadata) {
        if (typeof value === 'object' && value !== null) await (value as MetadataArray).values();
      }
      await file.close();
    } catch (error) {
      expect(error).toMatchObject({ name: 'EmbError', message: expect.not.stringContaining('\n') });
    }
  });
});

describe.skipIf(!hasWorld)('every vocabulary of llama.cpp', () => {
  test.each(vocabularies)('%s gives the ids of its 46 texts', async (path) => {
    const file = await open(path);
    const tokenizer = await openGgufTokenizer(path, file.metadata);
    await file.close();
    const texts = readFileSync(join(world, `${path}.inp`), 'utf8').split('\n__ggml_vocab_test__\n');
    const lines = readFileSync(join(world, `${path}.out`), 'utf8').split('\n');
    expect(texts.length).toBeGreaterThan(45);
    texts.forEach((text, i) => {
      const sink = createIdSink();
      tokenizer.encodeIds(text, sink, { template: false, allowSpecial: false });
      const expected = lines[i]
        .split(' ')
        .filter((id) => id !== '')
        .map(Number);
      expect([...sink.ids.subarray(0, sink.length)], JSON.stringify(text)).toEqual(expected);
      expect(tokenizer.encode(text, { template: false, allowSpecial: false }).map(({ id }) => id)).toEqual(
        expected,
      );
    });
    checkExplained(
      tokenizer,
      texts.filter((text) => text.length < 200),
    );
  });
});
