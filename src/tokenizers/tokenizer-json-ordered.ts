import type { NamedPairs } from '../kernels/pair-columns.ts';
import type { MergeList, PackedMerges } from './bpe-merges.ts';
import type { JsonScanner } from './tokenizer-json-scanner.ts';
import { refuseMerge, type Vocabulary } from './tokenizer-json-vocabulary.ts';

/** Merges that are not where they are expected before the list is read in the general way. */
const mostStrays = 1000;

/** Shortest JSON of a merge, `"a b",`, which bounds how many a file can hold. */
export const shortestMerge = 6;

const encoder = new TextEncoder();

/**
 * Merges whose results have ascending ids, as trainers number them; several may make one id, as in lists that were made from ranks.
 *
 * The merges that make an id are firsts[id] up to firsts[id + 1], and splits has the bytes of their left parts.
 */
export interface OrderedTables {
  firsts: Uint32Array;
  splits: Uint16Array;
  /** No id is made by two merges. */
  numbered: boolean;
}

/** The merges of the tables where they lie: pairs are found, and the list is made, by what the vocabulary calls their parts. */
export class OrderedMerges implements PackedMerges {
  readonly count: number;
  readonly tables: OrderedTables;
  /** Where several merges make one id their places rank them, and the ids do where one does. */
  readonly mergedId: ((rank: number) => number) | undefined;
  readonly placeOf: ((rank: number) => number) | undefined;
  private readonly file: string;
  private readonly vocabulary: Vocabulary;

  constructor(file: string, vocabulary: Vocabulary, tables: OrderedTables) {
    this.file = file;
    this.vocabulary = vocabulary;
    this.tables = tables;
    this.count = tables.splits.length;
    this.mergedId = tables.numbered ? undefined : (rank) => makerOf(tables.firsts, rank);
    this.placeOf = tables.numbered ? (id) => tables.firsts[id] : undefined;
  }

  find(left: number, right: number): number {
    const { vocabulary } = this;
    const { firsts, splits } = this.tables;
    const id = vocabulary.findJoined(left, right);
    if (id < 0) return -1;
    const split = vocabulary.lengthOf(left);
    for (let at = firsts[id]; at < firsts[id + 1]; at++) {
      if (splits[at] === split) return this.mergedId === undefined ? id : at;
    }
    return -1;
  }

  named(): NamedPairs {
    const { bytes, offsets, ids, entries, slots, hashStart } = this.vocabulary;
    const { firsts, splits } = this.tables;
    return { bytes, offsets, ids, entries, slots, hashStart, firsts, splits };
  }

  list(): MergeList {
    const { count, vocabulary } = this;
    const { bytes, entries, offsets } = vocabulary;
    const { firsts, splits } = this.tables;
    const list: MergeList = {
      lefts: new Uint32Array(count),
      rights: new Uint32Array(count),
      merged: new Uint32Array(count),
    };
    const find = (from: number, to: number, merge: number): number => {
      const id = vocabulary.find(bytes, from, to);
      return id < 0 ? refuseMerge(this.file, bytes.subarray(from, to), merge) : id;
    };
    for (let id = 0; id < entries.length; id++) {
      const entry = entries[id] - 1;
      for (let at = firsts[id]; at < firsts[id + 1]; at++) {
        const middle = offsets[entry] + splits[at];
        list.lefts[at] = find(offsets[entry], middle, at);
        list.rights[at] = find(middle, offsets[entry + 1], at);
        list.merged[at] = id;
      }
    }
    return list;
  }
}

/** The id that a merge makes. */
function makerOf(firsts: Uint32Array, merge: number): number {
  let low = 0;
  let high = firsts.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (firsts[middle] <= merge) low = middle;
    else high = middle;
  }
  return low;
}

/** Reads merges by comparing each with the names of what it should make, so nothing is copied and little is looked up. */
export class OrderedReader {
  count = 0;
  private readonly scanner: JsonScanner;
  private readonly vocabulary: Vocabulary;
  private readonly firsts: Uint32Array;
  private readonly splits: Uint16Array;
  private at = 0;
  private strays = 0;

  constructor(scanner: JsonScanner, vocabulary: Vocabulary) {
    this.scanner = scanner;
    this.vocabulary = vocabulary;
    this.firsts = new Uint32Array(vocabulary.highest + 2);
    // Pages that stay empty cost nothing.
    this.splits = new Uint16Array(Math.floor((scanner.bytes.length - scanner.at) / shortestMerge) + 1);
  }

