import { describe, expect, test } from 'vitest';
import { BpeEngine } from '../../src/tokenizers/bpe.ts';
import { deriveMerges } from '../../src/tokenizers/bpe-derive.ts';
import { MergeTable } from '../../src/tokenizers/bpe-merges.ts';
import { createBpeModel } from '../../src/tokenizers/bpe-model.ts';
import { PieceIndex, type PieceTable } from '../../src/tokenizers/bpe-pieces.ts';
import { Utf8Text } from '../../src/tokenizers/bpe-text.ts';
import { createIdSink, createSpanSink } from '../../src/tokenizers/id-sink.ts';
import { PackedRanks } from '../../src/tokenizers/ranks.ts';
import { packRanks } from '../../src/tokenizers/ranks-pack.ts';
import { wholeTextScanner } from '../../src/tokenizers/scanner.ts';
import { gpt2Scanner } from '../../src/tokenizers/scanner-gpt2.ts';
import { openNamed } from '../../src/tokenizers/tiktoken-encodings.ts';
import { seededRandom } from './fuzz-text.ts';
import { engines, idsOf, unitsBeforeTwin } from './oracle.ts';

/** A vocabulary of pieces whose ids are given or their places. */
function table(pieces: string[], ids = pieces.map((_, i) => i)): PieceTable {
  const offsets = new Uint32Array(pieces.length + 1);
  for (let i = 0; i < pieces.length; i++) offsets[i + 1] = offsets[i] + pieces[i].length;
  return { bytes: Buffer.from(pieces.join(''), 'latin1'), offsets, ids: Uint32Array.from(ids) };
}

const merges = (...list: [number, number, number][]) => mergeList(list);

function mergeList(list: [number, number, number][]) {
  return {
    lefts: Uint32Array.from(list, (merge) => merge[0]),
    rights: Uint32Array.from(list, (merge) => merge[1]),
    merged: Uint32Array.from(list, (merge) => merge[2]),
  };
}

function encode(engine: BpeEngine, text: string) {
  const bytes = Buffer.from(text, 'latin1');
  const sink = createSpanSink(1);
  engine.encodeWord(bytes, 0, bytes.length, sink);
  const spans = Array.from(sink.starts.subarray(0, sink.length), (start, i) => [start, sink.ends[i]]);
  return { ids: Array.from(sink.ids.subarray(0, sink.length)), spans };
}

/** tiktoken's definition: again and again, the leftmost pair whose bytes have the lowest rank. */
function byDefinition(ranks: Map<string, number>, word: string): number[] {
  const parts = [...word];
  for (;;) {
    let best = -1;
    for (let i = 0; i + 1 < parts.length; i++) {
      const rank = ranks.get(parts[i] + parts[i + 1]);
      if (rank === undefined) continue;
      if (best < 0 || rank < (ranks.get(parts[best] + parts[best + 1]) as number)) best = i;
    }
    if (best < 0) return parts.map((part) => ranks.get(part) as number);
    parts.splice(best, 2, parts[best] + parts[best + 1]);
  }
}

