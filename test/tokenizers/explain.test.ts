import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openSentencePiece } from '../../src/tokenizers/sentencepiece-tokenizer.ts';
import { openEncoding } from '../../src/tokenizers/tiktoken.ts';
import { openTiktokenFile } from '../../src/tokenizers/tiktoken-file.ts';
import { noSettings } from '../../src/tokenizers/vocab-settings.ts';
import type { MergeSymbol, Tokenizer } from '../../src/types.ts';
import { largeFile } from './many-merges.ts';
import { openBytes } from './tokenizer-json-oracle.ts';

const root = new URL('../../fixtures/tokenizers/', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, root), 'utf8'));
const texts: string[] = read('texts.json');
const short = texts.filter((text) => text.length < 200);

const explained = (tokenizer: Tokenizer, text: string) =>
  [...tokenizer.explain(text)].filter((word) => 'steps' in word);
const weighed = (tokenizer: Tokenizer, text: string) =>
  [...tokenizer.explain(text)].filter((word) => 'pieces' in word);

/** The ids of a text's last states, and those that encoding gives it without added tokens. */
function lastStates(tokenizer: Tokenizer, text: string): [MergeSymbol[], number[]] {
  const words = explained(tokenizer, text);
  const tokens = tokenizer.encode(text, { template: false });
  return [
    words.flatMap(({ steps }) => steps.at(-1)?.ids ?? []),
    tokens.filter(({ stage }) => stage !== 'added token').map(({ id }) => id),
  ];
}

/** What symbols are called: tokens by their names. */
const namesOf = (tokenizer: Tokenizer) => (symbol: MergeSymbol | null) =>
  typeof symbol === 'number' ? tokenizer.tokenOf(symbol) : symbol;

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
    const nameOf = namesOf(tokenizer);
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

test('the rank of a merge is its place in a list of thousands, too, before and after a table is made of it', () => {
  const file = largeFile();
  const tokenizer = openBytes(file);
  const nameOf = namesOf(tokenizer);
  const words = file.model.merges
    .slice(-40)
    .map((pair: [string, string]) => pair.join('').replace(/[ĠĊÃ©]/g, ''));
  for (let pass = 0; pass < 2; pass++) {
    let merges = 0;
    for (const word of words) {
      for (const { steps } of explained(tokenizer, word)) {
        const [first, ...rest] = steps.map(({ rank, left, right, merged, ids }) => ({
          rank,
          left: nameOf(left),
          right: nameOf(right),
          merged: nameOf(merged),
          pieces: ids.map(nameOf),
        }));
        expect(rest).toEqual([...naiveMerges(first.pieces as string[], file.model.merges)]);
        merges += rest.length;
      }
    }
    expect(merges).toBeGreaterThan(30);
    tokenizer.encode(words.join('').repeat(20));
  }
});