  /** Reads the list at the scanner's place and moves it behind; undefined, and wherever it is, when this is no such list. */
  read(): OrderedTables | undefined {
    const { scanner, firsts, splits } = this;
    const { bytes } = scanner;
    if (bytes[scanner.at] !== 0x5b) return undefined;
    this.at = scanner.skipSpace(scanner.at + 1);
    const paired = bytes[this.at] === 0x5b;
    let numbered = true;
    let id = -1;
    for (;;) {
      let start = this.at;
      while (bytes[start] === 0x20 || bytes[start] === 0x0a) start++;
      this.at = bytes[start] <= 0x20 ? scanner.skipSpace(start) : start;
      let made = id + 1;
      let left = paired ? this.matchPair(made) : this.matchLine(made);
      if (left === 0) {
        made = id;
        left = paired ? this.matchPair(made) : this.matchLine(made);
      }
      if (left === 0) {
        made = this.readStray(paired);
        left = this.strayLeft;
        if (made < id || made < 0) return undefined;
      }
      if (left > 0xffff || (made === id && this.isKnown(id, left))) return undefined;
      if (made === id) numbered = false;
      while (id < made) firsts[++id] = this.count;
      splits[this.count++] = left;
      if (bytes[this.at] <= 0x20) this.at = scanner.skipSpace(this.at);
      if (bytes[this.at] !== 0x2c) break;
      this.at++;
    }
    if (bytes[this.at] !== 0x5d) return undefined;
    scanner.at = this.at + 1;
    firsts.fill(this.count, id + 1);
    return { firsts, splits: splits.subarray(0, this.count), numbered };
  }

  /** Whether a merge of the id that is being made has this left part. */
  private isKnown(id: number, left: number): boolean {
    for (let at = this.firsts[id]; at < this.count; at++) if (this.splits[at] === left) return true;
    return false;
  }

  /** Bytes of the left part when `"a b"` makes this id, otherwise 0. */
  private matchLine(id: number): number {
    const { bytes } = this.scanner;
    const { entries, offsets } = this.vocabulary;
    const names = this.vocabulary.bytes;
    const entry = entries[id] - 1;
    let at = this.at;
    if (!(entry >= 0) || bytes[at] !== 0x22) return 0;
    const begin = offsets[entry];
    const end = offsets[entry + 1];
    let name = begin;
    let split = 0;
    at++;
    while (name < end) {
      let byte = bytes[at++];
      if (byte === 0x20 && split === 0) {
        split = name - begin;
        byte = bytes[at++];
      }
      if (byte <= 0x20) return 0;
      if (byte === 0x5c) {
        byte = bytes[at++];
        if (byte !== 0x22 && byte !== 0x5c) return 0;
      } else if (byte === 0x22) return 0;
      if (names[name++] !== byte) return 0;
    }
    if (bytes[at] !== 0x22) return 0;
    this.at = at + 1;
    return split;
  }

  /** Bytes of the left part when `["a", "b"]` makes this id, otherwise 0. */
  private matchPair(id: number): number {
    const { scanner } = this;
    const { bytes } = scanner;
    const { entries, offsets } = this.vocabulary;
    const names = this.vocabulary.bytes;
    const entry = entries[id] - 1;
    if (!(entry >= 0) || bytes[this.at] !== 0x5b) return 0;
    const begin = offsets[entry];
    const end = offsets[entry + 1];
    // Most files have no spaces here: a call to find none costs more than to look.
    let at = this.at + 1;
    if (bytes[at] <= 0x20) at = scanner.skipSpace(at);
    if (bytes[at++] !== 0x22) return 0;
    let name = begin;
    let split = 0;
    while (name < end) {
      let byte = bytes[at++];
      if (byte === 0x22 && split === 0) {
        split = name - begin;
        if (bytes[at] <= 0x20) at = scanner.skipSpace(at);
        if (bytes[at++] !== 0x2c) return 0;
        if (bytes[at] <= 0x20) at = scanner.skipSpace(at);
        if (bytes[at] !== 0x22) return 0;
        byte = bytes[at + 1];
        at += 2;
      }
      if (byte === 0x5c) {
        byte = bytes[at++];
        if (byte !== 0x22 && byte !== 0x5c) return 0;
      } else if (byte === 0x22 || byte < 0x20) return 0;
      if (names[name++] !== byte) return 0;
    }
    if (bytes[at] !== 0x22) return 0;
    if (bytes[++at] <= 0x20) at = scanner.skipSpace(at);
    if (bytes[at] !== 0x5d) return 0;
    this.at = at + 1;
    return split;
  }

  /** Bytes of the left part of the last merge that readStray read. */
  private strayLeft = 0;

  /** Reads a merge that makes another id, and gives that; -1 for what the general way has to read. */
  private readStray(paired: boolean): number {
    const { scanner, vocabulary } = this;
    if (++this.strays > mostStrays || scanner.bytes[this.at] !== (paired ? 0x5b : 0x22)) return -1;
    scanner.at = this.at;
    const parts: string[] = [];
    if (paired) scanner.elements(() => parts.push(scanner.string()));
    else parts.push(...scanner.string().split(' '));
    this.at = scanner.at;
    if (parts.length !== 2) return -1;
    const name = encoder.encode(parts.join(''));
    this.strayLeft = encoder.encode(parts[0]).length;
    return vocabulary.find(name, 0, name.length);
  }
}