describe('merging', () => {
  test('follows the definition for any vocabulary in rank order, in short and long words', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 200; round++) {
      const letter = () => 'abc'[Math.floor(random() * 3)];
      const pieces = new Set(['a', 'b', 'c']);
      for (let i = 0; i < 30; i++) {
        pieces.add(Array.from({ length: 2 + Math.floor(random() * 4) }, letter).join(''));
      }
      // Any order of ranks, so that parts may rank after what they make.
      const order = [...pieces].sort(() => random() - 0.5);
      const ranks = new Map(order.map((piece, i) => [piece, i]));
      const derived = deriveMerges(table(order));
      const engine = new BpeEngine(createBpeModel(table(order), derived));
      for (const length of [1, 2, 5, 20, 47, 48, 49, 50, 200]) {
        const word = Array.from({ length }, letter).join('');
        expect(encode(engine, word).ids).toEqual(byDefinition(ranks, word));
      }
      for (const id of derived.unreachable) expect(byDefinition(ranks, order[id])).not.toEqual([id]);
    }
  });

  test('gives the same ids without spans, where certain merges come first, for any list over all bytes', () => {
    const random = seededRandom(11);
    const below = (n: number) => Math.floor(random() * n);
    let early = 0;
    for (let round = 0; round < 300; round++) {
      const pieces = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
      const list: [number, number, number][] = [];
      const known = [97, 98, 99, 100];
      while (list.length < 25) {
        const left = known[below(known.length)];
        const right = known[below(known.length)];
        const made = pieces.indexOf(pieces[left] + pieces[right]);
        // A token may have two makers.
        const id = made < 0 ? pieces.length : made;
        if (list.some((merge) => merge[0] === left && merge[1] === right)) continue;
        if (made < 0) pieces.push(pieces[left] + pieces[right]);
        list.push([left, right, id]);
        known.push(id);
      }
      // Some lists use a token before they make it.
      if (round % 3 === 0) list.sort(() => random() - 0.5);
      const engine = new BpeEngine(createBpeModel(table(pieces), mergeList(list)));
      engine.model.merges.expect(1e6);
      if (engine.model.merges.early !== undefined) early++;
      for (let i = 0; i < 40; i++) {
        const word = Array.from({ length: 1 + below(60) }, () => 'abcd'[below(4)]).join('');
        const sink = createIdSink(1);
        engine.encodeWord(Buffer.from(word), 0, word.length, sink);
        expect(Array.from(sink.ids.subarray(0, sink.length))).toEqual(encode(engine, word).ids);
      }
    }
    expect(early).toBeGreaterThan(50);
    expect(early).toBeLessThan(300);
  });

  test('follows the order of a list, where the later of two equal pairs counts', () => {
    const pieces = table(['a', 'b', 'c', 'ab', 'bc', 'abc'], [10, 11, 12, 2 ** 31 - 2, 5, 2 ** 31 - 1]);
    const list = merges([11, 12, 5], [10, 11, 2 ** 31 - 2], [2 ** 31 - 2, 12, 2 ** 31 - 1], [11, 12, 5]);
    const engine = new BpeEngine(createBpeModel(pieces, list));
    expect(encode(engine, 'abc')).toEqual({ ids: [2 ** 31 - 1], spans: [[0, 3]] });
    expect(encode(engine, 'bca').ids).toEqual([5, 10]);
    const first = new BpeEngine(createBpeModel(pieces, merges([11, 12, 5], [10, 11, 2 ** 31 - 2])));
    expect(encode(first, 'abc').ids).toEqual([10, 5]);
  });

  test('takes a whole word that is an entry as it is only when merges are ignored', () => {
    const pieces = table(['a', 'b', 'ab', 'aab']);
    expect(encode(new BpeEngine(createBpeModel(pieces, merges([0, 1, 2]))), 'aab').ids).toEqual([0, 2]);
    const engine = new BpeEngine(createBpeModel(pieces, merges([0, 1, 2]), { ignoreMerges: true }));
    expect(encode(engine, 'aab').ids).toEqual([3]);
    expect(encode(engine, 'aaab').ids).toEqual([0, 0, 2]);
  });

  test('drops bytes without an id, or says unknown, alone or fused', () => {
    const pieces = table(['a', 'b', 'ab', '?']);
    const list = merges([0, 1, 2]);
    expect(encode(new BpeEngine(createBpeModel(pieces, list)), 'axyb')).toEqual({
      ids: [2],
      spans: [[0, 4]],
    });
    const unknown = new BpeEngine(createBpeModel(pieces, list, { unknownId: 3 }));
    expect(encode(unknown, 'axyb').ids).toEqual([0, 3, 3, 1]);
    const fused = new BpeEngine(createBpeModel(pieces, list, { unknownId: 3, fuseUnknown: true }));
    expect(encode(fused, 'axyb')).toEqual({
      ids: [0, 3, 1],
      spans: [
        [0, 1],
        [1, 3],
        [3, 4],
      ],
    });
  });

  test('works with no merges at all', () => {
    expect(encode(new BpeEngine(createBpeModel(table(['a', 'b']), merges())), 'abba').ids).toEqual([
      0, 1, 1, 0,
    ]);
  });
});

