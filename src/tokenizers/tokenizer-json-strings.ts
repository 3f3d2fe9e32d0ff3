import { EmbError } from '../errors.ts';

export const quote = 0x22;
const backslash = 0x5c;

/** Bytes that strings are unescaped into. Unescaped text is never longer than the JSON it comes from. */
export interface StringArena {
  bytes: Uint8Array;
  length: number;
}

/** FNV-1a from a start that nobody outside knows, so that no file can be written whose names all meet in one place. */
export const hashStart = Math.floor(Math.random() * 2 ** 32) | 0;
export const hashPrime = 0x01000193;

/** Reads the strings of JSON, and what stands between values. Throws EmbError "corrupt" with the byte position. */
export class StringScanner {
  readonly name: string;
  readonly bytes: Uint8Array;
  at = 0;
  private readonly keys: StringArena;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.bytes = bytes;
    this.keys = { bytes: new Uint8Array(64), length: 0 };
  }

  fail(expected: string): never {
    if (this.at >= this.bytes.length) {
      throw new EmbError(
        'corrupt',
        `${this.name}: "JSON" ends at byte ${this.bytes.length}, expected ${expected}`,
      );
    }
    const byte = this.bytes[this.at];
    const shown =
      byte > 0x20 && byte < 0x7f
        ? `'${String.fromCharCode(byte)}'`
        : `0x${byte.toString(16).padStart(2, '0')}`;
    throw new EmbError('corrupt', `${this.name}: "byte ${this.at}" is ${shown}, expected ${expected}`);
  }

  failAt(at: number, expected: string): never {
    this.at = at;
    return this.fail(expected);
  }

  /** The place after the white space at `at`. */
  skipSpace(at: number): number {
    this.at = at;
    this.peek();
    return this.at;
  }

  /** Skips white space and gives the next byte, or -1 at the end. */
  peek(): number {
    const { bytes } = this;
    let at = this.at;
    while (at < bytes.length) {
      const byte = bytes[at];
      if (!isSpace(byte)) {
        this.at = at;
        return byte;
      }
      at++;
    }
    this.at = at;
    return -1;
  }

  expect(byte: number): void {
    if (this.peek() !== byte) this.fail(`'${String.fromCharCode(byte)}'`);
    this.at++;
  }

  /** A string, meant for keys and small values. */
  string(): string {
    const start = this.at;
    this.skipString();
    if (this.keys.bytes.length < this.at - start) this.keys.bytes = new Uint8Array(this.at - start);
    this.at = start;
    this.keys.length = 0;
    this.appendString(this.keys);
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
      this.keys.bytes.subarray(0, this.keys.length),
    );
  }

  /** Unescapes a string to the end of `arena`, which must have room, and gives its hash. */
  appendString(arena: StringArena): number {
    this.expect(quote);
    const { bytes } = this;
    const out = arena.bytes;
    let to = arena.length;
    let hash = hashStart;
    while (this.at < bytes.length) {
      if (bytes[this.at] === quote) {
        this.at++;
        arena.length = to;
        return hash;
      }
      const end = this.copyNext(out, to);
      while (to < end) hash = Math.imul(hash ^ out[to++], hashPrime);
    }
    return this.fail('the end of a string');
  }

  /** Copies the escape or the byte here to out[to...] and gives the place after it. UTF-8 is checked when the whole file is. */
  private copyNext(out: Uint8Array, to: number): number {
    const byte = this.bytes[this.at];
    if (byte < 0x20 || byte === backslash) return this.unescape(out, to);
    out[to] = byte;
    this.at++;
    return to + 1;
  }

  /** Copies the character that the escape here stands for to out[to...] and gives the place after it. */
  unescape(out: Uint8Array, to: number): number {
    if (this.bytes[this.at] !== backslash) this.fail('no control character in a string');
    const byte = this.bytes[this.at + 1];
    if (byte === 0x75) {
      const point = this.escapedPoint();
      return writePoint(out, to, point);
    }
    const plain = simpleEscapes.get(byte);
    if (plain === undefined) this.fail('a known escape');
    out[to] = plain;
    this.at += 2;
    return to + 1;
  }

  /** Reads \uXXXX, or two of them that make a surrogate pair. */
  private escapedPoint(): number {
    const first = this.hexUnit();
    if (first < 0xd800 || first > 0xdfff) return first;
    if (first < 0xdc00 && this.bytes[this.at] === backslash && this.bytes[this.at + 1] === 0x75) {
      const second = this.hexUnit();
      if (second >= 0xdc00 && second < 0xe000) return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    }
    return this.fail('a whole surrogate pair');
  }

  private hexUnit(): number {
    let value = 0;
    for (let i = 2; i < 6; i++) {
      const byte = this.bytes[this.at + i];
      const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57;
      if (!(digit >= 0 && digit < 16) || (byte > 0x39 && digit < 10)) this.fail('four hex digits after \\u');
      value = value * 16 + digit;
    }
    this.at += 6;
    return value;
  }

  /** Passes over a string. Escapes and UTF-8 are left to whoever reads it. */
  protected skipString(): void {
    this.expect(quote);
    const { bytes } = this;
    let at = this.at;
    while (at < bytes.length) {
      const byte = bytes[at];
      if (byte === quote) {
        this.at = at + 1;
        return;
      }
      at += byte === backslash ? 2 : 1;
    }
    this.at = bytes.length;
    this.fail('the end of a string');
  }
}

const simpleEscapes = new Map([
  [0x22, 0x22],
  [0x5c, 0x5c],
  [0x2f, 0x2f],
  [0x62, 8],
  [0x66, 12],
  [0x6e, 10],
  [0x72, 13],
  [0x74, 9],
]);

/** White space of JSON. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Writes a code point as UTF-8 and gives the place after it. */
export function writePoint(out: Uint8Array, to: number, point: number): number {
  if (point < 0x80) {
    out[to] = point;
    return to + 1;
  }
  const width = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  for (let i = width - 1; i > 0; i--) {
    out[to + i] = 0x80 | ((point >> (6 * (width - 1 - i))) & 0x3f);
  }
  out[to] = ((0xf00 >> width) & 0xff) | (point >> (6 * (width - 1)));
  return to + width;
}
