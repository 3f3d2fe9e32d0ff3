import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { EmbError } from '../../src/errors.ts';
import { CharsMap } from '../../src/tokenizers/charsmap.ts';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
import { readSentencePiece } from '../../src/tokenizers/sentencepiece-model.ts';
import { planSentencePiece } from '../../src/tokenizers/sentencepiece-plan.ts';
import { openSentencePiece } from '../../src/tokenizers/sentencepiece-tokenizer.ts';
import type { TwinOptions } from '../../src/tokenizers/tokenizer-json-chunks.ts';
import type { VocabularySettings } from '../../src/tokenizers/vocab-settings.ts';
import type { Tokenizer } from '../../src/types.ts';
import { seededRandom } from './fuzz-text.ts';
import { pieceText } from './piece-text.ts';

const read = (name: string) =>
  JSON.parse(gunzipSync(readFileSync(join('fixtures', 'tokenizers-slow', `${name}.json.gz`))).toString());
const { texts } = read('texts') as { texts: string[] };
const never = { after: Number.POSITIVE_INFINITY };
const always = { after: 0 };

function idsOf(tokenizer: Tokenizer, text: string): number[] {
  const sink = createIdSink(1);
  tokenizer.encodeIds(text, sink);
  return Array.from(sink.ids.subarray(0, sink.length));
}

function compare(open: (options: TwinOptions) => Tokenizer, seed: number, count: number): void {
  const exact = open(never);
  const others = [always, { after: 0, headUnits: 3, bitUnits: 2 }, { after: 0, headUnits: 8, bitUnits: 7 }];
  const fast = others.map(open);
  const random = seededRandom(seed);
  for (let i = 0; i < count; i++) {
    const text = pieceText(random);
    const expected = idsOf(exact, text);
    for (const tokenizer of fast) expect(idsOf(tokenizer, text), JSON.stringify(text)).toEqual(expected);
  }
}

const kinds = ['unigram', 'unigram-bytes', 'unigram-raw', 'bpe', 'bpe-bytes', 'bpe-suffix', 'word', 'char'];
/** A word model joins unknown words, and spaces behind words are cut elsewhere. */
const whole = ['bpe-suffix', 'word'];

describe.each(kinds)('the SentencePiece model %s', (kind) => {
  const { model, sha256 } = read(kind) as { model: string; sha256: string };
  const bytes = Buffer.from(model, 'base64');
  const open = (options: TwinOptions) => openSentencePiece('fuzz.model', bytes, undefined, options);

  test('is encoded in chunks where these are independent', () => {
    const plan = planSentencePiece(readSentencePiece('fuzz.model', bytes));
    expect(plan === undefined).toBe(whole.includes(kind));
  });

  test('gives the ids of sentencepiece chunk by chunk', () => {
    const tokenizer = open(always);
    const lines = texts.map((text) => `${idsOf(tokenizer, text).join(' ')}\n`);
    expect(createHash('sha256').update(lines.join('')).digest('hex')).toBe(sha256);
  });

  test('gives the same ids chunk by chunk as over whole texts, whatever is read at a time', () => {
    compare(open, kind.length, 1500);
  });

  const long: Record<string, string> = {
    'one letter': 'a'.repeat(50_000),
    'two letters that tie': 'ab'.repeat(30_000),
    'only spaces': ' '.repeat(50_000),
    'only ▁': '▁'.repeat(20_000),
    'words in which sums tie, after a high one': `${'the cat '.repeat(4000)}${' aaa aaaa aaaaa 111 1111'.repeat(500)}`,
    'more unknown characters than a bit has room for': ` a ${'𓀀'.repeat(40_000)} b`,
    'characters that become many': '½ ﬁ½'.repeat(9000),
    'a chunk that is longer than the memory for it': `a ${'xy'.repeat(80_000)} b`,
  };
  test.each(Object.keys(long))('gives the same ids for %s', (name) => {
    const expected = idsOf(open(never), long[name] as string);
    const tokenizer = open(always);
    const bytesOf = (ids: number[]) => Buffer.from(Uint32Array.from(ids).buffer).toString('base64');
    expect(bytesOf(idsOf(tokenizer, long[name] as string))).toBe(bytesOf(expected));
    // What was begun and given up leaves nothing behind.
    expect(idsOf(tokenizer, 'a b')).toEqual(idsOf(open(never), 'a b'));
  });
});