describe.each(engines)('the word cache of the %s engine', (engine) => {
  test('gives what merging gives, through growth and starting anew', async () => {
    const gpt2 = await openNamed('gpt2', unitsBeforeTwin[engine]);
    const random = seededRandom(8);
    const words: string[] = [];
    // More different words than the cache keeps, of all key sizes.
    for (let i = 0; i < 240_000; i++) {
      const length = 1 + Math.floor(random() * (i % 50 === 0 ? 120 : 12));
      words.push(Array.from({ length }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join(''));
    }
    const text = words.join(' ');
    const once = idsOf(gpt2, text);
    expect(idsOf(gpt2, text)).toEqual(once);
    expect(Buffer.from(gpt2.decodeBytes(once)).toString()).toBe(text);
    for (let i = 0; i < words.length; i += 997) {
      // encode does not use the cache.
      expect(idsOf(gpt2, ` ${words[i]}`)).toEqual(gpt2.encode(` ${words[i]}`).map((token) => token.id));
    }
  });

  test('tells apart words that differ in zero bytes only', async () => {
    const gpt2 = await openNamed('gpt2', unitsBeforeTwin[engine]);
    for (const text of [
      '!',
      '!\0',
      '!\0\0',
      '\0',
      '\0\0\0\0\0\0\0\0',
      '\0\0\0\0\0\0\0\0\0',
      '!\0\0\0\0\0\0\0\0',
    ]) {
      expect(idsOf(gpt2, text)).toEqual(gpt2.encode(text).map((token) => token.id));
    }
  });
});

describe('work is near linear', () => {
  /** Pairs that are looked up while a run of `length` letters merges. */
  async function lookups(length: number): Promise<number> {
    let count = 0;
    const original = MergeTable.prototype.find;
    MergeTable.prototype.find = function (left, right) {
      count++;
      return original.call(this, left, right);
    };
    try {
      const gpt2 = await openNamed('gpt2', unitsBeforeTwin.plain);
      const ids = idsOf(gpt2, 'a'.repeat(length));
      expect(Buffer.from(gpt2.decodeBytes(ids)).toString()).toBe('a'.repeat(length));
    } finally {
      MergeTable.prototype.find = original;
    }
    return count;
  }

  test('in 10,000 and 1,000,000 times one letter', async () => {
    expect(await lookups(10_000)).toBeLessThan(4 * 10_000);
    expect(await lookups(1_000_000)).toBeLessThan(4 * 1_000_000);
  });

  test.each([' ', '\n', ' \n', '\u0301', 'Aʰ', 'ªA', "'", '1', '!/', '\u00a0', 'a'])(
    'in scanning %j, by both engines',
    async (unit) => {
      const text = unit.repeat(200_000);
      // A quadratic scanner would not end within the test's time.
      const [plain, twin] = await Promise.all(
        engines.map(async (engine) => idsOf(await openNamed('o200k_base', unitsBeforeTwin[engine]), text)),
      );
      expect(plain.length).toBeGreaterThan(0);
      expect(twin).toEqual(plain);
    },
  );
});

describe('packed ranks', () => {
  test('find, list and take apart what was packed', () => {
    const random = seededRandom(9);
    const seen = new Set<string>();
    const list: [number, number, number][] = [];
    for (let id = 256; id < 150_000; id++) {
      const pair: [number, number] = [Math.floor(random() ** 3 * id), Math.floor(random() * id)];
      if (seen.has(pair.join())) continue;
      seen.add(pair.join());
      list.push([...pair, id + 100_000]);
    }
    const ranks = new PackedRanks(packRanks(mergeList(list)));
    expect(ranks.count).toBe(list.length);
    expect(ranks.highest).toBe(list.at(-1)?.[2]);
    for (let i = 0; i < list.length; i += 37) {
      const [left, right, merged] = list[i];
      expect(ranks.find(left, right)).toBe(merged);
      expect(ranks.partsOf(merged)).toEqual([left, right]);
    }
    expect(ranks.find(list[5][0], 249_999)).toBe(-1);
    expect(ranks.find(249_999, 0)).toBe(-1);
    expect(ranks.partsOf(99)).toBeUndefined();
    const listed = ranks.list();
    const pairs = Array.from(listed.merged, (id, i) => `${listed.lefts[i]},${listed.rights[i]},${id}`);
    expect(new Set(pairs)).toEqual(new Set(list.map((merge) => merge.join())));
  });

  test('of a wrong length are corrupt', () => {
    const packed = packRanks(merges([1, 2, 256]));
    expect(() => new PackedRanks(packed.subarray(0, packed.length - 1))).toThrow(
      expect.objectContaining({ code: 'corrupt' }),
    );
  });

  test('have no room for ids of 2^18', () => {
    expect(() => packRanks(merges([1, 2, 2 ** 18]))).toThrow(expect.objectContaining({ code: 'range' }));
  });
});

test('an index of pieces finds entries by bytes and by id, dense or far apart', () => {
  for (const ids of [
    [0, 1, 2],
    [7, 2 ** 31 - 1, 9],
  ]) {
    const index = new PieceIndex(table(['a', 'bc', ''], ids));
    expect(index.find(Buffer.from('xbc'), 1, 3)).toBe(ids[1]);
    expect(index.find(Buffer.from('b'), 0, 1)).toBe(-1);
    expect(Buffer.from(index.bytesOf(ids[1]) ?? []).toString()).toBe('bc');
    expect(index.bytesOf(5)).toBeUndefined();
  }
});

test('a sink takes ids of many texts one after the other', () => {
  const engine = new BpeEngine(createBpeModel(table(['a', 'b', 'ab', ' ']), merges([0, 1, 2])));
  const text = new Utf8Text();
  const sink = createIdSink(1);
  for (const part of ['ab a', 'b', 'abab']) {
    text.set(part);
    engine.encodeWords(text.bytes, 0, text.length, gpt2Scanner, sink);
  }
  text.set('b a');
  engine.encodeWords(text.bytes, 0, text.length, wholeTextScanner, sink);
  expect(Array.from(sink.ids.subarray(0, sink.length))).toEqual([2, 3, 0, 1, 2, 2, 1, 3, 0]);
});
