import { get_encoding } from 'tiktoken';
import { describe, expect, test } from 'vitest';
import { EmbError } from '../../src/errors.ts';
import { encodingNames, openEncoding } from '../../src/tokenizers/tiktoken.ts';
import { fuzzText, seededRandom } from './fuzz-text.ts';
import { idsOf, oracleNames } from './oracle.ts';

const sizes: Record<string, number> = {
  gpt2: 50257,
  r50k_base: 50257,
  p50k_base: 50281,
  p50k_edit: 50284,
  cl100k_base: 100277,
  o200k_base: 200019,
  o200k_harmony: 201088,
};

const texts = (seed: number, count: number) => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => fuzzText(random));
};

describe.each(encodingNames)('%s', async (name) => {
  const tokenizer = await openEncoding(name);

  test('has one more than its highest id', () => {
    expect(tokenizer.vocabSize).toBe(sizes[name]);
    expect(tokenizer.tokenOf(tokenizer.vocabSize - 1)).toBeDefined();
    expect(tokenizer.tokenOf(tokenizer.vocabSize)).toBeUndefined();
  });

  test('decodes what it encoded', () => {
    for (const text of texts(2, 300)) {
      // Lone surrogates have become U+FFFD.
      expect(Buffer.from(tokenizer.decodeBytes(idsOf(tokenizer, text))).equals(Buffer.from(text))).toBe(true);
    }
  });

  test('gives tokens whose bytes and spans cover the text, in whole characters', () => {
    for (const text of texts(3, 200)) {
      const tokens = tokenizer.encode(text);
      expect(tokens.map((token) => token.id)).toEqual(idsOf(tokenizer, text));
      expect(Buffer.concat(tokens.map((token) => token.bytes)).equals(Buffer.from(text))).toBe(true);
      let reached = 0;
      for (const { start, end } of tokens) {
        // No border splits a surrogate pair.
        const splits = [start, end].some((border) => (text.codePointAt(border - 1) ?? 0) > 0xffff);
        if (splits || start > reached || end < reached || end <= start)
          expect.fail(`${start} to ${end} in ${text}`);
        reached = end;
      }
      expect(reached).toBe(text.length);
    }
  });

  test('finds every token that it spells, by its text or its escaped bytes', () => {
    const random = seededRandom(4);
    for (let i = 0; i < 300; i++) {
      const id = Math.floor(random() * tokenizer.vocabSize);
      const token = tokenizer.tokenOf(id);
      if (token !== undefined) expect(tokenizer.idOf(token)).toBe(id);
    }
  });

  test('takes special tokens in a text for text, unless they are allowed', () => {
    const text = 'a<|endoftext|>b<|nothing|>';
    expect(idsOf(tokenizer, text)).not.toContain(tokenizer.idOf('<|endoftext|>'));
    const tokens = tokenizer.encode(text, { allowSpecial: true });
    expect(tokens.filter((token) => token.special)).toEqual([
      {
        id: tokenizer.idOf('<|endoftext|>'),
        text: '<|endoftext|>',
        bytes: Buffer.from('<|endoftext|>'),
        start: 1,
        end: 14,
        special: true,
        stage: 'added token',
      },
    ]);
    expect(tokens.map((token) => token.id)).toEqual(idsOf(tokenizer, text, true));
    expect(tokens.at(-1)).toMatchObject({ end: text.length });
  });

  test('cuts the same words whether a text is long or short', () => {
    const parts = texts(5, 1500).map((text) => `${text}A b`);
    const long = idsOf(tokenizer, parts.join(' c'));
    expect(long).toEqual(parts.flatMap((part, i) => idsOf(tokenizer, i === 0 ? part : ` c${part}`)));
  });
});

test.each(oracleNames)('%s spells all its tokens as tiktoken does', async (name) => {
  const tokenizer = await openEncoding(name);
  const oracle = get_encoding(name);
  const unused: number[] = [];
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const ours = tokenizer.bytesOf(id);
    if (ours === undefined) unused.push(id);
    else if (!Buffer.from(oracle.decode_single_token_bytes(id)).equals(ours)) {
      expect.fail(`id ${id} is ${Buffer.from(ours).toString('hex')}`);
    }
  }
  // Not freed: it cannot be after it has thrown.
  for (const id of unused) expect(() => oracle.decode_single_token_bytes(id)).toThrow();
});