interface Case {
  class: string;
  options: Record<string, unknown>;
  model: string;
  files: Record<string, Record<string, unknown>>;
}
const { models, cases } = read('wrappers') as { models: Record<string, string>; cases: Case[] };

describe.each(cases.map((one) => [`${one.class} ${JSON.stringify(one.options)}`, one] as const))(
  '%s',
  (_, one) => {
    const settings: VocabularySettings = {
      tokenizer: one.files['tokenizer_config.json'] ?? {},
      model: {},
      specialTokens: one.files['special_tokens_map.json'] ?? {},
      addedTokens: one.files['added_tokens.json'] ?? {},
    };

    test('gives the same ids chunk by chunk as over whole texts', () => {
      const bytes = Buffer.from(models[one.model] as string, 'base64');
      compare((options) => openSentencePiece('one.model', bytes, settings, options), 7, 300);
    });
  },
);

test('every character of the keys of a map is found', () => {
  const bytes = Buffer.from((read('unigram') as { model: string }).model, 'base64');
  const { charsMap } = readSentencePiece('fuzz.model', bytes).normalizer;
  const found: string[] = [];
  const isText = charsMap?.eachCharacter((code, isFirst, place, goesOn) => {
    const ends = place < 0 ? '' : ` → ${JSON.stringify(charsMap.textAt(place))}`;
    found.push(`${code.toString(16)}${isFirst ? '' : ' behind'}${goesOn ? ' goes on' : ''}${ends}`);
  });
  expect(isText).toBe(true);
  // As the rules in fixtures/make/tokenizers-slow.py have them.
  expect(found.sort()).toEqual([
    '200b → ""',
    '3000 → " "',
    '301 behind → "é"',
    '41 → "a"',
    '65 goes on',
    '9 → " "',
    'a → " "',
    'a0 → " "',
    'bd → "1⁄2"',
    'fb01 → "fi"',
  ]);
});

test('a map whose units lead in circles is refused, not followed', () => {
  const units = Uint32Array.from({ length: 256 }, (_, at) => at | (1 << 10));
  const map = new CharsMap('circles', Buffer.concat([Buffer.from([0, 4, 0, 0]), Buffer.from(units.buffer)]));
  expect(typeof map.eachCharacter(() => {})).toBe('boolean');
});

test.each(['unigram', 'unigram-bytes', 'bpe', 'bpe-bytes', 'char'])(
  'any mutation of the model %s gives the same ids chunk by chunk as over whole texts',
  (kind) => {
    const bytes = Buffer.from((read(kind) as { model: string }).model, 'base64');
    const random = seededRandom(kind.length);
    for (let i = 0; i < 120; i++) {
      const broken = Buffer.from(bytes);
      for (let n = 1 + (i % 3); n > 0; n--)
        broken[Math.floor(random() * broken.length)] ^= 1 << Math.floor(random() * 8);
      const text = `${pieceText(random)} ab Hello  world${pieceText(random)}`;
      const answer = (options: TwinOptions) => {
        try {
          return idsOf(openSentencePiece('broken.model', broken, undefined, options), text);
        } catch (error) {
          expect(error).toBeInstanceOf(EmbError);
          return (error as EmbError).message;
        }
      };
      expect([i, text, answer(always)]).toEqual([i, text, answer(never)]);
    }
  },
);

/** A model of pieces with scores by their order, the later ones the worse, unless others are given: unigram is type 1, pairs 2. */
function modelOf(
  type: number,
  names: readonly string[],
  userDefined: readonly string[],
  scoreOf = (i: number) => -1 - i / 8,
): Buffer {
  const message = (field: number, ...parts: Buffer[]) => {
    const body = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([(field << 3) | 2, body.length]), body]);
  };
  const number = (field: number, value: number) => Buffer.from([...varint(field << 3), value]);
  const varint = (value: number) => (value > 127 ? [(value & 127) | 128, value >> 7] : [value]);
  const float = (field: number, value: number) => {
    const bytes = Buffer.alloc(5, (field << 3) | 5);
    bytes.writeFloatLE(value, 1);
    return bytes;
  };
  const pieces = ['<unk>', ...names, ...userDefined].map((name, i) => {
    const kind = i === 0 ? 2 : i > names.length ? 4 : 1;
    return message(1, message(1, Buffer.from(name)), float(2, scoreOf(i)), number(3, kind));
  });
  return Buffer.concat([...pieces, message(2, number(3, type))]);
}

