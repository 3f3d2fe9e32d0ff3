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

const chunked = ['bert', 'llama2', 'llama2 by a Metaspace', 'clip', 'clip as OpenAI has it', 't5', 'words'];

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

/** Llama 2's shape over these pieces and merges, with names for all bytes. */
function characterFile(pieces: readonly string[], merges: readonly [string, string][]): FileJson {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const names = new Set(['<unk>', '\u2581', ...bytes, ...pieces, ...merges.map((pair) => pair.join(''))]);
  const file = structuredClone(variant('llama2'));
  file.added_tokens = [];
  file.post_processor = null;
  file.model.vocab = Object.fromEntries(Array.from(names, (name, id) => [name, id]));
  file.model.merges = merges;
  return file;
}

/** The twin gets all but the word before the first space. */
const afterHead = { after: 0, headUnits: 3 };

describe('words of characters that are cut where nothing joins', () => {
  test('have the ids of the plain way for any merges', () => {
    const random = seededRandom(31);
    const below = (n: number) => Math.floor(random() * n);
    for (let round = 0; round < 25; round++) {
      const letters = Array.from('abcdeé中\u2581😀').slice(0, 3 + below(7));
      const known = [...letters];
      const merges = Array.from({ length: 1 + below(24) }, (): [string, string] => {
        const pair: [string, string] = [known[below(known.length)], known[below(known.length)]];
        known.push(pair.join(''));
        return pair;
      });
      const unique = [...new Map(merges.map((pair) => [pair.join(' '), pair])).values()];
      const file = characterFile(letters, unique);
      const plain = open(file, never);
      const twin = open(file, afterHead);
      for (let i = 0; i < 30; i++) {
        const alphabet = Array.from('abcdeé中文😀');
        const word = () =>
          Array.from(
            { length: 1 + below(i % 3 === 0 ? 400 : 90) },
            () => alphabet[below(alphabet.length)],
          ).join('');
        const text = `x ${word()} ${word()} ${word()} y`;
        expect(idsOf(twin, text), JSON.stringify([unique, text])).toEqual(idsOf(plain, text));
      }
    }
  });

  test('are told apart where ids have more than 16 bits', () => {
    const fillers = Array.from({ length: 70_000 }, (_, i) => `filler${i}`);
    const merges: [string, string][] = [
      ['a', 'b'],
      ['ab', 'c'],
      ['d', 'e'],
      ['de', 'f'],
    ];
    const file = characterFile([...fillers, ...'abcdef'], merges);
    const text = 'x xabc xdef yabc ydef z';
    const ids = idsOf(open(file, afterHead), text);
    expect(ids).toEqual(idsOf(open(file, never), text));
    const wholes = [file.model.vocab.abc, file.model.vocab.def];
    expect(ids.filter((id) => wholes.includes(id))).toEqual([...wholes, ...wholes]);
  });

  test('are not cut before a byte that merges make as well', () => {
    const name = '<0xE4>';
    const merges: [string, string][] = [
      ['<', '0'],
      ['<0', 'x'],
      ['E', '4'],
      ['<0x', 'E4'],
      ['<0xE4', '>'],
      ['b', name],
    ];
    const file = characterFile(['<', '0', 'x', 'E', '4', '>', 'b', 'c'], merges);
    // Its first byte is the 65th symbol of the word.
    const text = `x ${'c'.repeat(62)}b\u4e2d${'c'.repeat(80)} y`;
    const ids = idsOf(open(file, afterHead), text);
    expect(ids).toEqual(idsOf(open(file, never), text));
    expect(ids).toContain(file.model.vocab[`b${name}`]);
  });
});
