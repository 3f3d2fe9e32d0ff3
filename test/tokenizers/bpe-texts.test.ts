import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BpeKernel } from '../../src/kernels/bpe.ts';
import { BpeEngine } from '../../src/tokenizers/bpe.ts';
import { type MergeList, MergeTable } from '../../src/tokenizers/bpe-merges.ts';
import { createBpeModel } from '../../src/tokenizers/bpe-model.ts';
import { BpeTexts, openTwin } from '../../src/tokenizers/bpe-texts.ts';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
import { gpt2ByteOrder } from '../../src/tokenizers/ranks-bytes.ts';
import { type Scanner, wholeTextScanner } from '../../src/tokenizers/scanner.ts';
import { createCl100kScanner } from '../../src/tokenizers/scanner-cl100k.ts';
import { gpt2Scanner } from '../../src/tokenizers/scanner-gpt2.ts';
import { o200kScanner } from '../../src/tokenizers/scanner-o200k.ts';
import { openRanks } from '../../src/tokenizers/tiktoken-encodings.ts';
import { fuzzText, seededRandom } from './fuzz-text.ts';

/** Every word rule that has a twin. */
const scanners: [string, Scanner][] = [
  ['gpt2', gpt2Scanner],
  ['cl100k', createCl100kScanner({ maxDigits: 3 })],
  ['Qwen2', createCl100kScanner({ maxDigits: 1 })],
  ['Qwen3.5', createCl100kScanner({ maxDigits: 1, marksInWords: true })],
  ['o200k', o200kScanner],
];

async function openEngine(name: 'gpt2' | 'o200k_base'): Promise<BpeEngine> {
  const byteIds = new Int32Array(256);
  gpt2ByteOrder.forEach((byte, id) => {
    byteIds[byte] = id;
  });
  return new BpeEngine({ byteIds, merges: MergeTable.fromPacked(await openRanks(name)) });
}

let engine: BpeEngine;
beforeAll(async () => {
  engine = await openEngine('gpt2');
});

function plainIds(of: BpeEngine, scanner: Scanner, text: string): number[] {
  const sink = createIdSink(1);
  new BpeTexts(of, scanner, Number.POSITIVE_INFINITY).encode(text, sink);
  return Array.from(sink.ids.subarray(0, sink.length));
}

/** Ids by a twin alone, which must take the whole text. */
function twinIds(twin: BpeKernel | undefined, text: string): number[] {
  const ids: number[] = [];
  const stopped = twin?.encode(text, 0, (some) => {
    for (const id of some) ids.push(id);
  });
  expect(stopped).toBe(text.length);
  return ids;
}