test.each([
  ['unigram', 1],
  ['pairs', 2],
])('a model of %s whose pieces go on after a space is cut elsewhere', (_, type) => {
  const names = ['▁', 'a', 'b', 'e', '.', 'a▁', 'a▁b', '▁a', '▁▁', '.▁a', 'ab', 'b▁', '▁th', 't', 'h', 'the'];
  const bytes = modelOf(type, names, ['aa▁e', '▁▁a']);
  const plan = planSentencePiece(readSentencePiece('inner.model', bytes));
  expect(['a', 'b', '.', 'e', 't'].map((each) => plan?.endsVisibly(each.charCodeAt(0)))).toEqual([
    ...[false, false, false, true, true],
  ]);
  compare((options) => openSentencePiece('inner.model', bytes, undefined, options), type, 1500);
});

describe('words of a unigram model that are cut where no piece goes on', () => {
  const open = (bytes: Buffer, options: TwinOptions) =>
    openSentencePiece('parts.model', bytes, undefined, options);

  test('have the ids of whole texts for any pieces, also where the rounding of sums decides', () => {
    const random = seededRandom(41);
    const below = (n: number) => Math.floor(random() * n);
    for (let round = 0; round < 40; round++) {
      const alphabet = Array.from('abcdeé中文😀😁');
      const letters = alphabet.slice(0, 3 + below(8));
      const some = (most: number, of: string[]) =>
        Array.from({ length: 1 + below(most) }, () => of[below(of.length)]).join('');
      const names = new Set(['▁', ...letters.filter(() => below(5) > 0)]);
      for (let n = 3 + below(40); n > 0; n--)
        names.add((below(4) === 0 ? '▁' : '') + some(1 + below(7), letters));
      // Many cuts are as good as each other, or nearly so.
      const scores = Array.from({ length: names.size + 1 }, () => -0.3 * (1 + below(5)) - below(3) * 1e-6);
      const bytes = modelOf(1, [...names], [], (i) => scores[i] as number);
      const [exact, twin] = [open(bytes, never), open(bytes, always)];
      for (let i = 0; i < 12; i++) {
        const long = i % 4 === 0 ? 120 : 24;
        const words = Array.from({ length: 1 + below(i % 3 === 0 ? 2000 : 20) }, () => some(long, alphabet));
        const text = words.join(' ');
        expect([round, i, idsOf(twin, text)]).toEqual([round, i, idsOf(exact, text)]);
      }
    }
  });

  test('are told apart where their characters have more than 16 bits', () => {
    const bytes = modelOf(1, ['▁', '😀', '😁', '😂', '🤣', '😀😁', '😂🤣'], []);
    const text = 'x😀😁 x😂🤣 y😀😁 y😂🤣';
    const ids = idsOf(open(bytes, always), text);
    expect(ids).toEqual(idsOf(open(bytes, never), text));
    expect(ids.filter((id) => id > 5)).toEqual([6, 7, 6, 7]);
  });

  test('are told apart where one goes on with U+0000', () => {
    const bytes = modelOf(1, ['▁', 'a', 'b', '\0', 'b\0', 'ab'], []);
    const text = 'xab xab\0 yab yab\0';
    const ids = idsOf(open(bytes, always), text);
    expect(ids).toEqual(idsOf(open(bytes, never), text));
    expect(ids.filter((id) => id > 1)).toEqual([6, 2, 5, 6, 2, 5]);
  });

  test('are told apart by their last characters, however many there are', () => {
    const letters = Array.from('abcdefghij');
    const pairs = letters.flatMap((left) => letters.map((right) => left + right));
    const bytes = modelOf(1, ['▁', ...pairs, ...letters], []);
    const words = Array.from({ length: 10_000 }, (_, i) => {
      const digits = String(i).padStart(4, '0');
      return `aaaaaaaa${Array.from(digits, (digit) => letters[Number(digit)]).join('')}`;
    });
    const text = [...words.map((word) => `x${word}`), ...words.map((word) => `y${word}`)].join(' ');
    expect(idsOf(open(bytes, always), text)).toEqual(idsOf(open(bytes, never), text));
  });
});
