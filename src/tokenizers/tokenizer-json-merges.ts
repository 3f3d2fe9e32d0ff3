import { EmbError } from '../errors.ts';
import { type MergeList, MergeTable } from './bpe-merges.ts';
import { OrderedMerges, OrderedReader, shortestMerge } from './tokenizer-json-ordered.ts';
import type { JsonScanner } from './tokenizer-json-scanner.ts';
import type { StringArena } from './tokenizer-json-strings.ts';
import { refuseMerge, type Vocabulary } from './tokenizer-json-vocabulary.ts';

const decoder = new TextDecoder();

/** From so many merges on they are looked up where they lie until a text is long enough to pay for a table. */
const manyMerges = 4096;

/** The merges of a file. */
export interface FileMerges {
  /** What their table is made of. */
  readonly source: MergeList | OrderedMerges;
  createTable(): MergeTable;
}

/** Merges of either form. */
export function fileMerges(source: MergeList | OrderedMerges): FileMerges {
  const createTable = () =>
    source instanceof OrderedMerges ? MergeTable.fromPacked(source) : MergeTable.from(source);
  return { source, createTable };
}

/**
 * Reads merges, `["a b", ...]` or `[["a", "b"], ...]`.
 *
 * Of many merges only what they make is looked up here; that their parts are tokens too shows when the table is built. Right parts lose
 * `prefix` ("##") where they are joined.
 * Cost: one pass over the bytes.
 * @throws EmbError "corrupt" when a merge names a piece, or makes one, that the vocabulary lacks
 */
export function readMerges(scanner: JsonScanner, vocabulary: Vocabulary, prefix = ''): FileMerges {
  scanner.peek();
  const start = scanner.at;
  if (prefix !== '')
    return fileMerges(resolveMerges(scanner, vocabulary, new TextEncoder().encode(prefix).length));
  const ordered = new OrderedReader(scanner, vocabulary).read();
  if (ordered !== undefined && ordered.splits.length >= manyMerges)
    return fileMerges(new OrderedMerges(scanner.name, vocabulary, ordered));
  scanner.at = start;
  return fileMerges(resolveMerges(scanner, vocabulary));
}

/** Merges as they were read: merge i is arena[ends[i - 1], ends[i]), cut at splits[i]. */
class MergeTexts {
  readonly arena: StringArena;
  readonly splits: Uint32Array;
  readonly ends: Uint32Array;
  count = 0;

  constructor(scanner: JsonScanner) {
    const remaining = scanner.bytes.length - scanner.at;
    const capacity = Math.floor(remaining / shortestMerge) + 1;
    // Pages that stay empty cost nothing.
    this.arena = { bytes: new Uint8Array(remaining), length: 0 };
    this.splits = new Uint32Array(capacity);
    this.ends = new Uint32Array(capacity);
  }
}

/** One loop over the bytes, for the reason that readEntries of the vocabulary has. */
function readLines(scanner: JsonScanner, texts: MergeTexts): void {
  const { bytes } = scanner;
  const { arena, splits, ends } = texts;
  const out = arena.bytes;
  const length = bytes.length;
  let count = 0;
  let to = 0;
  let at = scanner.at;
  for (;;) {
    if (bytes[at] <= 0x20) at = scanner.skipSpace(at);
    if (bytes[at] !== 0x22) scanner.failAt(at, 'a merge');
    const begin = to;
    const quoted = at++;
    let split = -1;
    while (at < length) {
      const byte = bytes[at];
      if (byte === 0x22) break;
      if (byte > 0x20 && byte !== 0x5c) {
        out[to++] = byte;
        at++;
      } else if (byte === 0x20) {
        if (split >= 0) refuseLine(scanner, quoted);
        split = to;
        at++;
      } else {
        scanner.at = at;
        to = scanner.unescape(out, to);
        at = scanner.at;
      }
    }
    at++;
    if (to - begin >= 8 && out[begin] === 0x23 && out[begin + 1] === 0x76 && isVersionLine(out, begin))
      to = begin;
    else {
      if (split < 0) refuseLine(scanner, quoted);
      splits[count] = split;
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
  const { arena, splits, ends } = texts;
  for (;;) {
    scanner.expect(0x5b);
    scanner.appendString(arena);
    splits[texts.count] = arena.length;
    scanner.expect(0x2c);
    scanner.appendString(arena);
    ends[texts.count++] = arena.length;
    scanner.expect(0x5d);
    const next = scanner.peek();
    if (next !== 0x2c && next !== 0x5d) scanner.fail("',' or ']'");
    scanner.at++;
    if (next === 0x5d) return;
  }
}

/** Reads merges of any form and looks up both parts and the whole of each. */
function resolveMerges(scanner: JsonScanner, vocabulary: Vocabulary, prefix = 0): MergeList {
  const texts = new MergeTexts(scanner);
  scanner.expect(0x5b);
  if (scanner.peek() === 0x5d) scanner.at++;
  else if (scanner.peek() === 0x22) readLines(scanner, texts);
  else readPairs(scanner, texts);
  const { count, arena, splits, ends } = texts;
  const list: MergeList = {
    lefts: new Uint32Array(count),
    rights: new Uint32Array(count),
    merged: new Uint32Array(count),
  };
  let start = 0;
  const find = (from: number, to: number, merge: number): number => {
    const id = vocabulary.find(arena.bytes, from, to);
    return id < 0 ? refuseMerge(scanner.name, arena.bytes.subarray(from, to), merge) : id;
  };
  for (let i = 0; i < count; i++) {
    list.lefts[i] = find(start, splits[i], i);
    list.rights[i] = find(splits[i], ends[i], i);
    // The left part moves up to what follows the prefix; nobody reads it again.
    const from = start + Math.min(prefix, ends[i] - splits[i]);
    if (from > start) arena.bytes.copyWithin(from, start, splits[i]);
    list.merged[i] = find(from, ends[i], i);
    start = ends[i];
  }
  return list;
}
