import { describe, expect, test } from 'vitest';
import { fuzzText, seededRandom } from './fuzz-text.ts';
import { type FileJson, openBytes, openOracle, ourAnswer, theirAnswer } from './tokenizer-json-oracle.ts';

/** Printable ASCII, quote and backslash among it. */
const letters = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i));

/** A file with 6,000 merges, each of two earlier tokens, numbered in their order. */
function largeFile(): FileJson {
  const random = seededRandom(5);
  const pieces = [...letters, 'Ġ', 'Ċ', 'Ã', '©'];
  const known = new Set(pieces);
  const merges: [string, string][] = [];
  const pick = () => pieces[Math.floor(random() * pieces.length)];
  while (merges.length < 6000) {
    const [left, right] = [pick(), pick()];
    if (left.length + right.length > 6 || known.has(left + right)) continue;
    known.add(left + right);
    pieces.push(left + right);
    merges.push([left, right]);
  }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
      merges,
    },
  };
}

/** Printable ASCII and é, which is all that the file knows. */
function knownText(random: () => number): string {
  const text = fuzzText(random, 10).replace(/[^\x21-\x7eé \n]/gu, '');
  return text + letters.filter(() => random() < 0.3).join('');
}

const forms: Record<string, (file: FileJson) => string> = {
  pairs: (file) => JSON.stringify(file),
  'indented pairs': (file) => JSON.stringify(file, null, 2),
  lines: (file) => {
    file.model.merges = file.model.merges.map((pair: string[]) => pair.join(' '));
    return JSON.stringify(file, null, 2);
  },
  'lines after a version': (file) => {
    file.model.merges = ['#version: 0.2', ...file.model.merges.map((pair: string[]) => pair.join(' '))];
    return JSON.stringify(file);
  },
  'escaped units': (file) =>
    JSON.stringify(file).replace(
      /[^\x20-\x7e]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  'ids with gaps': (file) => {
    const { vocab } = file.model;
    for (const piece of Object.keys(vocab)) vocab[piece] += vocab[piece] > 3000 ? 7 : 0;
    return JSON.stringify(file);
  },
  'ids in another order': (file) => {
    const { vocab } = file.model;
    const top = Object.keys(vocab).length - 1;
    for (const piece of Object.keys(vocab)) vocab[piece] = top - vocab[piece];
    return JSON.stringify(file);
  },
  'a merge that stands twice': (file) => {
    file.model.merges.push(file.model.merges[10]);
    return JSON.stringify(file);
  },
};

describe('thousands of merges give the ids of Hugging Face, before and after their table is built', () => {
  test.each(Object.keys(forms))('written as %s', async (form) => {
    const text = forms[form](largeFile());
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
