import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openEncoding } from '../../src/tokenizers/tiktoken.ts';
import type { Tokenizer } from '../../src/types.ts';
import { openBytes } from './tokenizer-json-oracle.ts';

const root = new URL('../../fixtures/tokenizers/', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, root), 'utf8'));
const texts: string[] = read('texts.json');
const short = texts.filter((text) => text.length < 200);

const explained = (tokenizer: Tokenizer, text: string) => [...(tokenizer.explain?.(text) ?? [])];

/** The ids of a text's last states, and those that encoding gives it without added tokens. */
function lastStates(tokenizer: Tokenizer, text: string): [number[], number[]] {
  const words = explained(tokenizer, text);
  const tokens = tokenizer.encode(text, { template: false });
  return [
    words.flatMap(({ steps }) => steps.at(-1)?.ids ?? []),
    tokens.filter(({ stage }) => stage !== 'added token').map(({ id }) => id),
  ];
}

/** Byte pair encoding by strings, as its paper has it: each step joins the pair that stands first in the list, leftmost first. */
function* naiveMerges(pieces: string[], merges: readonly [string, string][]) {
  const ranks = new Map(merges.map((pair, rank) => [pair.join('\0'), rank]));
  for (;;) {
    let best: { rank: number; place: number } | undefined;
    for (let place = 0; place + 1 < pieces.length; place++) {
      const rank = ranks.get(`${pieces[place]}\0${pieces[place + 1]}`);
      if (rank !== undefined && (best === undefined || rank < best.rank)) best = { rank, place };
    }
    if (best === undefined) return;
    const { rank, place } = best;
    const [left, right] = pieces.slice(place, place + 2) as [string, string];
    pieces = [...pieces.slice(0, place), left + right, ...pieces.slice(place + 2)];
    yield { rank, left, right, merged: left + right, pieces };
  }
}

describe.each([
  'gpt2/tokenizer.json',
  'llama3/tokenizer.json',
  'qwen/tokenizer.json',
  'roberta/tokenizer.json',
  'added/tokenizer.json',
  'cuts/tokenizer.json',
  'unknown/tokenizer.json',
  'more/llama2.json',
  'more/clip.json',
])('%s', (name) => {
  const file = read(name);
  const tokenizer = openBytes(file);

  test('the last states of the words are the tokens of the text', () => {
    expect(short.length).toBeGreaterThan(10);
    let merges = 0;
    for (const text of short) {
      const [ours, encoded] = lastStates(tokenizer, text);
      expect([text, ours]).toEqual([text, encoded]);
      merges += explained(tokenizer, text).reduce((sum, { steps }) => sum + steps.length - 1, 0);
    }
    expect(merges).toBeGreaterThan(20);
  });

  test('every merge is the one that a list of merges asks for', () => {
    const merges = file.model.merges.map((pair: string | [string, string]) =>
      typeof pair === 'string' ? pair.split(' ') : pair,
    );
    const nameOf = (id: number | null) => (id === null ? null : tokenizer.tokenOf(id));
    for (const text of short) {
      for (const { steps } of explained(tokenizer, text)) {
        const [first, ...rest] = steps.map(({ rank, left, right, merged, ids }) => ({
          rank,
          left: nameOf(left),
          right: nameOf(right),
          merged: nameOf(merged),
          pieces: ids.map(nameOf),
        }));
        // Taken whole (ignore_merges): nothing merged.
        if (rest.length === 0 && first.pieces.length === 1) continue;
        expect(rest).toEqual([...naiveMerges(first.pieces as string[], merges)]);
      }
    }
  });
});

test('tiktoken’s merges end in its tokens, of ascending length and by rank, with the table and without', async () => {
  const tokenizer = await openEncoding('gpt2');
  const words = explained(tokenizer, 'tokenization');
  expect(words.map(({ steps }) => steps[0]?.ids.length)).toEqual([12]);
  for (let pass = 0; pass < 2; pass++) {
    for (const text of short)
      expect([text, lastStates(tokenizer, text)[0]]).toEqual([text, lastStates(tokenizer, text)[1]]);
  }
  expect(explained(tokenizer, 'tokenization')).toEqual(words);
  for (const { rank, merged } of words[0]?.steps.slice(1) ?? []) expect(merged).toBe(rank);
});

test('a word of very many symbols and a model without merges are refused', async () => {
  const tokenizer = await openEncoding('gpt2');
  expect(() => explained(tokenizer, 'a'.repeat(300))).toThrow(
    expect.objectContaining({ code: 'range', message: expect.stringContaining('300') }),
  );
  const wordpiece = openBytes(read('wordpiece/tokenizer.json'));
  expect(() => explained(wordpiece, 'a')).toThrow(expect.objectContaining({ code: 'unsupported' }));
});