test('a rank file is explained as the built-in encoding of its ranks is: by ranks, also where a word is a token', async () => {
  const packed = readFileSync(new URL('../../fixtures/tokenizers-slow/ranks.json.gz', import.meta.url));
  const { ranks } = JSON.parse(gunzipSync(packed).toString()) as { ranks: string };
  const settings = { ...noSettings, tokenizer: { tokenizer_class: 'QWenTokenizer' } };
  const tokenizer = await openTiktokenFile('qwen.tiktoken', Buffer.from(ranks), settings);
  const byRank = new Map(
    ranks
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
  let whole = 0;
  for (const text of short) {
    expect([text, lastStates(tokenizer, text)[0]]).toEqual([text, lastStates(tokenizer, text)[1]]);
    for (const { steps } of explained(tokenizer, text)) {
      for (const { rank, merged } of steps.slice(1)) {
        expect(rank).toBe(merged);
        const bytes = tokenizer.bytesOf(merged as number) as Uint8Array;
        expect(byRank.get(Buffer.from(bytes).toString('base64'))).toBe(String(rank));
      }
      if (steps.length > 1 && steps.at(-1)?.ids.length === 1) whole++;
    }
  }
  expect(whole).toBeGreaterThan(5);
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

test('a word of very many symbols is refused', async () => {
  const tokenizer = await openEncoding('gpt2');
  expect(() => explained(tokenizer, 'a'.repeat(300))).toThrow(
    expect.objectContaining({ code: 'range', message: expect.stringContaining('300') }),
  );
  const unigram = openBytes(read('more/t5.json'));
  expect(() => weighed(unigram, 'a'.repeat(5000))).toThrow(expect.objectContaining({ code: 'range' }));
});

/** Bytes of a word from one place to another. */
const cut = (word: string, start: number, end: number) => Buffer.from(word).subarray(start, end).toString();

/** The chosen pieces of all words, which must follow one another without a gap. */
function chosenIds(tokenizer: Tokenizer, text: string): number[] {
  return weighed(tokenizer, text).flatMap(({ word, pieces }) => {
    const chosen = pieces.filter((piece) => piece.chosen);
    let at = 0;
    for (const { start, end } of chosen) {
      expect(start).toBe(at);
      at = end;
    }
    expect(at).toBe(Buffer.byteLength(word));
    return chosen.map(({ id }) => id);
  });
}

describe('Unigram of t5', () => {
  const file = read('more/t5.json');
  const tokenizer = openBytes(file);
  const scores = new Map<string, number>(file.model.vocab);
  const lowest = Math.min(...scores.values());

  test('the chosen pieces are the tokens', () => {
    expect(tokenizer.explains).toBe('pieces');
    let words = 0;
    for (const text of short) {
      const tokens = tokenizer.encode(text, { template: false });
      const wanted = tokens.filter(({ stage }) => stage !== 'added token').map(({ id }) => id);
      expect([text, chosenIds(tokenizer, text)]).toEqual([text, wanted]);
      words += wanted.length;
    }
    expect(words).toBeGreaterThan(100);
  });

  test('the lattice has every piece of the vocabulary that stands in a word, with the best sum up to its end', () => {
    let pieces = 0;
    for (const text of short) {
      for (const { word, pieces: found } of weighed(tokenizer, text)) {
        const bytes = Buffer.from(word);
        // The twin: forward sums over all pieces, by strings.
        const best = new Map([[0, 0]]);
        const wanted: [number, number, number, number][] = [];
        let at = 0;
        for (const character of word) {
          const after = at + Buffer.byteLength(character);
          const here = best.get(at)!;
          const raise = (end: number, score: number) => {
            wanted.push([at, end, score, score + here]);
            best.set(end, Math.max(best.get(end) ?? Number.NEGATIVE_INFINITY, score + here));
          };
          for (let end = at + 1; end <= bytes.length; end++) {
            const score = scores.get(cut(word, at, end));
            if (score !== undefined) raise(end, score);
          }
          if (!scores.has(character)) raise(after, lowest - 10);
          at = after;
        }
        const inOrder = wanted.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        const known = found.filter(({ score }) => score !== null);
        expect(known.map(({ start, end }) => [start, end])).toEqual(
          inOrder.map(([start, end]) => [start, end]),
        );
        known.forEach(({ score, total }, i) => {
          expect(score).toBeCloseTo(inOrder[i]![2], 9);
          expect(total).toBeCloseTo(inOrder[i]![3], 9);
        });
        pieces += known.length;
      }
    }
    expect(pieces).toBeGreaterThan(200);
  });
});

test.each(['wordpiece/tokenizer.json', 'more/bert.json', 'more/words.json'])('%s', (name) => {
  const file = read(name);
  const tokenizer = openBytes(file);
  const prefix = file.model.continuing_subword_prefix ?? '';
  const unknownId = tokenizer.idOf(file.model.unk_token);
  expect(unknownId).toBeGreaterThanOrEqual(0);
  for (const text of short) {
    const tokens = tokenizer.encode(text, { template: false });
    const wanted = tokens.filter(({ stage }) => stage !== 'added token').map(({ id }) => id);
    expect([text, chosenIds(tokenizer, text)]).toEqual([text, wanted]);
    for (const { word, pieces } of weighed(tokenizer, text)) {
      const unknown = pieces.some(({ id, chosen }) => chosen && id === unknownId);
      for (const { start, end, id, chosen } of pieces) {
        if (id === unknownId) continue;
        expect(tokenizer.tokenOf(id)).toBe((start > 0 ? prefix : '') + cut(word, start, end));
        // Of the pieces that were tried at a place the longest is taken, unless the rest cannot be spelled.
        const longest = Math.max(
          ...pieces.filter((other) => other.start === start).map((other) => other.end),
        );
        if (!unknown) expect(chosen).toBe(end === longest);
      }
    }
  }
});

describe.each(['unigram', 'unigram-bytes', 'unigram-raw'])('the SentencePiece model %s', (kind) => {
  const packed = readFileSync(new URL(`../../fixtures/tokenizers-slow/${kind}.json.gz`, import.meta.url));
  const model = Buffer.from(JSON.parse(gunzipSync(packed).toString()).model, 'base64');
  const tokenizer = openSentencePiece(`${kind}.model`, model);

  test('the chosen path has the highest sum', () => {
    let compared = 0;
    for (const text of short) {
      const tokens = tokenizer.encode(text, { template: false });
      if (tokens.some(({ stage }) => stage !== 'model')) continue;
      const ids = weighed(tokenizer, text).flatMap(({ pieces }) => pieces.filter(({ chosen }) => chosen));
      expect([text, ids.map(({ id }) => id)]).toEqual([text, tokens.map(({ id }) => id)]);
      for (const { start, end, total } of ids) {
        const rivals = weighed(tokenizer, text)[0]!.pieces.filter((piece) => piece.end === end);
        expect(Math.max(...rivals.map((piece) => piece.total!))).toBe(total);
        expect(start).toBeLessThan(end);
      }
      compared++;
    }
    expect(compared).toBeGreaterThan(3);
  });
});
