import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';

/** How the payload of a field is laid out. Source: https://protobuf.dev/programming-guides/encoding */
export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Bytes read at a time: many fields for one read, and little lost when a large payload is skipped. */
const windowBytes = 1 << 16;

/** A tag of 5 bytes and a length or a value of 10: what must be in memory before a field is read. */
const longestHeader = 15;

/** Field numbers have 29 bits. */
const largestField = 0x1fffffff;

/** The piece of a file that is in memory; all readers of a file share one. */
class Window {
  readonly source: ByteSource;
  bytes: Uint8Array = new Uint8Array(0);
  /** Where bytes begins in the file. */
  start = 0;
  #memory: Uint8Array | undefined;

  constructor(source: ByteSource) {
    this.source = source;
  }

  has(start: number, end: number): boolean {
    return start >= this.start && end <= this.start + this.bytes.length;
  }

  async move(start: number): Promise<void> {
    const end = Math.min(start + windowBytes, this.source.byteLength);
    this.#memory ??= new Uint8Array(Math.min(windowBytes, this.source.byteLength));
    this.bytes = await this.source.read(start, end, this.#memory);
    this.start = start;
  }
}

/**
 * A protobuf message in a file, field by field: payloads are skipped, and read only when asked for.
 *
 * Loop with `while (reader.ready ? reader.step() : await reader.next())`: it waits only where the file is read. Messages
 * inside are readers of their own, which share the memory.
 * Cost: 64 KiB of memory, whatever the size of the file and of its fields.
 */
export class ProtoReader {
  /** Number of the field that step() came to. */
  field = 0;
  /** One of `wire`. */
  type = 0;
  /** The field's payload in the file. */
  start = 0;
  end = 0;
  /** Where the next field begins. */
  at: number;
  /** Where the message ends. */
  readonly limit: number;
  /** Halves of the number in the field. */
  low = 0;
  high = 0;
  readonly #window: Window;

  private constructor(window: Window, start: number, end: number) {
    this.#window = window;
    this.at = start;
    this.limit = end;
  }

  /** The message that a file consists of, or that lies at start..end in it. */
  static over(source: ByteSource, start = 0, end = source.byteLength): ProtoReader {
    return new ProtoReader(new Window(source), start, end);
  }

  /** The message that these bytes are: always ready. */
  static overBytes(source: ByteSource, bytes: Uint8Array): ProtoReader {
    const window = new Window(source);
    window.bytes = bytes;
    return new ProtoReader(window, 0, bytes.length);
  }

  /** True when step() needs nothing of the file. */
  get ready(): boolean {
    return this.at >= this.limit || this.#window.has(this.at, Math.min(this.at + longestHeader, this.limit));
  }

  /** step(), after reading what it needs. */
  async next(): Promise<boolean> {
    if (!this.ready) await this.#window.move(this.at);
    return this.step();
  }

  /**
   * Goes to the next field; false at the end of the message.
   *
   * @throws EmbError "corrupt" for a tag or a length that cannot be
   */
  step(): boolean {
    if (this.at >= this.limit) return false;
    const tagAt = this.at;
    this.#varint();
    this.type = this.low & 7;
    this.field = this.low >>> 3;
    if (this.high !== 0 || this.field === 0 || this.field > largestField) {
      throw this.corrupt(tagAt, 'has no field number, expected a tag');
    }
    this.start = this.at;
    if (this.type === wire.varint) this.#varint();
    else if (this.type === wire.bytes) {
      this.#varint();
      this.start = this.at;
      this.at += this.high * 2 ** 32 + this.low;
    } else if (this.type === wire.fixed32) this.at += 4;
    else if (this.type === wire.fixed64) this.at += 8;
    else throw this.corrupt(tagAt, `has the wire type ${this.type}, expected 0, 1, 2 or 5`);
    this.end = this.at;
    if (this.end > this.limit) {
      throw this.corrupt(
        tagAt,
        `has ${this.end - this.start} bytes, expected at most ${this.limit - this.start}`,
        'the file may be truncated: compare its size with the published one',
      );
    }
    return true;
  }

  /** The field as a whole number, negative ones as int64 and int32 write them. @throws EmbError "corrupt" beyond 2^53 */
  integer(what: string): number {
    if (this.type !== wire.varint) throw this.#wrongType(what, 'a number');
    return integerOf(this.low, this.high, () => this.corrupt(this.start, `"${what}" is beyond 2^53 - 1`));
  }