test.each(oracleNames)('%s parses allowed special tokens as tiktoken does', async (name) => {
  const tokenizer = await openEncoding(name);
  const oracle = get_encoding(name);
  const names = [
    '<|endoftext|>',
    '<|fim_prefix|>',
    '<|endofprompt|>',
    '<|',
    ' ',
    'x',
    '\n',
    '|>',
    '<|<|endoftext|>',
  ];
  const random = seededRandom(6);
  for (let i = 0; i < 500; i++) {
    const parts = Array.from({ length: 5 }, () => names[Math.floor(random() * names.length)]);
    expect(idsOf(tokenizer, parts.join(''), true)).toEqual(
      Array.from(oracle.encode(parts.join(''), 'all', [])),
    );
  }
  oracle.free();
});

test('o200k_harmony has the special tokens of openai_harmony', async () => {
  const tokenizer = await openEncoding('o200k_harmony');
  const named = [
    'startoftext',
    'endoftext',
    'return',
    'constrain',
    'channel',
    'start',
    'end',
    'message',
    'call',
  ];
  expect(named.map((name) => tokenizer.idOf(`<|${name}|>`))).toEqual([
    199998, 199999, 200002, 200003, 200005, 200006, 200007, 200008, 200012,
  ]);
  expect(tokenizer.idOf('<|reserved_201087|>')).toBe(201087);
  expect([tokenizer.idOf('<|reserved_200018|>'), tokenizer.idOf('<|endofprompt|>')]).toEqual([
    200018, 200018,
  ]);
  expect(tokenizer.isSpecial(200018)).toBe(true);
});

test('tokens of half a character share its span, and lone surrogates are one character', async () => {
  const gpt2 = await openEncoding('gpt2');
  const spans = (text: string) => gpt2.encode(text).map(({ text: token, start, end }) => [token, start, end]);
  expect(spans('é😀')).toEqual([
    ['é', 0, 1],
    ['<0xF0><0x9F><0x98>', 1, 3],
    ['<0x80>', 1, 3],
  ]);
  expect(spans('\ud83dx')).toEqual([
    ['\ufffd', 0, 1],
    ['x', 1, 2],
  ]);
});

test('tokens of words that were met before are those of a tokenizer that meets them', async () => {
  const random = seededRandom(8);
  const words = Array.from({ length: 60 }, () => fuzzText(random, 6));
  const warm = await openEncoding('gpt2');
  const sink = { ids: new Uint32Array(16), length: 0 };
  for (let i = 0; i < 300; i++) {
    const pick = () => words[Math.floor(random() * words.length)] as string;
    const text = `${pick()} ${pick()}${pick()}`;
    // Some words are kept by ids alone, without the places of their tokens.
    if (i % 3 === 0) warm.encodeIds(pick(), sink);
    expect(warm.encode(text)).toEqual((await openEncoding('gpt2')).encode(text));
  }
});

test('an unused or fractional id is a range error that names the id', async () => {
  const p50k = await openEncoding('p50k_edit');
  expect(p50k.tokenOf(50256)).toBe('<|endoftext|>');
  const cl100k = await openEncoding('cl100k_base');
  for (const id of [100256, 100261, 100277, -1, 0.5, Number.NaN, 2 ** 31]) {
    expect(cl100k.bytesOf(id)).toBeUndefined();
    expect(() => cl100k.decodeBytes([id])).toThrow(
      expect.objectContaining({ code: 'range', message: expect.stringContaining(`"id" is ${id}`) }),
    );
  }
});

test('suggests the spellings that exist before tokens that look alike', async () => {
  const gpt2 = await openEncoding('gpt2');
  expect(gpt2.idOf('Worldd')).toBeUndefined();
  expect(gpt2.suggest('Worldd', 3)).toContain('World');
  expect(gpt2.suggest('hello ', 2)).toEqual(['hello', ' hello']);
  expect(gpt2.suggest('<|endoftxt|>', 1)).toEqual(['<|endoftext|>']);
});

test('an unknown encoding is missing, with the name that was meant', async () => {
  const error = await openEncoding('cl100k').catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(EmbError);
  expect(error).toMatchObject({ code: 'missing', hint: 'did you mean cl100k_base?' });
  await expect(openEncoding('constructor')).rejects.toMatchObject({ code: 'missing' });
});
