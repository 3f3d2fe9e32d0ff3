import { crc32 } from 'node:zlib';
import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';
import { type Cursor, cursorOf } from './inflate.ts';
import { crc64 } from './xz-crc64.ts';
import { LzmaDecoder, LzmaError } from './xz-lzma.ts';

/** What `xz -9` uses; the window of it takes 84 MB. */
const largestDictionary = 1 << 26;

/** Bytes that one LZMA2 chunk makes at most. */
const longestChunk = 1 << 21;

/** Bytes of the window at first; it grows with what is decoded. */
const smallWindow = 1 << 22;

const magic = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const footerMagic = [0x59, 0x5a];
const lzma2 = 0x21;

/** Bytes of a block's check, by its number. */
const checkBytes = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/**
 * What an xz file holds, all of its streams one after another, a piece at a time.
 *
 * Source: the .xz file format, version 1.2.1, https://tukaani.org/xz/xz-file-format.txt. CRC-32 and CRC-64 are checked, SHA-256 is not.
 * Cost: memory for the dictionary that the file names, at most 84 MB, as far as content fills it.
 * @throws EmbError "corrupt" where it does not decode, ends early or a checksum differs, "unsupported" for filters other than LZMA2
 */
export async function* unxz(source: ByteSource): AsyncIterable<Uint8Array> {
  const input = new XzInput(source);
  for (let isFirst = true; ; isFirst = false) {
    const check = await readStreamHeader(input, isFirst);
    if (check === undefined) return;
    for (;;) {
      const size = (await input.byte()) * 4;
      if (size === 0) break;
      yield* readBlock(input, size, check);
    }
    await readIndex(input);
  }
}

/** Kind of the checks of a stream; undefined when no stream follows. Streams may have zeros between them. */
async function readStreamHeader(input: XzInput, isFirst: boolean): Promise<number | undefined> {
  while (!isFirst && input.left >= 4) {
    const next = await input.peek(4);
    if (next.some((byte) => byte !== 0)) break;
    await input.bytes(4);
  }
  if (!isFirst && input.left === 0) return undefined;
  const header = await input.bytes(12);
  if (!magic.every((byte, index) => header[index] === byte)) {
    throw input.corrupt(isFirst ? 'does not begin with FD 37 7A 58 5A 00' : 'goes on behind its last stream');
  }
  checkCrc(input, header.subarray(6, 8), header.subarray(8));
  if (header[6] !== 0 || header[7] > 15) {
    throw new EmbError(
      'unsupported',
      `${input.name}: xz flags are ${header[6]} and ${header[7]}, expected 0 and 0 to 15`,
    );
  }
  return header[7];
}

function checkCrc(input: XzInput, bytes: Uint8Array, stored: Uint8Array): void {
  const [is, expected] = [crc32(bytes), u32(stored, 0)];
  if (is !== expected) throw input.corrupt(`has a header with the CRC ${hex(is)}, expected ${hex(expected)}`);
}

async function* readBlock(input: XzInput, headerBytes: number, check: number): AsyncIterable<Uint8Array> {
  const rest = await input.bytes(headerBytes + 3);
  const header = Buffer.concat([Uint8Array.of(headerBytes / 4), rest]);
  checkCrc(input, header.subarray(0, headerBytes), header.subarray(headerBytes));
  const dictionary = readFilters(input, header.subarray(0, headerBytes));
  const start = input.position;
  const window = new Window(dictionary);
  let [sum32, sum64] = [0, [0, 0] as [number, number]];
  for await (const piece of readChunks(input, window)) {
    if (check === 1) sum32 = crc32(piece, sum32);
    if (check === 4) sum64 = crc64(piece, sum64);
    yield piece;
  }
  await input.bytes((4 - ((input.position - start) % 4)) % 4);
  const stored = await input.bytes(checkBytes[check]);
  if (check === 1 && sum32 !== u32(stored, 0))
    throw input.corrupt('has a block with another CRC-32 than it says');
  if (check === 4 && (sum64[0] !== u32(stored, 0) || sum64[1] !== u32(stored, 4))) {
    throw input.corrupt('has a block with another CRC-64 than it says');
  }
}

