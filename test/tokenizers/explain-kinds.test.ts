import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { openGgufTokenizer } from '../../src/tokenizers/gguf.ts';
import { openSentencePiece } from '../../src/tokenizers/sentencepiece-tokenizer.ts';
import { noSettings } from '../../src/tokenizers/vocab-settings.ts';
import { openWordsTokenizer } from '../../src/tokenizers/words.ts';
import type { Explanation, MetadataArray, Tokenizer } from '../../src/types.ts';
import { checkExplained } from './explained.ts';
import { fuzzText, seededRandom } from './fuzz-text.ts';
import { pieceText } from './piece-text.ts';

const random = seededRandom(47);
const texts = [
  ...Array.from({ length: 50 }, () => pieceText(random)),
  ...Array.from({ length: 50 }, () => fuzzText(random)),
  'Hello  world, naïve café \u{1f600}',
  '\ufeffあ new\nlines\r\n\t',
  ' <unk> x<s>',
  '',
].filter((text) => text.length < 300);

const folder = 'fixtures/gguf/vocab';
const ggufKinds: [string, Explanation][] = [
  ['byte-pairs', 'merges'],
  ['gemma4', 'merges'],
  ['llama', 'scored merges'],
  ['bert', 'pieces'],
  ['t5', 'pieces'],
  ['rwkv', 'pieces'],
  ['plamo2', 'pieces'],
];

async function metadataOf(name: string) {
  const file = await openTensorFile(new MemorySource(name, readFileSync(`${folder}/${name}.gguf`)));
  return file.metadata;
}

describe.each(ggufKinds)('the GGUF vocabulary %s', (name, explains) => {
  test('is explained with the ids that encoding gives', async () => {
    const tokenizer = await openGgufTokenizer(name, await metadataOf(name));
    expect(tokenizer.explains).toBe(explains);
    expect(checkExplained(tokenizer, texts)).toBeGreaterThan(300);
    // The same once tables for long texts are there.
    tokenizer.encode('the house '.repeat(3000));
    expect(checkExplained(tokenizer, texts)).toBeGreaterThan(300);
  });
});

/** Merging by strings: of all neighbors those that cost the least, leftmost first. */
function* naiveSteps(symbols: string[], costOf: (left: string, right: string) => number | undefined) {
  for (;;) {
    const costs = symbols.slice(1).map((right, i) => costOf(symbols[i] as string, right));
    const lowest = Math.min(...costs.map((cost) => cost ?? Number.POSITIVE_INFINITY));
    if (lowest === Number.POSITIVE_INFINITY) return;
    const place = costs.indexOf(lowest);
    const [left, right] = symbols.slice(place, place + 2) as [string, string];
    symbols = symbols.toSpliced(place, 2, left + right);
    yield { cost: lowest, left, right, merged: left + right, symbols };
  }
}

/** Holds the merges of every word against naiveSteps; how many there were. */
function checkMerges(
  tokenizer: Tokenizer,
  costOf: (left: string, right: string) => number | undefined,
): number {
  const nameOf = (symbol: number | string | null) =>
    typeof symbol === 'number' ? (tokenizer.tokenOf(symbol) as string) : (symbol as string);
  let count = 0;
  for (const text of texts) {
    for (const word of tokenizer.explain(text)) {
      if (!('steps' in word)) throw new Error('expected merges');
      const [first, ...rest] = word.steps;
      const symbols = (first?.ids ?? []).map(nameOf);
      // Taken whole, or with symbols whose names are not their texts.
      if (symbols.some((symbol) => [...symbol].length > 1)) continue;
      const merges = rest
        .filter(({ merged }) => merged !== null)
        .map(({ rank, score, left, right, merged, ids }) => ({
          cost: rank ?? -(score as number),
          left: nameOf(left),
          right: nameOf(right),
          merged: nameOf(merged),
          symbols: ids.map(nameOf),
        }));
      expect([text, merges]).toEqual([text, [...naiveSteps(symbols, costOf)]]);
      count += merges.length;
    }
  }
  return count;
}

test('GGUF byte pairs merge by their place in the list of merges', async () => {
  const metadata = await metadataOf('byte-pairs');
  const merges = (await (metadata.get('tokenizer.ggml.merges') as MetadataArray).values()) as string[];
  const tokenizer = await openGgufTokenizer('x', metadata);
  const ranks = new Map(merges.map((merge, rank) => [merge, rank]));
  expect(checkMerges(tokenizer, (left, right) => ranks.get(`${left} ${right}`))).toBeGreaterThan(100);
});

test('GGUF vocabularies of the llama kind merge by the score of the joined token', async () => {
  const metadata = await metadataOf('llama');
  const scores = (await (metadata.get('tokenizer.ggml.scores') as MetadataArray).values()) as number[];
  const tokenizer = await openGgufTokenizer('x', metadata);
  const costOf = (left: string, right: string) => {
    const id = tokenizer.idOf(left + right);
    return id === undefined || tokenizer.tokenOf(id) !== left + right ? undefined : -(scores[id] as number);
  };
  expect(checkMerges(tokenizer, costOf)).toBeGreaterThan(100);
});

const slow = (kind: string) => {
  const packed = readFileSync(new URL(`../../fixtures/tokenizers-slow/${kind}.json.gz`, import.meta.url));
  return Buffer.from(JSON.parse(gunzipSync(packed).toString()).model, 'base64');
};

const pieceKinds: [string, Explanation][] = [
  ['unigram', 'pieces'],
  ['unigram-bytes', 'pieces'],
  ['unigram-raw', 'pieces'],
  ['bpe', 'scored merges'],
  ['bpe-bytes', 'scored merges'],
  ['bpe-suffix', 'scored merges'],
  ['word', 'words'],
  ['char', 'characters'],
];

describe.each(pieceKinds)('the SentencePiece model %s', (kind, explains) => {
  test('is explained with the ids that encoding gives', () => {
    const tokenizer = openSentencePiece(`${kind}.model`, slow(kind));
    expect(tokenizer.explains).toBe(explains);
    expect(checkExplained(tokenizer, texts)).toBeGreaterThan(100);
  });

  test.each([
    { tokenizer_class: 'LlamaTokenizer', legacy: false },
    { tokenizer_class: 'T5Tokenizer', legacy: false },
    { tokenizer_class: 'XLMRobertaTokenizer' },
    { tokenizer_class: 'AlbertTokenizer' },
  ])('is explained with the ids of its class: %o', (tokenizerConfig) => {
    const tokenizer = openSentencePiece(`${kind}.model`, slow(kind), {
      ...noSettings,
      tokenizer: tokenizerConfig,
    });
    expect(checkExplained(tokenizer, texts)).toBeGreaterThan(10);
  });
});

test('words of word vectors are looked up', () => {
  const words = ['king', 'New York', '<unk>'].map((word) => Buffer.from(word));
  const tokenizer = openWordsTokenizer('x', {
    size: words.length,
    idOf: (bytes) => {
      const id = words.findIndex((word) => word.equals(bytes));
      return id < 0 ? undefined : id;
    },
    bytesOf: (id) => words[id] as Buffer,
  });
  expect(tokenizer.explains).toBe('words');
  const found = [...tokenizer.explain('king naïve')];
  expect(found).toEqual([
    { word: 'king', pieces: [{ start: 0, end: 4, id: 0, score: null, total: null, chosen: true }] },
    { word: 'naïve', pieces: [{ start: 0, end: 6, id: 2, score: null, total: null, chosen: true }] },
  ]);
});
