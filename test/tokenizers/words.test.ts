import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { nearestNames } from '../../src/text/nearest.ts';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
import { openWordsTokenizer } from '../../src/tokenizers/words.ts';
import { openWords, wordsOf } from '../formats/word-fixtures.ts';
import { seededRandom } from './fuzz-text.ts';

async function tokenizer(...words: readonly string[]) {
  return tokenizerOf(words);
}

async function tokenizerOf(words: readonly string[]) {
  const text = words.map((word) => `${word} 1 2\n`).join('');
  const file = await openTensorFile(new MemorySource('glove.txt', Buffer.from(text)));
  return openWordsTokenizer('glove.txt', await wordsOf(file));
}

const spans = (tokens: { text: string; start: number; end: number }[]) =>
  tokens.map(({ text, start, end }) => [text, start, end]);

describe('words of a file as a tokenizer', () => {
  test('split a text at white space and keep where they were', async () => {
    const words = await tokenizer('the', 'cat', '🐈');
    const sink = createIdSink();
    words.encodeIds('the\u00a0cat\n the 🐈', sink);
    expect([...sink.ids.subarray(0, sink.length)]).toEqual([0, 1, 0, 2]);
    expect(spans(words.encode(' the\u3000 🐈\tcat'))).toEqual([
      ['the', 1, 4],
      ['🐈', 6, 8],
      ['cat', 9, 12],
    ]);
    expect(words.encode(' \n')).toEqual([]);
    expect([words.kind, words.name, words.vocabSize]).toEqual(['words', 'glove.txt', 3]);
  });

  test('take a text that is a word as a whole first', async () => {
    const words = await tokenizer('new', 'york', 'new york', 'a\u00a0b');
    expect(spans(words.encode('new york'))).toEqual([['new york', 0, 8]]);
    expect(spans(words.encode('york new york'))).toHaveLength(3);
    expect(spans(words.encode('new a\u00a0b'))).toEqual([
      ['new', 0, 3],
      ['a\u00a0b', 4, 7],
    ]);
  });

  test('say which word is missing, and what may have been meant', async () => {
    const words = await tokenizer('paris', 'London', 'the', 'there');
    expect(() => words.encode('the Paris')).toThrow('"Paris" is none of the 4 words of glove.txt');
    const hintOf = (text: string) => {
      try {
        words.encode(text);
      } catch (error) {
        return (error as { hint?: string }).hint;
      }
    };
    expect(hintOf('Paris')).toBe('words are compared with their case: "paris" is one');
    expect(hintOf('london')).toBe('words are compared with their case: "London" is one');
    expect(hintOf('thhe')).toBe('did you mean "the"?');
    expect(hintOf('xyzzy')).toBeUndefined();
    expect(words.suggest('Paris', 2)).toEqual(['paris']);
  });

  test('use the row for unknown words where there is one', async () => {
    const words = await tokenizer('the', 'unk', '<unk>');
    expect(words.unknownId).toBe(2);
    expect(words.encode('the xyz').map(({ id }) => id)).toEqual([0, 2]);
    expect((await tokenizer('the')).unknownId).toBeUndefined();
  });

  test('that are no UTF-8 keep their bytes', async () => {
    const words = openWordsTokenizer('latin1.txt', await wordsOf(await openWords('latin1.txt')));
    expect(words.tokenOf(0)).toBe('zee<0xEB>n');
    expect(Buffer.from(words.bytesOf(0)!).toString('latin1')).toBe('zeeën');
    expect([words.idOf('zee<0xEB>n'), words.idOf('zeeën')]).toEqual([0, undefined]);
  });

  test('are joined by spaces, and other ids are refused', async () => {
    const words = await tokenizer('the', 'cat');
    expect(Buffer.from(words.decodeBytes([0, 1])).toString()).toBe('the cat');
    expect(() => words.decodeBytes([2])).toThrow('"id" is 2, expected a word of glove.txt (0 to 1)');
    expect([words.tokenOf(2), words.bytesOf(-1), words.tokenOf(0.5)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('of fastText are composed when they are missing, and end where fastText ends them', async () => {
    const words = openWordsTokenizer('skipgram.bin', await wordsOf(await openWords('skipgram.bin')));
    expect(words.encode('zzzz\u00a0zz zzzz\u00a0zz').map(({ id, text }) => [id, text])).toEqual([
      [2 ** 31, 'zzzz\u00a0zz'],
      [2 ** 31, 'zzzz\u00a0zz'],
    ]);
    expect(words.tokenOf(2 ** 31)).toBe('zzzz\u00a0zz');
    expect(words.idOf('zzzz')).toBeUndefined();
  });

  test('find a near name among many in little time', async () => {
    const many = Array.from({ length: 200_000 }, (_, index) => `word${index}`);
    const words = await tokenizerOf([...many, 'zebra']);
    const start = Date.now();
    expect(words.suggest('wordd7', 1)).toEqual(['word7']);
    expect(words.suggest('zebrs', 1)).toEqual(['zebra']);
    expect(Date.now() - start).toBeLessThan(20_000);
  });
});

test('a near word is found among more that look alike than are compared, and no letter that differs hides one', async () => {
  const random = seededRandom(3);
  const letter = (alphabet: string) => alphabet[Math.floor(random() * alphabet.length)] as string;
  const word = (alphabet: string) =>
    Array.from({ length: 4 + Math.floor(random() * 5) }, () => letter(alphabet)).join('');
  const many = new Set(Array.from({ length: 60_000 }, () => `k${word('abcefhjlpqrstuvwxyz')}`));
  const words = await tokenizerOf([...many, 'kingdom']);
  expect(words.suggest('kindgom', 1)).toEqual(['kingdom']);
  const few = [...new Set(Array.from({ length: 400 }, () => word('abcAé')))];
  const small = await tokenizerOf(few);
  const isEnd = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  for (let i = 0; i < 200; i++) {
    const typed = word('abcAé');
    // Words that begin or end alike, of about the same bytes.
    const bytes = Buffer.byteLength(typed);
    const alike = few.filter((each) => {
      const size = Buffer.byteLength(each);
      if (size < Math.floor(bytes / 1.5) - 1 || size > Math.ceil(bytes * 1.5) + 1) return false;
      return (
        isEnd(each[0] as string, typed[0] as string) || isEnd(each.at(-1) as string, typed.at(-1) as string)
      );
    });
    const wanted = nearestNames(typed, alike, 400).filter((name) => name !== typed);
    const found = small.suggest(typed, 400);
    expect([typed, wanted.filter((name) => !found.includes(name))]).toEqual([typed, []]);
  }
});
