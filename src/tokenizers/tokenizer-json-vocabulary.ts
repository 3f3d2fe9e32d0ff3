import { EmbError } from '../errors.ts';
import { hashPrime, hashStart } from './tokenizer-json-strings.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

function mixHash(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 12);
}

/** Entries as they were read: entry i is bytes[offsets[i], offsets[i + 1]) and has id ids[i]. */
export interface VocabularyEntries {
  bytes: Uint8Array;
  offsets: Uint32Array;
  ids: Uint32Array;
  /** Highest id, -1 when there is none. */
  highest: number;
  /** The highest id that a file of this size may have. */
  limit: number;
  /** The scores of a Unigram model by id, read when they are asked for. */
  scores: (() => Float64Array) | undefined;
}

/** What entries are found by. */
export interface VocabularyTables extends VocabularyEntries {
  /** Entry + 1 of an id, 0 for none. */
  entries: Int32Array;
  /** By hash: entry + 1 in the low bits, as many as the count needs, and the hash's own bits above them; 0 is an empty slot. */
  slots: Int32Array;
  /** What the hash of no bytes is. */
  hashStart: number;
}

/** Slots of a table of so many entries: at most half of them are taken. */
export function slotCount(entries: number): number {
  return 2 ** Math.max(4, Math.ceil(Math.log2(entries + 1)) + 1);
}

/** The entries of a vocabulary as the file writes them: names in one arena, found by bytes or by id. */
export class Vocabulary {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  readonly ids: Uint32Array;
  readonly count: number;
  readonly highest: number;
  readonly limit: number;
  readonly slots: Int32Array;
  readonly entries: Int32Array;
  readonly hashStart: number;
  readonly scores: (() => Float64Array) | undefined;
  private readonly mask: number;
  /** The bits of a slot that are the hash's. */
  private readonly marks: number;

  /** Bytes of the longest name. */
  private longestName = -1;

  constructor(tables: VocabularyTables) {
    this.bytes = tables.bytes;
    this.offsets = tables.offsets;
    this.ids = tables.ids;
    this.count = tables.ids.length;
    this.highest = tables.highest;
    this.limit = tables.limit;
    this.slots = tables.slots;
    this.entries = tables.entries;
    this.hashStart = tables.hashStart;
    this.scores = tables.scores;
    this.mask = tables.slots.length - 1;
    this.marks = -1 << (32 - Math.clz32(this.count));
  }

  /**
   * Makes the tables of entries. hashes: those of the names, from hashStart on.
   *
   * @throws EmbError "corrupt" for an id, or a name without scores, that stands twice
   */
  static index(file: string, entries: VocabularyEntries & { hashes: Int32Array }): Vocabulary {
    const vocabulary = new Vocabulary({
      ...entries,
      entries: new Int32Array(entries.highest + 1),
      slots: new Int32Array(slotCount(entries.ids.length)),
      hashStart,
    });
    vocabulary.insertAll(file, entries.hashes);
    return vocabulary;
  }

  /** Bytes of the longest name. */
  get longest(): number {
    if (this.longestName < 0) {
      const { offsets, count } = this;
      for (let i = 0; i < count; i++)
        this.longestName = Math.max(this.longestName, offsets[i + 1] - offsets[i]);
    }
    return this.longestName;
  }

  /** Fills the tables, in one loop without calls: it runs once, while its code is still cold. */
  private insertAll(file: string, hashes: Int32Array): void {
    const { slots, mask, marks, offsets, ids, entries, count } = this;
    for (let entry = 0; entry < count; entry++) {
      const id = ids[entry];
      if (entries[id] !== 0) this.refuse(file, `id ${id}`);
      entries[id] = entry + 1;
      const hash = hashes[entry];
      const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
      let at = (mixed ^ (mixed >>> 12)) & mask;
      for (let slot = slots[at]; slot !== 0; slot = slots[at]) {
        if (((slot ^ hash) & marks) === 0) {
          const same = this.equals((slot & ~marks) - 1, this.bytes, offsets[entry], offsets[entry + 1]);
          // Of equal pieces with scores the last is found, as in Hugging Face's reader.
          if (same && this.scores !== undefined) break;
          if (same) this.refuse(file, `token ${JSON.stringify(this.nameAt(entry))}`);
        }
        at = (at + 1) & mask;
      }
      slots[at] = (hash & marks) | (entry + 1);
    }
  }

  private refuse(file: string, thing: string): never {
    throw new EmbError('corrupt', `${file}: "model.vocab" has ${thing} twice, expected it once`);
  }

  private equals(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.offsets[entry];
    if (this.offsets[entry + 1] - from !== end - start) return false;
    const own = this.bytes;
    for (let i = start, j = from; i < end; i++, j++) if (bytes[i] !== own[j]) return false;
    return true;
  }

  /** Id of the entry of exactly these bytes, or -1; `hash` is theirs, from this vocabulary's hashStart on. */
  findHashed(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const { slots, mask, marks } = this;
    for (let at = mixHash(hash) & mask; ; at = (at + 1) & mask) {
      const slot = slots[at];
      if (slot === 0) return -1;
      if (((slot ^ hash) & marks) !== 0) continue;
      const entry = (slot & ~marks) - 1;
      if (this.equals(entry, bytes, start, end)) return this.ids[entry];
    }
  }

  /** Bytes of an entry's name. */
  lengthOf(id: number): number {
    const entry = this.entries[id] - 1;
    return this.offsets[entry + 1] - this.offsets[entry];
  }

  /** Id of the entry whose name is those of two ids joined, or -1. */
  findJoined(left: number, right: number): number {
    const { bytes, offsets, entries } = this;
    const first = entries[left] - 1;
    const second = entries[right] - 1;
    const middle = offsets[first + 1] - offsets[first];
    const length = middle + offsets[second + 1] - offsets[second];
    const joined = new Uint8Array(length);
    joined.set(bytes.subarray(offsets[first], offsets[first + 1]));
    joined.set(bytes.subarray(offsets[second], offsets[second + 1]), middle);
    return this.find(joined, 0, length);
  }

  /** Id of the entry of exactly these bytes, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    let hash = this.hashStart;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], hashPrime);
    return this.findHashed(hash, bytes, start, end);
  }

  idOf(name: string): number | undefined {
    const bytes = encoder.encode(name);
    const id = this.find(bytes, 0, bytes.length);
    return id < 0 ? undefined : id;
  }

  nameOf(id: number): string | undefined {
    const entry = (this.entries[id] ?? 0) - 1;
    return entry < 0 ? undefined : this.nameAt(entry);
  }

  private nameAt(entry: number): string {
    return decoder.decode(this.bytes.subarray(this.offsets[entry], this.offsets[entry + 1]));
  }

  *names(): Generator<string> {
    for (let entry = 0; entry < this.count; entry++) yield this.nameAt(entry);
  }
}

/** What is said of a merge with a piece that the vocabulary lacks. */
export function refuseMerge(file: string, piece: Uint8Array, merge: number): never {
  const text = JSON.stringify(decoder.decode(piece));
  throw new EmbError(
    'corrupt',
    `${file}: "model.merges" has ${text} in merge ${merge}, expected a token of "model.vocab"`,
  );
}
