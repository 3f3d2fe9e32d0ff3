import { EmbError } from '../errors.ts';
import type { JsonScanner } from './tokenizer-json-scanner.ts';
import { decimalEnd, readScores } from './tokenizer-json-scores.ts';
import { hashPrime, hashStart, type StringArena } from './tokenizer-json-strings.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Ids may skip numbers, but an id beyond this many plus the bytes of the file is no id of a vocabulary. */
const slackIds = 65536;

/** Shortest JSON of an entry, `"":0,` or `["",0],`, which bounds how many a file can hold. */
const shortestEntry = 5;

function mixHash(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 12);
}

/**
 * The entries of a vocabulary as the file writes them: names in one arena, found by bytes or by id.
 *
 * Entry i is bytes[offsets[i], offsets[i + 1]) and has id ids[i].
 */
export class Vocabulary {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  readonly ids: Uint32Array;
  readonly count: number;
  /** Highest id, -1 when there is none. */
  readonly highest: number;
  /** Pairs of [hash, entry + 1]; 0 in the second place is an empty slot. */
  readonly slots: Int32Array;
  readonly mask: number;
  /** Entry + 1 of an id, 0 for none. */
  readonly entries: Int32Array;
  /** The scores of a Unigram model by id, read when they are asked for. */
  readonly scores: (() => Float64Array) | undefined;

  /** Bytes of the longest name. */
  private longestName = -1;