  /** The message in the field. */
  message(what: string): ProtoReader {
    if (this.type !== wire.bytes) throw this.#wrongType(what, 'a message');
    return new ProtoReader(this.#window, this.start, this.end);
  }

  /** True when the field's payload is in memory: view() and viewText() may be called. */
  get loaded(): boolean {
    return this.#window.has(this.start, this.end);
  }

  /** The field's bytes, which are good until the reader goes on. @throws EmbError "corrupt" for more than `most` */
  async bytes(what: string, most: number): Promise<Uint8Array> {
    const length = this.#lengthOf(what, most);
    if (!this.loaded) {
      if (length > windowBytes) return this.#window.source.read(this.start, this.end);
      await this.#window.move(this.start);
    }
    return this.view(what, most);
  }

  /** bytes() of a payload that is loaded. */
  view(what: string, most: number): Uint8Array {
    const length = this.#lengthOf(what, most);
    const from = this.start - this.#window.start;
    return this.#window.bytes.subarray(from, from + length);
  }

  /** The field's UTF-8 text. */
  async text(what: string, most: number): Promise<string> {
    return textOf(this.loaded ? this.view(what, most) : await this.bytes(what, most));
  }

  /** text() of a payload that is loaded. */
  viewText(what: string, most: number): string {
    return textOf(this.view(what, most));
  }

  #lengthOf(what: string, most: number): number {
    if (this.type === wire.varint) throw this.#wrongType(what, 'bytes');
    const length = this.end - this.start;
    if (length > most) {
      throw this.corrupt(this.start, `"${what}" has ${length} bytes, expected at most ${most}`);
    }
    return length;
  }

  /** The numbers of a repeated field, packed or one by one, added to `into`. @throws EmbError "corrupt" for more than `most` in all */
  async integers(what: string, into: number[], most: number): Promise<void> {
    if (this.type === wire.varint) into.push(this.integer(what));
    else {
      const bytes = await this.bytes(what, most * 10);
      const isWhole = eachVarint(bytes, (low, high) => {
        into.push(integerOf(low, high, () => this.corrupt(this.start, `"${what}" is beyond 2^53 - 1`)));
        if (into.length > most) throw this.#tooMany(what, most);
      });
      if (!isWhole) throw this.corrupt(this.end, 'is inside a number, expected its end');
    }
    if (into.length > most) throw this.#tooMany(what, most);
  }

  /** What is wrong at a byte of the file. */
  corrupt(at: number, message: string, hint?: string): EmbError {
    return new EmbError('corrupt', `${this.#window.source.name}: byte ${at}: ${message}`, hint);
  }

  #tooMany(what: string, most: number): EmbError {
    return this.corrupt(this.start, `"${what}" has more than ${most} numbers`);
  }

  /** Reads seven bits a byte into #low and #high. */
  #varint(): void {
    const { bytes, start } = this.#window;
    let low = 0;
    let high = 0;
    for (let index = 0; index < 10; index++) {
      const at = this.at - start;
      if (this.at >= this.limit || at >= bytes.length) {
        throw this.corrupt(this.at, 'is inside a number, expected its end');
      }
      const byte = bytes[at];
      this.at++;
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index === 4) {
        low |= bits << 28;
        high = bits >> 4;
      } else high |= bits << (7 * index - 32);
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw this.corrupt(this.at, 'is inside a number of more than 10 bytes');
  }

  #wrongType(what: string, expected: string): EmbError {
    return this.corrupt(this.start, `"${what}" has the wire type ${this.type}, expected ${expected}`);
  }
}

/**
 * Calls take for every varint of a packed field, with its low and high 32 bits.
 *
 * @returns false when the bytes end inside a varint, or one has more than 10 bytes
 */
export function eachVarint(bytes: Uint8Array, take: (low: number, high: number) => void): boolean {
  let low = 0;
  let high = 0;
  let index = 0;
  for (const byte of bytes) {
    const bits = byte & 0x7f;
    if (index < 4) low |= bits << (7 * index);
    else if (index === 4) {
      low |= bits << 28;
      high = bits >> 4;
    } else if (index < 10) high |= bits << (7 * index - 32);
    else return false;
    index++;
    if (byte < 0x80) {
      take(low >>> 0, high >>> 0);
      low = 0;
      high = 0;
      index = 0;
    }
  }
  return index === 0;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

/** Two halves as int64. */
function integerOf(low: number, high: number, beyond: () => EmbError): number {
  const value = (high | 0) * 2 ** 32 + low;
  if (!Number.isSafeInteger(value)) throw beyond();
  return value;
}