/** Bytes of the dictionary. The only filter that a block of text has is LZMA2. */
function readFilters(input: XzInput, header: Uint8Array): number {
  const flags = header[1];
  let at = 2;
  // Sizes, which the chunks and the index say too.
  for (const flag of [0x40, 0x80]) if ((flags & flag) !== 0) at = skipNumber(header, at);
  const filters = (flags & 3) + 1;
  const [id, propertyBytes, property] = header.subarray(at, at + 3);
  if (filters !== 1 || id !== lzma2 || propertyBytes !== 1) {
    throw new EmbError(
      'unsupported',
      `${input.name}: block has ${filters} filters, the first ${id}, expected LZMA2 alone (${lzma2})`,
      'decompress it first',
    );
  }
  const size = property > 39 ? Number.POSITIVE_INFINITY : (2 | (property & 1)) * 2 ** ((property >> 1) + 11);
  if (size > largestDictionary) {
    throw new EmbError(
      'unsupported',
      `${input.name}: dictionary is ${size} bytes, expected at most ${largestDictionary}`,
      'decompress it first',
    );
  }
  return size;
}

async function* readChunks(input: XzInput, window: Window): AsyncIterable<Uint8Array> {
  let needsDictionary = true;
  for (;;) {
    const control = await input.byte();
    if (control === 0) return;
    if (control > 2 && control < 0x80) throw input.corrupt(`has a chunk of kind ${control}`);
    const resetsDictionary = control === 1 || control >= 0xe0;
    if (needsDictionary && !resetsDictionary)
      throw input.corrupt('has a first chunk that goes on with a dictionary');
    needsDictionary = false;
    const sizes = await input.bytes(control < 0x80 ? 2 : 4);
    const low = (sizes[0] << 8) | sizes[1];
    const { decoder } = window;
    if (control < 0x80) {
      if (resetsDictionary) decoder.forget();
      window.makeRoom(low + 1);
      decoder.window.set(await input.bytes(low + 1), decoder.end);
      decoder.end += low + 1;
      decoder.reach += low + 1;
    } else {
      const length = (((control & 0x1f) << 16) | low) + 1;
      const packed = ((sizes[2] << 8) | sizes[3]) + 1;
      const resets = (control >> 5) & 3;
      if (resetsDictionary) decoder.forget();
      window.makeRoom(length);
      try {
        if (resets >= 2) decoder.setProperties(await input.byte());
        else if (!decoder.hasProperties) throw input.corrupt('has a chunk without LZMA properties');
        else if (resets === 1) decoder.resetState();
        decoder.decode(await input.bytes(packed), length);
      } catch (error) {
        throw error instanceof LzmaError ? input.corrupt(error.message) : error;
      }
    }
    yield window.taken();
  }
}

/** The dictionary, and behind it what was decoded last. */
class Window {
  readonly decoder: LzmaDecoder;
  readonly #dictionary: number;
  #start = 0;

  constructor(dictionary: number) {
    this.#dictionary = dictionary;
    this.decoder = new LzmaDecoder(new Uint8Array(Math.min(smallWindow, dictionary + longestChunk)));
  }

