import { EmbError } from '../errors.ts';
import { hashWord } from '../kernels/text-vectors.ts';
import type { WordList } from '../types.ts';

/** Where hashes of words begin; another in every process, so that no file can make all words one hash. */
export const wordSeed = Math.floor(Math.random() * 2 ** 32);

/** Words are looked for in the list of hashes until so many were asked for; a table pays off only then. */
const fewLookups = 32;

/** Bytes of all words; the longest lists in use have 40 MB. */
const mostBytes = 2 ** 30;

/**
 * Words by row, in one memory, without an object per word.
 *
 * Cost: 8 bytes and the word's own a row, 8 more a row once many words were looked up.
 */
export class WordTable implements WordList {
  readonly #name: string;
  #size = 0;
  #bytes: Uint8Array;
  /** Where each word ends in bytes. */
  #ends: Uint32Array;
  #hashes: Uint32Array;
  #lookups = 0;
  /** Rows by the upper bits of their hash, ascending within each bucket, and where every bucket begins. */
  #rows: Uint32Array | undefined;
  #buckets = new Uint32Array(0);
  #bucketShift = 0;

  /** @param name as errors call the file */
  constructor(name: string) {
    this.#name = name;
    this.#bytes = new Uint8Array(1024);
    this.#ends = new Uint32Array(128);
    this.#hashes = new Uint32Array(128);
  }

  get size(): number {
    return this.#size;
  }

  /** Makes room for so many words in all, when their number is known before they come. */
  reserve(rows: number, bytes: number): void {
    if (rows > this.#ends.length) {
      this.#ends = grown(this.#ends, rows);
      this.#hashes = grown(this.#hashes, rows);
    }
    if (bytes > this.#bytes.length) this.#bytes = grown(this.#bytes, bytes);
  }

  /** Appends words that lie one after another, with their lengths and hashes. */
  append(words: Uint8Array, lengths: Uint32Array, hashes: Uint32Array): void {
    this.#makeRoom(lengths.length, words.length);
    let end = this.byteLength;
    this.#bytes.set(words, end);
    this.#hashes.set(hashes, this.#size);
    const ends = this.#ends;
    let row = this.#size;
    for (let index = 0; index < lengths.length; index++) {
      end += lengths[index];
      ends[row++] = end;
    }
    this.#size = row;
  }

  /** Appends one word. */
  add(word: Uint8Array): void {
    this.#makeRoom(1, word.length);
    const end = this.byteLength;
    this.#bytes.set(word, end);
    this.#hashes[this.#size] = hashWord(word, 0, word.length, wordSeed);
    this.#ends[this.#size++] = end + word.length;
  }

  lengthOf(id: number): number {
    return this.#ends[id] - (id === 0 ? 0 : this.#ends[id - 1]);
  }

  bytesOf(id: number): Uint8Array {
    if (!(Number.isInteger(id) && id >= 0 && id < this.#size)) {
      throw new EmbError('range', `${this.#name}: "id" is ${id}, expected at most ${this.#size - 1}`);
    }
    return this.#bytes.subarray(id === 0 ? 0 : this.#ends[id - 1], this.#ends[id]);
  }

  idOf(word: Uint8Array): number | undefined {
    const hash = hashWord(word, 0, word.length, wordSeed);
    if (++this.#lookups <= fewLookups && this.#rows === undefined) {
      const hashes = this.#hashes.subarray(0, this.#size);
      for (let row = hashes.indexOf(hash); row >= 0; row = hashes.indexOf(hash, row + 1)) {
        if (this.#isWord(row, word)) return row;
      }
      return undefined;
    }
    this.#rows ??= this.#sortByHash();
    const bucket = hash >>> this.#bucketShift;
    for (let at = this.#buckets[bucket]; at < this.#buckets[bucket + 1]; at++) {
      const row = this.#rows[at];
      if (this.#hashes[row] === hash && this.#isWord(row, word)) return row;
    }
    return undefined;
  }

  /** Of all words. */
  get byteLength(): number {
    return this.#size === 0 ? 0 : this.#ends[this.#size - 1];
  }

  #isWord(row: number, word: Uint8Array): boolean {
    const end = this.#ends[row];
    const start = row === 0 ? 0 : this.#ends[row - 1];
    if (end - start !== word.length) return false;
    for (let at = 0; at < word.length; at++) if (this.#bytes[start + at] !== word[at]) return false;
    return true;
  }

  /** Counting sort: linear whatever the hashes are. About one row a bucket. */
  #sortByHash(): Uint32Array {
    const bits = Math.max(1, Math.min(24, 32 - Math.clz32(this.#size)));
    const shift = 32 - bits;
    const starts = new Uint32Array(2 ** bits + 1);
    for (let row = 0; row < this.#size; row++) starts[(this.#hashes[row] >>> shift) + 1]++;
    for (let bucket = 0; bucket < 2 ** bits; bucket++) starts[bucket + 1] += starts[bucket];
    const next = starts.slice();
    const rows = new Uint32Array(this.#size);
    for (let row = 0; row < this.#size; row++) rows[next[this.#hashes[row] >>> shift]++] = row;
    this.#buckets = starts;
    this.#bucketShift = shift;
    return rows;
  }

  #makeRoom(words: number, bytes: number): void {
    this.#rows = undefined;
    const rows = this.#size + words;
    const end = this.byteLength + bytes;
    if (end > mostBytes) {
      throw new EmbError(
        'unsupported',
        `${this.#name}: words are ${end} bytes, expected at most ${mostBytes}`,
      );
    }
    if (rows > this.#ends.length) {
      const room = Math.max(rows, Math.floor(this.#ends.length * 1.5));
      this.#ends = grown(this.#ends, room);
      this.#hashes = grown(this.#hashes, room);
    }
    if (end > this.#bytes.length) {
      this.#bytes = grown(this.#bytes, Math.max(end, Math.floor(this.#bytes.length * 1.5)));
    }
  }
}

function grown<T extends Uint8Array | Uint32Array>(array: T, length: number): T {
  const larger = new (array.constructor as new (length: number) => T)(length);
  larger.set(array);
  return larger;
}
