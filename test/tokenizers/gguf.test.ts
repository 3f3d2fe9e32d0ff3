import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { openGgufTokenizer } from '../../src/tokenizers/gguf.ts';
import { wordRules } from '../../src/tokenizers/gguf-words.ts';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
import type { EncodeOptions, Metadata, Tokenizer } from '../../src/types.ts';
import { gguf, i32sValue, stringsValue, stringValue } from '../formats/gguf-bytes.ts';
import { seededRandom } from './fuzz-text.ts';
import { pieceText } from './piece-text.ts';

interface Expected {
  texts: string[];
  /** sha256 of the ids of all texts, first bare, then with special tokens. */
  kinds: Record<string, string>;
  rules: Record<string, string>;
}

const folder = 'fixtures/gguf/vocab';
const { texts, kinds, rules } = JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')) as Expected;

async function metadataOf(name: string, changes: Record<string, unknown> = {}): Promise<Metadata> {
  const file = await openTensorFile(new MemorySource(name, readFileSync(`${folder}/${name}.gguf`)));
  return new Map([...file.metadata, ...Object.entries(changes)]);
}

function idsOf(tokenizer: Tokenizer, text: string, options: EncodeOptions): number[] {
  const sink = createIdSink();
  tokenizer.encodeIds(text, sink, options);
  return [...sink.ids.subarray(0, sink.length)];
}

/** As the maker sums up the ids of llama.cpp. */
function digest(tokenizer: Tokenizer): string {
  const rows = [false, true].flatMap((special) =>
    texts.map((text) => idsOf(tokenizer, text, { template: special, allowSpecial: special })),
  );
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex');
}

/** Spans lie in the text and ascend, and ids are those without spans. */
function checkSpans(tokenizer: Tokenizer): void {
  for (const text of texts) {
    const tokens = tokenizer.encode(text);
    expect(tokens.map(({ id }) => id)).toEqual(idsOf(tokenizer, text, {}));
    let last = 0;
    for (const { start, end } of tokens) {
      expect(start).toBeGreaterThanOrEqual(last);
      expect(end).toBeGreaterThanOrEqual(start);
      expect(end).toBeLessThanOrEqual(text.length);
      last = start;
    }
  }
}

describe('ways to cut words', () => {
  test('are all those of llama.cpp', () => {
    const names = wordRules.flatMap((rule) => rule.names.split(' '));
    expect(new Set(names).size).toBe(names.length);
    const others = ['glm5', 'gemma4', 'granite-embed-multi-311m', 'sarvam-moe'];
    expect(names.filter((name) => !others.includes(name)).sort()).toEqual(Object.keys(rules).sort());
  });

  test.each(Object.entries(rules))('%s gives the ids of llama.cpp', async (name, expected) => {
    const metadata = await metadataOf('byte-pairs', { 'tokenizer.ggml.pre': name });
    const tokenizer = await openGgufTokenizer(name, metadata);
    expect(digest(tokenizer)).toBe(expected);
    // The second time through the tables for long texts.
    idsOf(tokenizer, 'the house '.repeat(2000), {});
    expect(digest(tokenizer)).toBe(expected);
    checkSpans(tokenizer);
  });

  test("a long s after an apostrophe is a contraction, as the models' own tokenizers have it and llama.cpp does not", async () => {
    const own = await openGgufTokenizer(
      'x',
      await metadataOf('byte-pairs', { 'tokenizer.ggml.pre': 'qwen2' }),
    );
    const other = await openGgufTokenizer(
      'x',
      await metadataOf('byte-pairs', { 'tokenizer.ggml.pre': 'gpt-4o' }),
    );
    expect(own.encode("x'ſ").map(({ start }) => start)).toEqual(
      other.encode("x'ſ").map(({ start }) => start),
    );
  });

  test('an unknown one is refused by name, and ids still have their names', async () => {
    const metadata = await metadataOf('byte-pairs', { 'tokenizer.ggml.pre': 'qwen22' });
    const tokenizer = await openGgufTokenizer('x.gguf', metadata);
    expect(() => tokenizer.encode('a')).toThrow('x.gguf: "tokenizer.ggml.pre" is "qwen22"');
    expect(tokenizer.tokenOf(300)).toBeDefined();
    expect(tokenizer.bytesOf(300)).toBeDefined();
  });
});

