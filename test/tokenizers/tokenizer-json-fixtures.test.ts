import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
import type { EncodeOptions, Tokenizer } from '../../src/types.ts';
import { type Answer, openBytes, ourAnswer } from './tokenizer-json-oracle.ts';

const root = new URL('../../fixtures/tokenizers/', import.meta.url);
const texts: string[] = JSON.parse(readFileSync(new URL('texts.json', root), 'utf8'));
const names = readdirSync(root).filter((name) => existsSync(new URL(`${name}/tokenizer.json`, root)));

interface Expected {
  vocab: number;
  tokens: (string | null)[];
  template?: Answer[];
  bare: number[][];
  literal: Record<string, number[]>;
}

function open(name: string): Tokenizer {
  return openBytes(readFileSync(new URL(`${name}/tokenizer.json`, root)));
}

function idsOf(tokenizer: Tokenizer, text: string, options?: EncodeOptions): number[] {
  const sink = createIdSink(1);
  tokenizer.encodeIds(text, sink, options);
  return Array.from(sink.ids.subarray(0, sink.length));
}

describe.each(names)('the tokenizer %s', (name) => {
  const tokenizer = open(name);
  const expected: Expected = JSON.parse(readFileSync(new URL(`${name}/expected.json`, root), 'utf8'));

  test('names its tokens as Hugging Face does, and finds them by name', () => {
    expect(tokenizer.vocabSize).toBe(expected.tokens.length);
    expected.tokens.forEach((token, id) => {
      expect(tokenizer.tokenOf(id) ?? null).toBe(token);
      if (token !== null) expect(tokenizer.idOf(token)).toBe(id);
    });
    expect(tokenizer.tokenOf(expected.tokens.length)).toBeUndefined();
    expect(tokenizer.tokenOf(-1)).toBeUndefined();
    expect(tokenizer.idOf('no such token')).toBeUndefined();
  });

  const answers = expected.template;
  // What other models make of texts is held against npm's tokenizers instead.
  if (answers === undefined) return;

  test('gives the ids and spans of Hugging Face', () => {
    texts.forEach((text, i) => {
      expect([text, ourAnswer(tokenizer, text)]).toEqual([text, answers[i]]);
      expect([text, idsOf(tokenizer, text)]).toEqual([text, answers[i][0]]);
    });
  });

  test('leaves the template out, and special tokens as plain text, when told to', () => {
    expected.bare.forEach((ids, i) => {
      expect([texts[i], idsOf(tokenizer, texts[i], { template: false })]).toEqual([texts[i], ids]);
      expect(tokenizer.encode(texts[i], { template: false }).map((token) => token.id)).toEqual(ids);
    });
    for (const [i, ids] of Object.entries(expected.literal)) {
      const text = texts[Number(i)];
      expect([text, idsOf(tokenizer, text, { template: false, allowSpecial: false })]).toEqual([text, ids]);
    }
  });

  test('appends to what a sink holds', () => {
    const sink = createIdSink(1);
    sink.ids[0] = 7;
    sink.length = 1;
    tokenizer.encodeIds('Hello world', sink);
    expect(Array.from(sink.ids.subarray(0, sink.length))).toEqual([7, ...idsOf(tokenizer, 'Hello world')]);
  });

  test('has spans of whole characters that ascend, and bytes that are what the token stands for', () => {
    for (const text of texts) {
      for (const token of tokenizer.encode(text, { template: false })) {
        expect(token.end).toBeGreaterThanOrEqual(token.start);
        expect(isInsidePair(text, token.start) || isInsidePair(text, token.end)).toBe(false);
        expect(token.bytes).toEqual(tokenizer.bytesOf(token.id));
        expect(token.text).toBe(tokenizer.tokenOf(token.id));
      }
    }
  });
});

test('unknown bytes are left out of a vocabulary, and the tokens after them keep their place', () => {
  const tokenizer = open('unknown');
  const file = JSON.parse(readFileSync(new URL('unknown/tokenizer.json', root), 'utf8'));
  expect(tokenizer.encode('a??b', { template: false }).map((token) => token.text)).toEqual([
    'a',
    '<unk>',
    'b',
  ]);
  file.model.unk_token = null;
  const silent = openBytes(file);
  expect(
    silent.encode('a??b', { template: false }).map(({ text, start, end }) => [text, start, end]),
  ).toEqual([
    ['a', 0, 1],
    ['b', 3, 4],
  ]);
});

test.each(names.filter((name) => !['wordpiece', 'unknown', 'added', 'roberta', 'cuts'].includes(name)))(
  'decoding the ids of %s gives the text back',
  (name) => {
    const tokenizer = open(name);
    for (const text of texts) {
      const bytes = tokenizer.decodeBytes(idsOf(tokenizer, text, { template: false }));
      expect(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)).toBe(
        name === 'qwen' ? text.normalize('NFC') : text,
      );
    }
  },
);

test('special tokens are told from others', () => {
  const bert = open('wordpiece');
  expect(bert.kind).toBe('wordpiece');
  expect(bert.isSpecial(bert.idOf('[CLS]') as number)).toBe(true);
  expect(bert.isSpecial(bert.idOf('a') as number)).toBe(false);
  const qwen = open('qwen');
  expect(qwen.isSpecial(qwen.idOf('<|im_end|>') as number)).toBe(true);
  expect(qwen.isSpecial(qwen.idOf('<tool_call>') as number)).toBe(false);
});

test('a token is found by its bytes when no piece is spelled so', () => {
  const gpt2 = open('gpt2');
  const id = gpt2.idOf('Ġthe') as number;
  expect(gpt2.idOf(' the')).toBe(id);
  expect(gpt2.bytesOf(id)).toEqual(new TextEncoder().encode(' the'));
  expect(gpt2.idOf('\n')).toBe(gpt2.idOf('Ċ'));
  expect(gpt2.suggest('helo', 3)).toEqual(['ĠHello']);
  expect(gpt2.suggest(' th', 5)).toContain('Ġthe');
});

test('template tokens are special and have no place in the text', () => {
  const [first, second] = open('llama3').encode('Hello');
  expect(first).toMatchObject({ text: '<|begin_of_text|>', start: 0, end: 0, special: true });
  expect(second).toMatchObject({ start: 0, special: false });
});

test('an id outside the vocabulary does not decode', () => {
  const tokenizer = open('gpt2');
  expect(() => tokenizer.decodeBytes([tokenizer.vocabSize])).toThrow(
    expect.objectContaining({ code: 'range', message: expect.stringContaining(String(tokenizer.vocabSize)) }),
  );
});

test('hostile pieces come back byte for byte', () => {
  const tokenizer = open('hostile');
  const id = tokenizer.idOf('\u202egnp.exe') as number;
  expect(tokenizer.tokenOf(id)).toBe('\u202egnp.exe');
  expect(tokenizer.encode('\x1b[31m')[0].bytes).toEqual(new TextEncoder().encode('\x1b['));
  expect(tokenizer.encode('a\u202eevil\u202c').at(-1)).toMatchObject({
    text: '\u202eevil\u202c',
    special: false,
  });
});

function isInsidePair(text: string, at: number): boolean {
  return at > 0 && (text.codePointAt(at - 1) ?? 0) > 0xffff;
}
