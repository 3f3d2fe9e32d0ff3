import { describe, expect, test } from 'vitest';
import { createIdSink } from '../../src/tokenizers/id-sink.ts';
import { openNamed } from '../../src/tokenizers/tiktoken-encodings.ts';
import { seededRandom } from './fuzz-text.ts';
import { unitsBeforeTwin } from './oracle.ts';
import { openBytes, openOracle, ourAnswer, theirAnswer } from './tokenizer-json-oracle.ts';

const letters = 'abcd';

/** A vocabulary of random merges of a few letters; out of order a merge may come before those that make its parts. */
function randomFile(random: () => number, inOrder: boolean) {
  const pieces = [...letters];
  const merges: [string, string][] = [];
  const piece = () => pieces[Math.floor(random() * pieces.length)]!;
  while (merges.length < 60) {
    const [left, right] = [piece(), piece()];
    if (left.length + right.length > 24 || pieces.includes(left + right)) continue;
    pieces.push(left + right);
    merges.push([left, right]);
  }
  if (!inOrder) {
    for (let i = merges.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [merges[i], merges[j]] = [merges[j]!, merges[i]!];
    }
  }
  const vocab = Object.fromEntries(pieces.map((text, id) => [text, id]));
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  const model = {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    fuse_unk: false,
    byte_fallback: false,
    vocab,
    merges,
  };
  return { version: '1.0', truncation: null, padding: null, added_tokens: [], ...parts, model };
}

/** One word of many letters, some of them in runs. */
function longWord(random: () => number): string {
  let word = '';
  while (word.length < 6000) {
    const letter = letters[Math.floor(random() * letters.length)]!;
    word += letter.repeat(random() < 0.05 ? Math.ceil(random() * 400) : 1);
  }
  return word;
}

describe('a word of thousands of symbols', () => {
  test.each([
    ['in the order of a training', true],
    ['in any order', false],
  ])("has Hugging Face's tokens, merges %s", async (_, inOrder) => {
    const random = seededRandom(inOrder ? 3 : 4);
    for (let round = 0; round < 12; round++) {
      const file = randomFile(random, inOrder);
      const [ours, theirs] = [openBytes(file), openOracle(file)];
      for (const word of [longWord(random), 'a'.repeat(5001), 'ab'.repeat(3000)]) {
        const wanted = await theirAnswer(theirs, word);
        expect(ourAnswer(ours, word)).toEqual(wanted);
        const sink = createIdSink();
        ours.encodeIds(word, sink);
        expect(Array.from(sink.ids.subarray(0, sink.length))).toEqual(wanted[0]);
      }
    }
  });

  test.each(['gpt2', 'cl100k_base', 'o200k_base'] as const)(
    '%s has the same with and without WebAssembly',
    async (name) => {
      const random = seededRandom(9);
      const [plain, twin] = await Promise.all(
        [unitsBeforeTwin.plain, unitsBeforeTwin.WebAssembly].map((after) => openNamed(name, after)),
      );
      const any = () => String.fromCharCode(97 + Math.floor(random() * 26));
      const words = [
        ' '.repeat(9000),
        'a'.repeat(9001),
        '中'.repeat(5000),
        Array.from({ length: 9000 }, any).join(''),
      ];
      for (const word of words) {
        const [a, b] = [plain, twin].map((tokenizer) => {
          const sink = createIdSink();
          tokenizer!.encodeIds(word, sink);
          return Array.from(sink.ids.subarray(0, sink.length));
        });
        expect(a).toEqual(b);
      }
    },
  );
});
