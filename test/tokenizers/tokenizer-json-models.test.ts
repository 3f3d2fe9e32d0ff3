import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EmbError } from '../../src/errors.ts';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
import { openTokenizerJson } from '../../src/tokenizers/tokenizer-json.ts';
import type { EncodeOptions, Tokenizer } from '../../src/types.ts';
import { seededRandom } from './fuzz-text.ts';
import { type FileJson, openBytes, openOracle } from './tokenizer-json-oracle.ts';

const names = ['bert', 'llama2', 'clip', 'hashed', 't5', 'words'];

function read(name: string): Uint8Array {
  return readFileSync(new URL(`../../fixtures/tokenizers/more/${name}.json`, import.meta.url));
}

function parse(name: string): FileJson {
  return JSON.parse(new TextDecoder().decode(read(name)));
}

function idsOf(tokenizer: Tokenizer, text: string, options?: EncodeOptions): number[] {
  const sink = createIdSink(1);
  tokenizer.encodeIds(text, sink, options);
  return Array.from(sink.ids.subarray(0, sink.length));
}

const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

describe.each(names)('%s', (name) => {
  const bytes = read(name);

  test('opens with the parts that its model needs', async () => {
    const tokenizer = await openTokenizerJson({ name, bytes });
    expect(idsOf(tokenizer, 'Hello world')).toEqual(idsOf(openBytes(bytes), 'Hello world'));
  });

  test('any byte made another is a tokenizer or an EmbError', () => {
    const random = seededRandom(name.length);
    for (let at = 0; at < bytes.length; at += 11) {
      const broken = Uint8Array.from(bytes);
      broken[at] = [0x22, 0x7d, 0x2c, 0x30, 0x39, 0x65, 0xff][Math.floor(random() * 7)];
      try {
        const tokenizer = openBytes(broken);
        const ids = idsOf(tokenizer, 'Hello, wörld! 12 中文\n<unk> [CLS]');
        tokenizer.decodeBytes(ids);
        tokenizer.encode('Hello ﬁ\u0301');
      } catch (error) {
        if (!(error instanceof EmbError)) throw error;
      }
    }
  });

  test('long texts have the ids that their pieces have', () => {
    const tokenizer = openBytes(bytes);
    const text = `${'The cat, sat; on 12 mats! Привет 中文 이것은 e\u0301 ﬁ \r\n\t🙂'.repeat(200)}  `;
    expect(idsOf(tokenizer, text)).toEqual(tokenizer.encode(text).map((token) => token.id));
    // Now from what is remembered.
    expect(idsOf(tokenizer, text)).toEqual(tokenizer.encode(text).map((token) => token.id));
  });

  test.each([
    [{ max_length: 6, strategy: 'LongestFirst', stride: 0 }, null],
    [{ max_length: 5, strategy: 'OnlyFirst', stride: 1, direction: 'Left' }, null],
    [
      null,
      {
        strategy: { Fixed: 12 },
        direction: 'Right',
        pad_to_multiple_of: null,
        pad_id: 0,
        pad_type_id: 0,
        pad_token: 'P',
      },
    ],
    [
      null,
      {
        strategy: 'BatchLongest',
        direction: 'Left',
        pad_to_multiple_of: 8,
        pad_id: 1,
        pad_type_id: 0,
        pad_token: 'P',
      },
    ],
    [
      { max_length: 9, strategy: 'LongestFirst', stride: 0 },
      {
        strategy: { Fixed: 7 },
        direction: 'Left',
        pad_to_multiple_of: 4,
        pad_id: 2,
        pad_type_id: 0,
        pad_token: 'P',
      },
    ],
  ])('truncates and pads when asked to: %j %j', async (truncation, padding) => {
    const file = { ...parse(name), truncation, padding };
    const tokenizer = openBytes(file);
    const oracle = openOracle(file);
    for (const text of [
      '',
      'a',
      'Hello world, what is this?',
      'one two three four five six seven eight nine ten',
    ]) {
      for (const template of [true, false]) {
        const theirs = (await oracle.encode(text, null, { addSpecialTokens: template })).getIds();
        expect(idsOf(tokenizer, text, { fit: true, template })).toEqual(theirs);
        expect(tokenizer.encode(text, { fit: true, template }).map((token) => token.id)).toEqual(theirs);
      }
    }
    expect(idsOf(tokenizer, 'a b c d e f g h')).toEqual(idsOf(openBytes(parse(name)), 'a b c d e f g h'));
  });
});

test('what a truncation cannot do is said', () => {
  const file = { ...parse('bert'), truncation: { max_length: 1, strategy: 'LongestFirst', stride: 0 } };
  expect(() => openBytes(file).encode('a b c', { fit: true })).toThrow(
    expect.objectContaining({
      code: 'range',
      message: expect.stringContaining('"truncation.max_length" is 1'),
    }),
  );
});

test('tokens have the bytes that they stand for', () => {
  const bert = openBytes(read('bert'));
  const inner = bert.encode('world', { template: false }).find((token) => token.text.startsWith('##'));
  expect(textOf(inner?.bytes)).toBe(inner?.text.slice(2));
  const llama = openBytes(read('llama2'));
  expect(textOf(llama.bytesOf(llama.idOf('▁the') as number))).toBe(' the');
  expect(llama.encode('ä中', { template: false }).flatMap((token) => Array.from(token.bytes))).toEqual(
    Array.from(new TextEncoder().encode(' ä中')),
  );
  expect(llama.bytesOf(llama.idOf('<0xE4>') as number)).toEqual(Uint8Array.of(0xe4));
  const clip = openBytes(read('clip'));
  expect(textOf(clip.bytesOf(clip.idOf('the</w>') as number))).toBe('the');
});

test('a token is found by what it stands for', () => {
  const llama = openBytes(read('llama2'));
  expect(llama.idOf(' the')).toBe(llama.idOf('▁the'));
  expect(llama.idOf('\n')).toBe(llama.idOf('<0x0A>'));
  const bert = openBytes(read('bert'));
  const piece = bert.encode('world', { template: false }).find((token) => token.text.startsWith('##'));
  expect(bert.tokenOf(bert.idOf(piece?.text as string) as number)).toBe(piece?.text);
});

test('half a character has a token of its own, with the span of the whole', () => {
  const tokens = openBytes(read('llama2')).encode('中', { template: false });
  expect(tokens.slice(1).map(({ text, start, end }) => [text, start, end])).toEqual([
    ['<0xE4>', 0, 1],
    ['<0xB8>', 0, 1],
    ['<0xAD>', 0, 1],
  ]);
});

test('a vocabulary may name a piece with a score twice: the last counts', async () => {
  const file = parse('t5');
  file.model.vocab.push([file.model.vocab[20][0], -0.5]);
  const tokenizer = openBytes(file);
  expect(tokenizer.idOf(file.model.vocab[20][0])).toBe(file.model.vocab.length - 1);
  expect(openOracle(file).tokenToId(file.model.vocab[20][0])).toBe(file.model.vocab.length - 1);
});
