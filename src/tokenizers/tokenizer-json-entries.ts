import { EmbError } from '../errors.ts';
import type { JsonScanner } from './tokenizer-json-scanner.ts';
import { decimalEnd, readScores } from './tokenizer-json-scores.ts';
import { hashPrime, hashStart, type StringArena } from './tokenizer-json-strings.ts';
import { Vocabulary } from './tokenizer-json-vocabulary.ts';

/** Ids may skip numbers, but an id beyond this many plus the bytes of the file is no id of a vocabulary. */
const slackIds = 65536;

/** Shortest JSON of an entry, `"":0,` or `["",0],`, which bounds how many a file can hold. */
const shortestEntry = 5;

/** Collects entries while a file is read. */
class VocabularyBuilder {
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
  const { count, highest, limit } = builder;
  return Vocabulary.index(scanner.name, {
    bytes: builder.arena.bytes.subarray(0, builder.arena.length),
    offsets: builder.offsets.subarray(0, count + 1),
    ids: builder.ids.subarray(0, count),
    hashes: builder.hashes,
    highest,
    limit,
    scores: builder.scores,
  });
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
    while (bytes[at] === 0x20 || bytes[at] === 0x0a) at++;
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
    if (bytes[at] === 0x20) at++;
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
  let scores: Float64Array | undefined;
  builder.scores = () => {
    scores ??= readScores(scanner.bytes, places.subarray(0, builder.count));
    return scores;
  };
}

function isNumberStart(byte: number): boolean {
  return byte === 0x2d || (byte >= 0x30 && byte <= 0x39);
}
