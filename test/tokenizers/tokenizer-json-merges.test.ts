import { describe, expect, test } from 'vitest';
import { readTokenizerFile } from '../../src/tokenizers/tokenizer-json-file.ts';
import { OrderedMerges } from '../../src/tokenizers/tokenizer-json-ordered.ts';
import { fuzzText, seededRandom } from './fuzz-text.ts';
import { largeFile, letters, manyMerges } from './many-merges.ts';
import { openBytes, openOracle, ourAnswer, theirAnswer } from './tokenizer-json-oracle.ts';

/** Printable ASCII and é, which is all that the file knows. */
function knownText(random: () => number): string {
  const text = fuzzText(random, 10).replace(/[^\x21-\x7eé \n]/gu, '');
  return text + letters.filter(() => random() < 0.3).join('');
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

  test('one of unknown parts is refused at the latest when the table is built', () => {
    const file = largeFile();
    const prefix = ([left, right]: string[]) => `${left}${right}`.slice(0, 5);
    const at = file.model.merges.findIndex(
      (pair: string[]) => pair[0].length === 3 && pair[1].length === 3 && !(prefix(pair) in file.model.vocab),
    );
    expect(at).toBeGreaterThan(0);
    // The same token, made of other parts.
    const pair: string[] = file.model.merges[at];
    file.model.merges[at] = [prefix(pair), pair[1].slice(2)];
    expect(() => openBytes(file).encode('hello there '.repeat(400))).toThrow(
      /expected a token of "model.vocab"/,
    );
  });
});
