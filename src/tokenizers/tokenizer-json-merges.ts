import { EmbError } from '../errors.ts';
import type { MergeList } from './bpe-merges.ts';
import { hashPrime, hashStart, type JsonScanner, type StringArena } from './tokenizer-json-scanner.ts';
import type { Vocabulary } from './tokenizer-json-vocabulary.ts';

const decoder = new TextDecoder();

/** Shortest JSON of a merge, `"a b",`, which bounds how many a file can hold. */
const shortestMerge = 6;

/**
 * Reads merges, `["a b", ...]` or `[["a", "b"], ...]`, into ids.
 *
 * Cost: one pass over the bytes, and two or three lookups for each merge.
 * @throws EmbError "corrupt" when a merge names a piece, or makes one, that the vocabulary lacks
 */
export function readMerges(scanner: JsonScanner, vocabulary: Vocabulary): MergeList {
  const texts = new MergeTexts(scanner);
  scanner.expect(0x5b);
  if (scanner.peek() === 0x5d) scanner.at++;
  else if (scanner.peek() === 0x22) readLines(scanner, texts);
  else readPairs(scanner, texts);
  return resolveMerges(scanner.name, texts, vocabulary);
}

/** Merges as they were read: merge i is arena[ends[i - 1], ends[i]), cut at splits[i], with the hashes of both parts and the whole. */
class MergeTexts {
  readonly arena: StringArena;
  readonly splits: Uint32Array;
  readonly ends: Uint32Array;
  readonly lefts: Int32Array;
  readonly rights: Int32Array;
  readonly joined: Int32Array;
  count = 0;

  constructor(scanner: JsonScanner) {
    const remaining = scanner.bytes.length - scanner.at;
    const capacity = Math.floor(remaining / shortestMerge) + 1;
    // Pages that stay empty cost nothing.
    this.arena = { bytes: new Uint8Array(remaining), length: 0 };
    this.splits = new Uint32Array(capacity);
    this.ends = new Uint32Array(capacity);
    this.lefts = new Int32Array(capacity);
    this.rights = new Int32Array(capacity);
    this.joined = new Int32Array(capacity);
  }

  /** Ends the merge that the arena now ends with; its parts meet at `split`. */
  add(split: number, left: number, right: number): void {
    const { count, arena } = this;
    let joined = left;
    for (let i = split; i < arena.length; i++) joined = Math.imul(joined ^ arena.bytes[i], hashPrime);
    this.splits[count] = split;
    this.lefts[count] = left;
    this.rights[count] = right;
    this.joined[count] = joined;
    this.ends[this.count++] = arena.length;
  }
}

/** One loop over the bytes, for the reason that readEntries of the vocabulary has. */
function readLines(scanner: JsonScanner, texts: MergeTexts): void {
  const { bytes } = scanner;
  const { arena, splits, ends, lefts, rights, joined } = texts;
  const out = arena.bytes;
  const length = bytes.length;
  let { count } = texts;
  let to = 0;
  let at = scanner.at;
  for (;;) {
    if (bytes[at] <= 0x20) at = scanner.skipSpace(at);
    if (bytes[at] !== 0x22) scanner.failAt(at, 'a merge');
    const begin = to;
    const quoted = at++;
    let split = -1;
    let left = hashStart;
    let right = hashStart;
    while (at < length) {
      const byte = bytes[at];
      if (byte === 0x22) break;
      if (byte === 0x20) {
        if (split >= 0) refuseLine(scanner, quoted);
        split = to;
        lefts[count] = left;
        right = hashStart;
        at++;
        continue;
      }
      if (byte === 0x5c || byte < 0x20) {
        scanner.at = at;
        const end = scanner.unescape(out, to);
        for (; to < end; to++) {
          left = Math.imul(left ^ out[to], hashPrime);
          right = Math.imul(right ^ out[to], hashPrime);
        }
        at = scanner.at;
        continue;
      }
      left = Math.imul(left ^ byte, hashPrime);
      right = Math.imul(right ^ byte, hashPrime);
      out[to++] = byte;
      at++;
    }
    at++;
    if (to - begin >= 8 && out[begin] === 0x23 && out[begin + 1] === 0x76 && isVersionLine(out, begin))
      to = begin;
    else {
      if (split < 0) refuseLine(scanner, quoted);
      splits[count] = split;
      rights[count] = right;
      joined[count] = left;
      ends[count++] = to;
    }
    if (bytes[at] <= 0x20) at = scanner.skipSpace(at);
    if (bytes[at] !== 0x2c) break;
    at++;
  }
  scanner.at = at;
  scanner.expect(0x5d);
  texts.count = count;
}

function refuseLine(scanner: JsonScanner, at: number): never {
  scanner.at = at;
  const line = scanner.string();
  const spaces = line.split(' ').length - 1;
  throw new EmbError(
    'corrupt',
    `${scanner.name}: "model.merges" has ${JSON.stringify(line)} with ${spaces} spaces, expected 1 space between two tokens`,
  );
}

/** The header of a merges.txt, which is no merge. */
function isVersionLine(bytes: Uint8Array, start: number): boolean {
  return decoder.decode(bytes.subarray(start, start + 8)) === '#version';
}

/** `["a", "b"]`; pieces may hold spaces. */
function readPairs(scanner: JsonScanner, texts: MergeTexts): void {
  const { arena } = texts;
  for (;;) {
    scanner.expect(0x5b);
    const left = scanner.appendString(arena);
    const split = arena.length;
    scanner.expect(0x2c);
    const right = scanner.appendString(arena);
    scanner.expect(0x5d);
    texts.add(split, left, right);
    const next = scanner.peek();
    if (next !== 0x2c && next !== 0x5d) scanner.fail("',' or ']'");
    scanner.at++;
    if (next === 0x5d) return;
  }
}

function resolveMerges(file: string, texts: MergeTexts, vocabulary: Vocabulary): MergeList {
  const { count, arena, splits, ends } = texts;
  const list: MergeList = {
    lefts: new Uint32Array(count),
    rights: new Uint32Array(count),
    merged: new Uint32Array(count),
  };
  let start = 0;
  let id = -1;
  for (let i = 0; i < count; i++) {
    const split = splits[i];
    const end = ends[i];
    const left = vocabulary.findHashed(texts.lefts[i], arena.bytes, start, split);
    const right = vocabulary.findHashed(texts.rights[i], arena.bytes, split, end);
    // Trainers number tokens in the order of their merges, which saves most of the lookups.
    id++;
    if (!vocabulary.isNamed(id, arena.bytes, start, end)) {
      id = vocabulary.findHashed(texts.joined[i], arena.bytes, start, end);
    }
    if (left < 0 || right < 0 || id < 0) {
      const [from, to] = left < 0 ? [start, split] : right < 0 ? [split, end] : [start, end];
      const piece = JSON.stringify(decoder.decode(arena.bytes.subarray(from, to)));
      throw new EmbError(
        'corrupt',
        `${file}: "model.merges" has ${piece} in merge ${i}, expected a token of "model.vocab"`,
      );
    }
    list.lefts[i] = left;
    list.rights[i] = right;
    list.merged[i] = id;
    start = end;
  }
  return list;
}