/** Any UTF-16, lone surrogates included, with runs of one unit or of few. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
      fc
        .array(
          fc.constantFrom(' ', '\n', '\r', 'a', 'B', "'s", '1', 'é', 'ª', '\u0301', '中', '!', '/', '\u0085'),
        )
        .map((p) => p.join('')),
      fc
        .tuple(fc.constantFrom('a', ' ', '\n', '中', 'A', '9', '-=', '😀'), fc.nat(80))
        .map(([unit, n]) => unit.repeat(n)),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));

describe.each(scanners)('the WebAssembly twin with the words of %s', (_, scanner) => {
  test('gives the ids of the plain engine for any text', () => {
    const twin = openTwin(engine, scanner);
    fc.assert(
      fc.property(anyText, (text) => {
        expect(twinIds(twin, text)).toEqual(plainIds(engine, scanner, text));
      }),
      { seed: 21, numRuns: 600 },
    );
  });

  test('gives them wherever a text is cut into bits', () => {
    const random = seededRandom(22);
    const twins = [2, 3, 5, 8, 13, 40].map((bit) => openTwin(engine, scanner, bit));
    for (let i = 0; i < 400; i++) {
      const text = fuzzText(random);
      const expected = plainIds(engine, scanner, text);
      expect(twinIds(twins[i % twins.length], text)).toEqual(expected);
    }
    fc.assert(
      fc.property(anyText, fc.constantFrom(...twins), (text, twin) => {
        expect(twinIds(twin, text)).toEqual(plainIds(engine, scanner, text));
      }),
      { seed: 23, numRuns: 400 },
    );
  });

  test('gives them for long runs and long texts without spaces', () => {
    const twin = openTwin(engine, scanner);
    const phrases = '中文字没有空格、かなも。'.repeat(9000);
    for (const text of [
      'a'.repeat(10_000),
      `ª${'A'.repeat(60_000)}b`,
      `${' '.repeat(40_000)}\n${' '.repeat(40_000)}x`,
      'é'.repeat(50_000),
      phrases,
      `${'A'.repeat(32_767)}😀${'b'.repeat(32_767)}\ud83d`,
    ]) {
      expect(twinIds(twin, text)).toEqual(plainIds(engine, scanner, text));
    }
  });
});

describe('the WebAssembly twin', () => {
  test('leaves words that are longer than its memory to the plain engine, and goes on after them', () => {
    const twin = openTwin(engine, gpt2Scanner);
    const text = `one two ${'é'.repeat(100_000)} three`;
    expect(twin?.encode(text, 0, () => {})).toBe(7);
    const random = seededRandom(24);
    const long = () => 'ab😀é'.repeat(50_000 + Math.floor(random() * 9)).replaceAll('😀', 'c');
    const longText = `x y ${long()} some words. ${'the cat '.repeat(20_000)}${long()} end`;
    const sink = createIdSink(1);
    new BpeTexts(engine, gpt2Scanner, 0).encode(longText, sink);
    expect(Array.from(sink.ids.subarray(0, sink.length))).toEqual(plainIds(engine, gpt2Scanner, longText));
  });

  test('gives the same ids once it merges certain bytes early', async () => {
    for (const [of, scanner] of [
      [engine, gpt2Scanner],
      [await openEngine('o200k_base'), o200kScanner],
    ] as const) {
      const twin = openTwin(of, scanner);
      const random = seededRandom(25);
      const letters = 'abcdeéпривет中文かאבג가';
      const word = () =>
        Array.from(
          { length: 1 + Math.floor(random() * 12) },
          () => letters[Math.floor(random() * letters.length)],
        );
      for (let i = 0; i < 30; i++) {
        const text = Array.from({ length: 1500 }, () => word().join('')).join(' ');
        expect(twinIds(twin, text)).toEqual(plainIds(of, scanner, text));
      }
    }
  });

  test('waits for a lower case letter after any number of capitals, which decides where a word of GPT-4o ends', () => {
    const byteIds = Int32Array.from({ length: 256 }, (_, byte) => byte);
    // The last byte of ª and an A.
    const list = { lefts: Uint32Array.of(0xaa), rights: Uint32Array.of(65), merged: Uint32Array.of(256) };
    const of = new BpeEngine({ byteIds, merges: MergeTable.from(list) });
    for (const [text, token] of [
      [`ª${'A'.repeat(40)}b`, 256],
      [`ª${'A'.repeat(40)}1`, 0xaa],
    ] as const) {
      const ids = twinIds(openTwin(of, o200kScanner, 13), text);
      expect(ids).toEqual(plainIds(of, o200kScanner, text));
      expect(ids[1]).toBe(token);
    }
  });

  test('merges as before when its memory of words is full to the last byte', () => {
    // ab, and ab with each of c to o, of which some lie at the beginning of the table of pairs.
    const ends = Array.from('cdefghijklmno');
    const list = {
      lefts: Uint32Array.from([97, ...ends.map(() => 256)]),
      rights: Uint32Array.from([98, ...ends.map((end) => end.charCodeAt(0))]),
      merged: Uint32Array.from([256, ...ends.map((_, i) => 257 + i)]),
    };
    const byteIds = Int32Array.from({ length: 256 }, (_, byte) => byte);
    const of = new BpeEngine({ byteIds, merges: MergeTable.from(list) });
    // 27 bytes and 25 ids take 128 bytes, of which 2^16 have room; copied in fours, the last ids end 12 bytes further.
    const letters = (i: number) =>
      i
        .toString(4)
        .padStart(23, '0')
        .replace(/./g, (digit) => 'WXYZ'[+digit]);
    const full = Array.from({ length: 2 ** 16 }, (_, i) => ` ${letters(i)}abc`).join('');
    const text = ends.map((end) => ` ab${end}`).join('');
    const expected = plainIds(of, gpt2Scanner, text);
    for (let round = 0; round < 6; round++) {
      const twin = openTwin(of, gpt2Scanner);
      twin?.encode(full, 0, () => {});
      expect(twinIds(twin, text)).toEqual(expected);
    }
  });

  test('takes over after so many units of one text or of many', () => {
    const tables = { opened: 0 };
    const merges = Object.create(engine.model.merges, {
      pairs: {
        value: () => {
          tables.opened++;
          return engine.model.merges.pairs();
        },
      },
    });
    const texts = new BpeTexts(new BpeEngine({ ...engine.model, merges }), gpt2Scanner, 100);
    const sink = createIdSink(1);
    for (let i = 0; i < 9; i++) texts.encode('ten units!', sink);
    expect(tables.opened).toBe(0);
    for (let i = 0; i < 9; i++) texts.encode('ten units!', sink);
    expect(tables.opened).toBe(1);
    const ids = Array.from(sink.ids.subarray(0, sink.length));
    const once = plainIds(engine, gpt2Scanner, 'ten units!');
    expect(ids).toEqual(Array.from({ length: 18 }, () => once).flat());
  });

  test('is not there for other words, ids of 2^21 and bytes without an id', () => {
    const listOf = (...pairs: [number, number, number][]): MergeList => ({
      lefts: Uint32Array.from(pairs, (pair) => pair[0]),
      rights: Uint32Array.from(pairs, (pair) => pair[1]),
      merged: Uint32Array.from(pairs, (pair) => pair[2]),
    });
    const byteIds = Int32Array.from({ length: 256 }, (_, byte) => byte);
    const of = (ids: Int32Array, list: MergeList) =>
      new BpeEngine({ byteIds: ids, merges: MergeTable.from(list) });
    expect(openTwin(of(byteIds, listOf([97, 98, 256])), gpt2Scanner)).toBeDefined();
    expect(openTwin(of(byteIds, listOf()), gpt2Scanner)).toBeDefined();
    expect(openTwin(of(byteIds, listOf([97, 98, 256])), wholeTextScanner)).toBeUndefined();
    for (const pair of [
      [97, 98, 2 ** 21],
      [2 ** 21, 98, 300],
      [97, 2 ** 21, 300],
    ] as [number, number, number][]) {
      expect(openTwin(of(byteIds, listOf(pair)), gpt2Scanner)).toBeUndefined();
    }
    const lacking = byteIds.slice();
    lacking[7] = -1;
    expect(openTwin(of(lacking, listOf()), gpt2Scanner)).toBeUndefined();
  });
});

/** A vocabulary of all bytes and what random merges make of a few letters. */
function randomModel(random: () => number, ignoreMerges: boolean) {
  const below = (n: number) => Math.floor(random() * n);
  const pieces = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
  const known = [97, 98, 99, 100, 32];
  const pairs: [number, number, number][] = [];
  for (let i = 0; i < 30; i++) {
    const left = known[below(known.length)];
    const right = known[below(known.length)];
    const made = pieces.indexOf(pieces[left] + pieces[right]);
    const id = made < 0 ? pieces.length : made;
    if (made < 0) pieces.push(pieces[left] + pieces[right]);
    // Some pairs stand twice, some tokens have two makers.
    pairs.push([left, right, id]);
    known.push(id);
  }
  if (random() < 0.3) pairs.sort(() => random() - 0.5);
  // Ids in another order, so that bytes are not those below 256.
  const ids = Uint32Array.from(pieces.keys());
  if (random() < 0.3) ids.reverse();
  const offsets = new Uint32Array(pieces.length + 1);
  pieces.forEach((piece, i) => {
    offsets[i + 1] = offsets[i] + piece.length;
  });
  const merges = {
    lefts: Uint32Array.from(pairs, (pair) => ids[pair[0]]),
    rights: Uint32Array.from(pairs, (pair) => ids[pair[1]]),
    merged: Uint32Array.from(pairs, (pair) => ids[pair[2]]),
  };
  return createBpeModel({ bytes: Buffer.from(pieces.join(''), 'latin1'), offsets, ids }, merges, {
    ignoreMerges,
  });
}

test('the twin follows any list of merges and whole words, before and after it merges certain bytes early', () => {
  const random = seededRandom(26);
  const below = (n: number) => Math.floor(random() * n);
  // Words of other letters, of which there are enough for early merges to be looked for.
  const padding = Array.from({ length: 9000 }, () =>
    below(36 ** 8)
      .toString(36)
      .padEnd(14, 'z')
      .toUpperCase(),
  ).join('!');
  for (let round = 0; round < 60; round++) {
    const of = new BpeEngine(randomModel(random, round % 4 === 0));
    const twin = openTwin(of, gpt2Scanner);
    for (let i = 0; i < 60; i++) {
      const word = () =>
        Array.from({ length: 1 + below(i % 10 === 0 ? 300 : 20) }, () => 'abcd'[below(4)]).join('');
      const text = `${word()} ${word()} ${word()}`;
      expect(twinIds(twin, text)).toEqual(plainIds(of, gpt2Scanner, text));
      if (i === 30) twinIds(twin, padding);
    }
  }
});
