import { describe, expect, test } from 'vitest';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
import { readTokenizerFile } from '../../src/tokenizers/tokenizer-json-file.ts';
import { OrderedMerges } from '../../src/tokenizers/tokenizer-json-ordered.ts';
import type { Tokenizer } from '../../src/types.ts';
import { fuzzText, seededRandom } from './fuzz-text.ts';
import { largeFile, letters, manyMerges } from './many-merges.ts';
import { type FileJson, openBytes, openOracle, ourAnswer, theirAnswer } from './tokenizer-json-oracle.ts';

/** Printable ASCII and é, which is all that the file knows. */
function knownText(random: () => number): string {
  const text = fuzzText(random, 10).replace(/[^\x21-\x7eé \n]/gu, '');
  return text + letters.filter(() => random() < 0.3).join('');
}

const wellFormed = (text: string) => (text as string & { toWellFormed(): string }).toWellFormed();

/** The file with the characters of the bytes that it lacks, after all others: with them its long texts are not left to the plain engine. */
function withAllBytes(file: FileJson): FileJson {
  const { vocab } = file.model;
  let id = Math.max(...Object.values<number>(vocab)) + 1;
  let beyond = 256;
  for (let byte = 0; byte < 256; byte++) {
    const isPrinted = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    const character = String.fromCharCode(isPrinted ? byte : beyond++);
    if (!(character in vocab)) vocab[character] = id++;
  }
  return file;
}

describe('thousands of merges give the ids of Hugging Face, before and after their table is built', () => {
  test.each(Object.keys(manyMerges))('written as %s', async (form) => {
    const text = manyMerges[form]();
    const oracle = openOracle(JSON.parse(text));
    const random = seededRandom(form.length);
    for (let i = 0; i < 40; i++) {
      const sample = knownText(random);
      // A new tokenizer looks merges up where they lie.
      expect([sample, ourAnswer(openBytes(text), sample)]).toEqual([
        sample,
        await theirAnswer(oracle, sample),
      ]);
    }
    const tokenizer = openBytes(text);
    for (let i = 0; i < 200; i++) {
      const sample = knownText(random);
      expect([sample, ourAnswer(tokenizer, sample)]).toEqual([sample, await theirAnswer(oracle, sample)]);
    }
  });
});

describe('of thousands of merges', () => {
  test.each([
    ['pairs', 'numbered'],
    ['lines', 'numbered'],
    ['ids with gaps', 'numbered'],
    ['every split of every token', 'ordered'],
    ['every split of every token, as lines', 'ordered'],
    ['a split that stands twice', 'listed'],
    ['ids in another order', 'listed'],
  ])('%s are %s, which says how they are looked up', (form, expected) => {
    const source = readTokenizerFile(form, Buffer.from(manyMerges[form]!())).merges?.source;
    const { numbered } = source instanceof OrderedMerges ? source.tables : {};
    expect(numbered === undefined ? 'listed' : numbered ? 'numbered' : 'ordered').toBe(expected);
  });

  test('one that makes an unknown token is refused when the file opens', () => {
    const file = largeFile();
    file.model.merges[5000] = ['zz', 'zzzzzz'];
    expect(() => openBytes(file)).toThrow(/"zz\w*" in merge 5000, expected a token/);
  });

  test.each(['pairs', 'ids with gaps', 'every split of every token', 'a split that stands twice'])(
    'long texts have the ids of Hugging Face, written as %s',
    async (form) => {
      const file = withAllBytes(JSON.parse(manyMerges[form]!()));
      const random = seededRandom(form.length);
      const text = Array.from({ length: 60 }, () => fuzzText(random, 40) + knownText(random)).join(' \ud83d');
      expect(text.length).toBeGreaterThan(4096);
      const sink = createIdSink();
      openBytes(file).encodeIds(text, sink);
      const theirs = await openOracle(file).encode(wellFormed(text), null, { addSpecialTokens: false });
      expect(Array.from(sink.ids.subarray(0, sink.length))).toEqual(theirs.getIds());
    },
  );

  test.each([
    ['looks parts up', largeFile(), (text: string, of: Tokenizer) => of.encode(text)],
    [
      'finds all parts',
      withAllBytes(largeFile()),
      (text: string, of: Tokenizer) => of.encodeIds(text, createIdSink()),
    ],
  ])('one of unknown parts is refused at the latest by what %s', (_, file, encode) => {
    const prefix = ([left, right]: string[]) => `${left}${right}`.slice(0, 5);
    const at = file.model.merges.findIndex(
      (pair: string[]) => pair[0].length === 3 && pair[1].length === 3 && !(prefix(pair) in file.model.vocab),
    );
    expect(at).toBeGreaterThan(0);
    // The same token, made of other parts.
    const pair: string[] = file.model.merges[at];
    file.model.merges[at] = [prefix(pair), pair[1].slice(2)];
    expect(() => encode('hello there '.repeat(400), openBytes(file))).toThrow(
      /expected a token of "model.vocab"/,
    );
  });
});