  constructor(file: string, built: VocabularyBuilder) {
    const { count } = built;
    this.bytes = built.arena.bytes;
    this.offsets = built.offsets;
    this.ids = built.ids;
    this.count = count;
    const { highest } = built;
    this.highest = highest;
    const size = 2 ** Math.max(4, Math.ceil(Math.log2(count + 1)) + 1);
    this.mask = size - 1;
    this.slots = new Int32Array(2 * size);
    this.entries = new Int32Array(highest + 1);
    this.scores = built.scores;
    this.insertAll(file, built.hashes);
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

  /** Fills the tables, in one loop for the same reason as readEntries. */
  private insertAll(file: string, hashes: Int32Array): void {
    const { slots, mask, offsets, ids, entries, count } = this;
    for (let entry = 0; entry < count; entry++) {
      const id = ids[entry];
      if (entries[id] !== 0) this.refuse(file, `id ${id}`);
      entries[id] = entry + 1;
      const hash = hashes[entry];
      const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
      let at = (mixed ^ (mixed >>> 12)) & mask;
      while (slots[2 * at + 1] !== 0) {
        if (slots[2 * at] === hash) {
          const same = this.equals(slots[2 * at + 1] - 1, this.bytes, offsets[entry], offsets[entry + 1]);
          // Of equal pieces with scores the last is found, as in Hugging Face's reader.
          if (same && this.scores !== undefined) break;
          if (same) this.refuse(file, `token ${JSON.stringify(this.nameAt(entry))}`);
        }
        at = (at + 1) & mask;
      }
      slots[2 * at] = hash;
      slots[2 * at + 1] = entry + 1;
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

  /** Id of the entry of exactly these bytes, or -1; `hash` is theirs. */
  findHashed(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const { slots, mask } = this;
    let at = mixHash(hash) & mask;
    for (;;) {
      const entry = slots[2 * at + 1] - 1;
      if (entry < 0) return -1;
      if (slots[2 * at] === hash && this.equals(entry, bytes, start, end)) return this.ids[entry];
      at = (at + 1) & mask;
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
    let hash = hashStart;
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

/** Collects entries while a file is read. */
export class VocabularyBuilder {
  readonly arena: StringArena;
  readonly offsets: Uint32Array;
  readonly ids: Uint32Array;
  readonly hashes: Int32Array;
  count = 0;
  highest = -1;
  scores: (() => Float64Array) | undefined;
  /** The highest id that a file of this size may have. */
  readonly limit: number;

  constructor(scanner: JsonScanner) {
    const remaining = scanner.bytes.length - scanner.at;
    // Nothing grows: unescaped names are never longer than their JSON, and pages that stay empty cost nothing.
    this.arena = { bytes: new Uint8Array(remaining), length: 0 };
    const capacity = Math.floor(remaining / shortestEntry) + 2;
    this.offsets = new Uint32Array(capacity);
    this.ids = new Uint32Array(capacity);
    this.hashes = new Int32Array(capacity);
    this.limit = scanner.bytes.length + slackIds;
  }

  /** Ends the name that the arena now ends with. */
  add(hash: number, id: number): void {
    this.hashes[this.count] = hash;
    this.ids[this.count] = id;
    this.offsets[++this.count] = this.arena.length;
    this.highest = Math.max(this.highest, id);
  }

  /** Says what is wrong with the digits at [start, end). */
  refuseId(scanner: JsonScanner, start: number, end: number, id: number): never {
    if (end === start || id <= this.limit) return scanner.failAt(start, 'an id, a whole number');
    const size = scanner.bytes.length;
    throw new EmbError(
      'corrupt',
      `${scanner.name}: "model.vocab" has id ${id}, expected at most ${this.limit} in a file of ${size} bytes`,
    );
  }
}

/** Reads `{"piece": id, ...}`, or Unigram's `[["piece", score], ...]` where the place is the id. */
export function readVocabulary(scanner: JsonScanner): Vocabulary {
  const first = scanner.peek();
  const builder = new VocabularyBuilder(scanner);
  if (first === 0x7b) readEntries(scanner, builder);
  else if (first === 0x5b) readScoredEntries(scanner, builder);
  else scanner.fail('"model.vocab" to be an object or a list');
  return new Vocabulary(scanner.name, builder);
}

/**
 * One lean loop over the bytes: opening a file runs it once, while its code is still cold. Calls per entry made it three times
 * as slow, and so did code for rare cases. Those go through the scanner; UTF-8 is checked when the whole file is.
 */
function readEntries(scanner: JsonScanner, builder: VocabularyBuilder): void {
  scanner.expect(0x7b);
  if (scanner.peek() === 0x7d) {
    scanner.at++;
    return;
  }
  const { bytes } = scanner;
  const { arena, offsets, ids, hashes, limit } = builder;
  const out = arena.bytes;
  const length = bytes.length;
  let count = 0;
  let highest = -1;
  let to = 0;
  let at = scanner.at;
  for (;;) {
    if (bytes[at] <= 0x20) at = scanner.skipSpace(at);
    if (bytes[at] !== 0x22) scanner.failAt(at, "'\"'");
    at++;
    let hash = hashStart;
    while (at < length) {
      const byte = bytes[at];
      if (byte === 0x22) break;
      if (byte === 0x5c || byte < 0x20) {
        scanner.at = at;
        const end = scanner.unescape(out, to);
        while (to < end) hash = Math.imul(hash ^ out[to++], hashPrime);
        at = scanner.at;
        continue;
      }
      hash = Math.imul(hash ^ byte, hashPrime);
      out[to++] = byte;
      at++;
    }
    at++;
    if (bytes[at] <= 0x20) at = scanner.skipSpace(at);
    if (bytes[at] !== 0x3a) scanner.failAt(at, "':'");
    at++;
    if (bytes[at] <= 0x20) at = scanner.skipSpace(at);
    const digits = at;
    let id = 0;
    while (bytes[at] >= 0x30 && bytes[at] <= 0x39) id = id * 10 + bytes[at++] - 0x30;
    if (at === digits || id > limit || (bytes[digits] === 0x30 && at > digits + 1)) {
      builder.refuseId(scanner, digits, at, id);
    }
    hashes[count] = hash;
    ids[count++] = id;
    offsets[count] = to;
    if (id > highest) highest = id;
    if (bytes[at] <= 0x20) at = scanner.skipSpace(at);
    if (bytes[at] !== 0x2c) break;
    at++;
  }
  scanner.at = at;
  scanner.expect(0x7d);
  arena.length = to;
  builder.count = count;
  builder.highest = highest;
}

function readScoredEntries(scanner: JsonScanner, builder: VocabularyBuilder): void {
  const places = new Uint32Array(builder.ids.length);
  scanner.elements(() => {
    scanner.expect(0x5b);
    const hash = scanner.appendString(builder.arena);
    scanner.expect(0x2c);
    if (!isNumberStart(scanner.peek())) scanner.fail('a score');
    places[builder.count] = scanner.at;
    const end = decimalEnd(scanner.bytes, scanner.at);
    if (end > 0) scanner.at = end;
    else scanner.skipValue();
    scanner.expect(0x5d);
    builder.add(hash, builder.count);
  });
  builder.scores = () => readScores(scanner.bytes, places.subarray(0, builder.count));
}

function isNumberStart(byte: number): boolean {
  return byte === 0x2d || (byte >= 0x30 && byte <= 0x39);
}
