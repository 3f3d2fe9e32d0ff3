import { expect, test } from 'vitest';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
import { openBytes, openOracle, ourAnswer, theirAnswer } from './tokenizer-json-oracle.ts';

const contents = ['\t', ' ', 'X', '\t\t'];
const letters = ['a', 'b', ' ', '\t', 'X'];

/** All texts of these letters up to a length. */
function textsOf(length: number): string[] {
  if (length === 0) return [''];
  const shorter = textsOf(length - 1);
  return [
    ...shorter,
    ...shorter
      .filter((text) => text.length === length - 1)
      .flatMap((text) => letters.map((letter) => text + letter)),
  ];
}

test.each([
  [true, true],
  [true, false],
  [false, true],
])(
  'an added token of white space that another one took along is gone: lstrip %s, rstrip %s',
  async (lstrip, rstrip) => {
    for (const content of contents) {
      const token = { id: 4, content, single_word: false, lstrip, rstrip, normalized: false, special: false };
      const file = {
        version: '1.0',
        added_tokens: [token],
        model: { type: 'BPE', unk_token: '<unk>', vocab: { '<unk>': 0, a: 1, b: 2, ' ': 3 }, merges: [] },
      };
      const [ours, theirs] = [openBytes(file), openOracle(file)];
      for (const text of textsOf(4)) {
        const wanted = await theirAnswer(theirs, text);
        expect([content, text, ourAnswer(ours, text)]).toEqual([content, text, wanted]);
        const sink = createIdSink();
        ours.encodeIds(text, sink);
        expect([content, text, [...sink.ids.subarray(0, sink.length)]]).toEqual([content, text, wanted[0]]);
      }
    }
  },
);