  /** Makes room for so many bytes behind the end; forgets what is older than the dictionary. */
  makeRoom(length: number): void {
    const { decoder } = this;
    decoder.reach = Math.min(decoder.reach, this.#dictionary);
    if (decoder.end + length > decoder.window.length) {
      // Which probabilities are taken depends on the place modulo 16.
      const most = this.#dictionary + Math.max(longestChunk, this.#dictionary >> 2) + 32;
      const kept = Math.min(decoder.end, (decoder.reach + 15) & ~15);
      const from = (decoder.end - kept) & ~15;
      const needed = decoder.end - from + length;
      if (needed > decoder.window.length) {
        const larger = new Uint8Array(Math.max(needed, Math.min(most, decoder.window.length * 2)));
        larger.set(decoder.window.subarray(from, decoder.end));
        decoder.window = larger;
      } else {
        decoder.window.copyWithin(0, from, decoder.end);
      }
      decoder.end -= from;
    }
    this.#start = decoder.end;
  }

  /** What was decoded since makeRoom, in memory of its own. */
  taken(): Uint8Array {
    return this.decoder.window.slice(this.#start, this.decoder.end);
  }
}

/** Passes over a stream's index and its footer. */
async function readIndex(input: XzInput): Promise<void> {
  const start = input.position - 1;
  let sum = crc32(Uint8Array.of(0));
  const number = async () => {
    let value = 0;
    for (let index = 0; index < 9; index++) {
      const bytes = await input.bytes(1);
      sum = crc32(bytes, sum);
      value += (bytes[0] & 0x7f) * 2 ** (7 * index);
      if (bytes[0] < 0x80) return value;
    }
    throw input.corrupt('has an index with a number of more than 9 bytes');
  };
  const records = await number();
  if (records > input.left) throw input.corrupt(`has an index of ${records} records in ${input.left} bytes`);
  for (let record = 0; record < 2 * records; record++) await number();
  const padding = await input.bytes((4 - ((input.position - start) % 4)) % 4);
  sum = crc32(padding, sum);
  const size = input.position - start + 4;
  if (u32(await input.bytes(4), 0) !== sum) throw input.corrupt('has an index with another CRC than it says');
  const footer = await input.bytes(12);
  checkCrc(input, footer.subarray(4, 10), footer);
  if (footer[10] !== footerMagic[0] || footer[11] !== footerMagic[1])
    throw input.corrupt('has no end of stream');
  if ((u32(footer, 4) + 1) * 4 !== size)
    throw input.corrupt(`has an index of ${size} bytes, expected ${(u32(footer, 4) + 1) * 4}`);
}

/** Behind a number of 7 bits a byte. */
function skipNumber(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end < bytes.length && bytes[end] >= 0x80) end++;
  return end + 1;
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

function hex(sum: number): string {
  return sum.toString(16).padStart(8, '0');
}

const readBytes = 1 << 18;

/** The compressed bytes, in order. */
class XzInput {
  readonly name: string;
  position = 0;
  readonly #cursor: Cursor;
  readonly #byteLength: number;
  readonly #buffer = new Uint8Array(readBytes);
  #from = 0;
  #to = 0;

  constructor(source: ByteSource) {
    this.name = source.name;
    this.#cursor = cursorOf(source);
    this.#byteLength = source.byteLength;
  }

  get left(): number {
    return this.#byteLength - this.position;
  }

  corrupt(what: string): EmbError {
    return new EmbError('corrupt', `${this.name}: ${what}, expected xz`, 'download it again');
  }

  async byte(): Promise<number> {
    if (this.#from === this.#to) await this.#fill(1);
    this.position++;
    return this.#buffer[this.#from++];
  }

  /** A view that is valid until the next call; at most 65,536 bytes. */
  async bytes(count: number): Promise<Uint8Array> {
    const bytes = await this.peek(count);
    this.#from += count;
    this.position += count;
    return bytes;
  }

  async peek(count: number): Promise<Uint8Array> {
    if (this.#to - this.#from < count) await this.#fill(count);
    return this.#buffer.subarray(this.#from, this.#from + count);
  }

  async #fill(count: number): Promise<void> {
    this.#buffer.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    this.#to += await this.#cursor.fill(this.#buffer.subarray(this.#to));
    if (this.#to < count) throw this.corrupt(`ends at byte ${this.#byteLength}`);
  }
}