describe('kinds of vocabularies', () => {
  const changes: Record<string, Record<string, unknown>> = {
    'llama-bare': { 'tokenizer.ggml.add_space_prefix': false, 'tokenizer.ggml.add_eos_token': true },
    't5-bare': { 'tokenizer.ggml.add_space_prefix': false, 'tokenizer.ggml.remove_extra_whitespaces': false },
  };

  test.each(Object.entries(kinds))('%s gives the ids of llama.cpp', async (name, expected) => {
    const metadata = await metadataOf(name.replace('-bare', ''), changes[name]);
    const tokenizer = await openGgufTokenizer(name, metadata);
    expect(digest(tokenizer)).toBe(expected);
    checkSpans(tokenizer);
  });

  test.each(['llama', 'llama-bare'])('%s gives the same ids chunk by chunk', async (name) => {
    const metadata = await metadataOf(name.replace('-bare', ''), changes[name]);
    const tokenizer = await openGgufTokenizer(name, metadata);
    // After some thousand characters texts are encoded in chunks; spans are for whole texts alone.
    idsOf(tokenizer, 'so many words '.repeat(1000), {});
    expect(digest(tokenizer)).toBe(kinds[name]);
    checkSpans(tokenizer);
    const random = seededRandom(name.length);
    for (let i = 0; i < 2000; i++) {
      const text = pieceText(random);
      expect([text, idsOf(tokenizer, text, {})]).toEqual([text, tokenizer.encode(text).map(({ id }) => id)]);
    }
  });

  test.each(['byte-pairs', 'llama', 'gemma4', 'rwkv', 'plamo2'])(
    '%s decodes what it encodes',
    async (name) => {
      const tokenizer = await openGgufTokenizer(name, await metadataOf(name));
      for (const text of texts.filter((each) => !each.includes('▁') && !/[<[\ufeff]/.test(each))) {
        const ids = idsOf(tokenizer, text, { template: false });
        expect(Buffer.from(tokenizer.decodeBytes(ids)).toString()).toBe(text);
      }
    },
  );

  test('tokens are found by name and by what they stand for', async () => {
    const pairs = await openGgufTokenizer('x', await metadataOf('byte-pairs'));
    const that = pairs.idOf('thatĠ') ?? expect.fail();
    expect(pairs.idOf('that ')).toBe(that);
    expect(Buffer.from(pairs.bytesOf(that) ?? []).toString()).toBe('that ');
    expect([pairs.isSpecial(that), pairs.isSpecial(pairs.idOf('<end>') ?? -1)]).toEqual([false, true]);
    expect(pairs.tokenOf(pairs.vocabSize)).toBeUndefined();
    expect(() => pairs.decodeBytes([pairs.vocabSize])).toThrow('expected one of the');
    const llama = await openGgufTokenizer('x', await metadataOf('llama'));
    expect([...(llama.bytesOf(llama.idOf('<0xE4>') ?? -1) ?? [])]).toEqual([0xe4]);
    expect(llama.idOf(' the')).toBe(llama.idOf('▁the'));
    expect(llama.suggest('▁thee', 3)).toContain('▁the');
  });

  test.each(['whitespace', 'hybriddna', 'none', 'x'])('%s is refused by name', async (kind) => {
    const metadata = await metadataOf('byte-pairs', { 'tokenizer.ggml.model': kind });
    const tokenizer = await openGgufTokenizer('x.gguf', metadata);
    expect(() => tokenizer.encode('a')).toThrow(`x.gguf: "tokenizer.ggml.model" is "${kind}", expected gpt2`);
    expect(tokenizer.tokenOf(0)).toBeDefined();
  });
});

describe('vocabularies that are refused', () => {
  const model = ['tokenizer.ggml.model', stringValue('llama')] as const;
  const tokens = ['tokenizer.ggml.tokens', stringsValue(['<unk>', 'a', 'b'])] as const;
  const [key, types] = ['tokenizer.ggml.token_type', i32sValue([2, 1])];

  test.each<[string, Parameters<typeof gguf>[0]['keys'], string]>([
    ['no tokens', [model], '"tokenizer.ggml.tokens" is missing'],
    ['tokens that are text', [model, ['tokenizer.ggml.tokens', stringValue('a')]], 'is no array of strings'],
    ['tokens that are numbers', [model, ['tokenizer.ggml.tokens', i32sValue([1])]], 'is no array of strings'],
    ['too few types', [model, tokens, [key, types]], '"tokenizer.ggml.token_type" has 2 numbers, expected 3'],
    [
      'too few scores',
      [model, tokens, ['tokenizer.ggml.scores', types]],
      '"tokenizer.ggml.scores" has 2 numbers',
    ],
    [
      'no merges',
      [['tokenizer.ggml.model', stringValue('gpt2')], tokens],
      '"tokenizer.ggml.merges" is missing',
    ],
  ])('%s', async (_, keys, message) => {
    const file = await openTensorFile(new MemorySource('x.gguf', gguf({ keys })));
    await expect(openGgufTokenizer('x.gguf', file.metadata)).rejects.toMatchObject({
      name: 'EmbError',
      code: 'corrupt',
      message: expect.stringContaining(message),
    });
  });

  test('a vocabulary without bytes gives unknown tokens, not errors', async () => {
    const file = await openTensorFile(new MemorySource('x.gguf', gguf({ keys: [model, tokens] })));
    const tokenizer = await openGgufTokenizer('x.gguf', file.metadata);
    expect(idsOf(tokenizer, 'abc', { template: false }).at(-1)).toBe(0);
  });
});

describe('long texts', () => {
  test.each(['byte-pairs', 'llama', 'bert', 't5', 'rwkv', 'plamo2', 'gemma4'])(
    '%s takes hundreds of thousands of letters without spaces in bounded time',
    async (name) => {
      const tokenizer = await openGgufTokenizer(name, await metadataOf(name));
      const start = performance.now();
      for (const text of ['a'.repeat(100_000), 'the'.repeat(30_000), '1'.repeat(100_000)])
        idsOf(tokenizer, text, {});
      expect(performance.now() - start).toBeLessThan(20_000);
    },
  );
});

describe('damaged vocabularies', () => {
  test.each(['byte-pairs', 'llama', 'bert', 't5', 'rwkv', 'plamo2', 'gemma4'])(
    '%s with changed bytes encodes or is refused',
    async (name) => {
      const whole = readFileSync(`${folder}/${name}.gguf`);
      const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 30 }), async (changes) => {
          const bytes = Uint8Array.from(whole);
          for (const [at, byte] of changes) bytes[at] = byte;
          try {
            const file = await openTensorFile(new MemorySource('x.gguf', bytes));
            const tokenizer = await openGgufTokenizer('x.gguf', file.metadata);
            for (const text of ['Hello,  wörld 中\n\n<user>1234', ' the house'.repeat(40)]) {
              const ids = tokenizer.encode(text).map(({ id }) => id);
              expect(ids.every((id) => id < tokenizer.vocabSize)).toBe(true);
              tokenizer.decodeBytes(ids);
            }
          } catch (error) {
            expect(error).toMatchObject({ name: 'EmbError', message: expect.not.stringContaining('\n') });
          }
        }),
        { seed: 11, numRuns: 150 },
      );
    },
  );
});
