import type { JsonScanner } from './tokenizer-json-scanner.ts';
import type { Vocabulary } from './tokenizer-json-vocabulary.ts';

/** Merges that are not where they are expected before the list is read in the general way. */
const mostStrays = 1000;

const encoder = new TextEncoder();

/**
 * Merges whose results have ascending ids, as trainers number them: then the ids rank the merges.
 *
 * Each is compared with the entry after the last one's, which it nearly always makes, so nothing is copied and little is looked up.
 */
export class NumberedMerges {
  /** Bytes of the left part of the merge that makes an id, 0 for ids that none makes. */
  readonly lefts: Uint32Array;
  count = 0;
  private readonly scanner: JsonScanner;
  private readonly vocabulary: Vocabulary;
  private at = 0;
  private strays = 0;

  constructor(scanner: JsonScanner, vocabulary: Vocabulary) {
    this.scanner = scanner;
    this.vocabulary = vocabulary;
    this.lefts = new Uint32Array(vocabulary.highest + 1);
  }

  /** Reads the list at the scanner's place and moves it behind; false, and wherever it is, when this is no such list. */
  read(): boolean {
    const { scanner, lefts } = this;
    const { bytes } = scanner;
    if (bytes[scanner.at] !== 0x5b) return false;
    this.at = scanner.skipSpace(scanner.at + 1);
    const paired = bytes[this.at] === 0x5b;
    let id = -1;
    for (;;) {
      if (bytes[this.at] <= 0x20) this.at = scanner.skipSpace(this.at);
      const opening = this.at;
      const left = paired ? this.matchPair(id + 1) : this.matchLine(id + 1);
      if (left > 0) lefts[++id] = left;
      else {
        this.at = opening;
        const stray = this.readStray(paired);
        if (stray <= id) return false;
        id = stray;
      }
      this.count++;
      if (bytes[this.at] <= 0x20) this.at = scanner.skipSpace(this.at);
      if (bytes[this.at] !== 0x2c) break;
      this.at++;
    }
    if (bytes[this.at] !== 0x5d) return false;
    scanner.at = this.at + 1;
    return true;
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
      if (byte === 0x20) return 0;
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
    let at = scanner.skipSpace(this.at + 1);
    if (bytes[at++] !== 0x22) return 0;
    let name = begin;
    let split = 0;
    while (name < end) {
      let byte = bytes[at++];
      if (byte === 0x22 && split === 0) {
        split = name - begin;
        at = scanner.skipSpace(at);
        if (bytes[at] !== 0x2c) return 0;
        at = scanner.skipSpace(at + 1);
        if (bytes[at] !== 0x22) return 0;
        byte = bytes[at + 1];
        at += 2;
      }
      if (byte === 0x5c) {
        byte = bytes[at++];
        if (byte !== 0x22 && byte !== 0x5c) return 0;
      } else if (byte === 0x22) return 0;
      if (names[name++] !== byte) return 0;
    }
    if (bytes[at] !== 0x22) return 0;
    at = scanner.skipSpace(at + 1);
    if (bytes[at] !== 0x5d) return 0;
    this.at = at + 1;
    return split;
  }

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
    const id = vocabulary.find(name, 0, name.length);
    if (id >= 0) this.lefts[id] = encoder.encode(parts[0]).length;
    return id;
  }
}
