import { describe, expect, test } from 'vitest';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
import { openTokenizerJsonWith } from '../../src/tokenizers/tokenizer-json.ts';
import { ChunkEncoder, type TwinOptions } from '../../src/tokenizers/tokenizer-json-chunks.ts';
import * as more from '../../src/tokenizers/tokenizer-json-more.ts';
import type { Tokenizer } from '../../src/types.ts';
import { fuzzText, seededRandom } from './fuzz-text.ts';
import type { FileJson } from './tokenizer-json-oracle.ts';
import { variant, variantNames, variantText } from './tokenizer-json-variants.ts';

let encoders = 0;

function open(file: FileJson, options: TwinOptions): Tokenizer {
  const bytes = new TextEncoder().encode(JSON.stringify(file));
  return openTokenizerJsonWith(
    { name: 'tokenizer.json', bytes },
    {
      ...more,
      createChunkEncoder: (plan, encodeChunk, model, direct) => {
        encoders++;
        return new ChunkEncoder(plan, encodeChunk, model, direct, options);
      },
    },
  );
}

function idsOf(tokenizer: Tokenizer, text: string): number[] {
  const sink = createIdSink(1);
  tokenizer.encodeIds(text, sink);
  return Array.from(sink.ids.subarray(0, sink.length));
}

const never = { after: Number.POSITIVE_INFINITY };

describe.each(variantNames)('%s', (name) => {
  const file = variant(name);
  const plain = open(file, never);
  const twins = [2, 3, 7, 100].map((bitUnits) => open(file, { after: 0, headUnits: 1 + bitUnits, bitUnits }));

  test('the WebAssembly twin gives the ids of the plain way, whatever it reads at a time', () => {
    const random = seededRandom(name.length);
    for (let i = 0; i < 300; i++) {
      const text = i % 2 === 0 ? variantText(random) : fuzzText(random, 30);
      const expected = idsOf(plain, text);
      for (const twin of twins) expect(idsOf(twin, text), JSON.stringify(text)).toEqual(expected);
    }
  });
});

const chunked = ['bert', 'llama2', 'llama2 by a Metaspace', 'clip', 't5', 'words'];

describe.each(chunked)('%s', (name) => {
  const file = variant(name);
  const texts: Record<string, string> = {
    'a chunk that is longer than the twin has room for': ` a ${'x'.repeat(300_000)} b`,
    'a first and a last chunk that are too long': `${'中é'.repeat(70_000)} a${' b'.repeat(9)}${'y'.repeat(200_000)}`,
    'more ids than the twin has room for': `a b ${'\ufdfa'.repeat(40_000)} c\ufdfa d`,
    'only spaces': ' '.repeat(300_000),
    'words of every size': Array.from({ length: 300 }, (_, i) => 'ab'.repeat(i)).join(' '),
    'many different words': Array.from({ length: 200_000 }, (_, i) => i.toString(36)).join(' '),
  };

  test.each(Object.keys(texts))('%s', (kind) => {
    const expected = idsOf(open(file, never), texts[kind]);
    const twin = open(file, { after: 0 });
    expect(Buffer.from(Uint32Array.from(idsOf(twin, texts[kind])).buffer).toString('base64')).toBe(
      Buffer.from(Uint32Array.from(expected).buffer).toString('base64'),
    );
    // From what is remembered.
    expect(idsOf(twin, texts[kind]).length).toBe(expected.length);
  });

  test('is encoded by a twin', () => {
    const before = encoders;
    idsOf(open(file, { after: 0 }), 'a b c');
    expect(encoders).toBe(before + 1);
  });
});
