import { describe, expect, test } from 'vitest';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
import { seededRandom } from './fuzz-text.ts';
import { openBytes, openOracle } from './tokenizer-json-oracle.ts';

const written = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
const several = { type: 'Replace', pattern: { Regex: ' {2,}' }, content: '▁' };
const split = { type: 'WhitespaceSplit' };
const words = { type: 'Split', pattern: { Regex: '\\S+' }, behavior: 'Removed', invert: true };
const punctuation = { type: 'Punctuation', behavior: 'Isolated' };

const cases: [name: string, normalizers: object[], cuts: object[]][] = [
  ['between words', [written], [split]],
  ['between words and punctuation', [written], [split, punctuation]],
  ['between matches', [written], [words]],
  ['after NFC', [{ type: 'NFC' }, written], [split, punctuation]],
  ['for several, after NFKC', [{ type: 'NFKC' }, several], [split]],
];

const vocab = Object.fromEntries(
  ['<unk>', 'a', 'b', '▁', '!', 'ab', 'b▁', '▁a'].map((piece, id) => [piece, id]),
);
const merges = ['a b', 'b ▁', '▁ a'];
const alphabet = ['a', 'b', ' ', '  ', '▁', '!', '\u00a0', '\n'];

describe('a space that is written as ▁ before a cut at white space is part of a word', () => {
  test.each(cases)('%s', async (_, normalizers, cuts) => {
    const file = {
      version: '1.0',
      added_tokens: [],
      normalizer: { type: 'Sequence', normalizers },
      pre_tokenizer: { type: 'Sequence', pretokenizers: cuts },
      model: { type: 'BPE', unk_token: '<unk>', vocab, merges },
    };
    const [ours, theirs] = [openBytes(file), openOracle(file)];
    const random = seededRandom(3);
    for (let i = 0; i < 300; i++) {
      const length = 1 + Math.floor(random() * 12);
      const text = Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
      const sink = createIdSink();
      ours.encodeIds(text, sink);
      const wanted = (await theirs.encode(text)).getIds();
      expect([text, [...sink.ids.subarray(0, sink.length)]]).toEqual([text, wanted]);
    }
  });
});
