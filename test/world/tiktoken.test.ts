import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodingNames, openEncoding } from '../../src/tokenizers/tiktoken.ts';
import { idsOf } from '../tokenizers/oracle.ts';
import { hasWorld, oracle, world } from './manifest.ts';

interface OracleRanks {
  special_tokens: Record<string, number>;
  max_rank: number;
  encode_ordinary: { text: string; ids: number[] }[];
}

const answers = oracle<OracleRanks>('oracle_tiktoken.json');
const read = (path: string) => (hasWorld ? readFileSync(join(world, path), 'utf8') : '');

/** "EncodingName: ...", "Sample: ...", "Encoded: [...]"; a sample may have several lines. */
const plans = Array.from(
  read('niieani+gpt-tokenizer/TestPlans.txt').matchAll(
    /EncodingName: (\S+)\nSample: ([\s\S]*?)\nEncoded: (\[.*\])/g,
  ),
  ([, name, sample, ids]) => ({ name, sample, ids: JSON.parse(ids) as number[] }),
);

describe.skipIf(!hasWorld)('published answers of the encodings', () => {
  test('are there', () => {
    expect(plans.length).toBe(313);
    expect(Object.keys(answers).length).toBe(2);
  });

  test.each(encodingNames)('the test plans of %s', async (name) => {
    const tokenizer = await openEncoding(name);
    for (const plan of plans.filter((one) => one.name === name)) {
      expect(idsOf(tokenizer, plan.sample)).toEqual(plan.ids);
    }
  });

  test.each([
    ['cl100k_base', 'tokens.json'],
    ['gpt2', 'tokens_gpt2.json'],
  ])('a Rust source file in %s', async (name, ids) => {
    const text = read('dotnet+machinelearning/lib.rs.txt');
    expect(idsOf(await openEncoding(name), text)).toEqual(JSON.parse(read(`dotnet+machinelearning/${ids}`)));
  });

  test.each(Object.keys(answers))("what tiktoken's Python package says of %s", async (path) => {
    const name = path.slice(path.indexOf('/') + 1).replace('.tiktoken', '');
    const tokenizer = await openEncoding(name);
    for (const { text, ids } of answers[path].encode_ordinary) expect(idsOf(tokenizer, text)).toEqual(ids);
    for (const [token, id] of Object.entries(answers[path].special_tokens))
      expect(tokenizer.idOf(token)).toBe(id);
    for (const line of read(path).trim().split('\n')) {
      const [base64, id] = line.split(' ');
      expect(Buffer.from(tokenizer.bytesOf(Number(id)) ?? []).toString('base64')).toBe(base64);
    }
  });
});
