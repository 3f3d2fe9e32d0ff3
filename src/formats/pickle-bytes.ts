import { EmbError } from '../errors.ts';

/** Python's limit on the digits of an int, and the bytes that hold as many. */
const longestDigits = 4300;
const longestInteger = 1786;

/** A pickle's bytes end where more were expected; the caller may have more of them. */
export class PickleEnds extends Error {}

/** Reads the arguments of pickle opcodes. */
export class PickleBytes {
  readonly #bytes: Buffer;
  /** What errors say is broken. */
  readonly name: string;
  at = 0;

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.name = name;
  }

  get length(): number {
    return this.#bytes.length;
  }

  u8(): number {
    return this.#bytes[this.#take(1)];
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#take(2));
  }

  i32(): number {
    return this.#bytes.readInt32LE(this.#take(4));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  u64(): number {
    const value = this.#bytes.readBigUInt64LE(this.#take(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(`a length is ${value}, expected at most 2^53 - 1`);
    return Number(value);
  }

  f64(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  /** A view of the next bytes. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Python 2's strings are bytes: UTF-8 where they are that, one character a byte otherwise. */
  string(length: number): string {
    const start = this.#take(length);
    const text = this.#bytes.toString('utf8', start, start + length);
    return text.includes('\ufffd') ? this.#bytes.toString('latin1', start, start + length) : text;
  }

  /** Up to the next line feed, one character a byte. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new PickleEnds();
    const text = this.#bytes.toString('latin1', this.at, end);
    this.at = end + 1;
    return text;
  }

  /** The line of INT: a whole number, or 00 and 01 for False and True. */
  integerLine(): number | bigint | boolean {
    const text = this.line();
    if (text === '00' || text === '01') return text === '01';
    return this.#parse(text.trim());
  }

  /** The line of LONG. */
  longLine(): number | bigint {
    return this.#parse(this.line().trim().replace(/L$/, ''));
  }

  /** The line of FLOAT, as Python writes it. */
  floatLine(): number {
    const text = this.line().trim();
    const special = /^([-+]?)(inf(?:inity)?|nan)$/i.exec(text);
    if (special !== null)
      return special[2][0].toLowerCase() === 'n' ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
    if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) this.fail('a float is none');
    return Number(text);
  }

  /** The line of STRING: quoted, with Python's escapes. */
  quotedLine(): string {
    const text = this.line().trim();
    const quote = text[0];
    if (text.length < 2 || (quote !== "'" && quote !== '"') || text[text.length - 1] !== quote) {
      this.fail('a string is not quoted');
    }
    const bytes = text
      .slice(1, -1)
      .replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)/g, (whole, code: string) => unescapeByte(code) ?? whole);
    const decoded = Buffer.from(bytes, 'latin1').toString('utf8');
    return decoded.includes('\ufffd') ? bytes : decoded;
  }

  /** The line of UNICODE: raw-unicode-escape. */
  unicodeLine(): string {
    return this.line().replace(/\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/g, (_, code: string) => {
      const point = Number.parseInt(code.slice(1), 16);
      if (point > 0x10ffff) this.fail('an escape is beyond U+10FFFF');
      return String.fromCodePoint(point);
    });
  }

  /** A little endian integer in two's complement, of any width. */
  long(width: number): number | bigint {
    if (width > longestInteger)
      this.fail(`an integer has ${width} bytes, expected at most ${longestInteger}`);
    if (width === 0) return 0;
    const start = this.#take(width);
    if (width <= 6) return this.#bytes.readIntLE(start, width);
    const digits = Buffer.from(this.#bytes.subarray(start, start + width))
      .reverse()
      .toString('hex');
    return narrow(BigInt.asIntN(width * 8, BigInt(`0x${digits}`)));
  }

  fail(what: string): never {
    throw new EmbError('corrupt', `${this.name}: pickle is broken before byte ${this.at}: ${what}`);
  }

  #parse(text: string): number | bigint {
    if (!/^[-+]?\d+$/.test(text)) this.fail('an integer is none');
    if (text.length > longestDigits) {
      this.fail(`an integer has ${text.length} digits, expected at most ${longestDigits}`);
    }
    return narrow(BigInt(text.replace(/^\+/, '')));
  }

  #take(length: number): number {
    const start = this.at;
    if (start + length > this.#bytes.length) throw new PickleEnds();
    this.at = start + length;
    return start;
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const escapes: Record<string, string> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

function unescapeByte(code: string): string | undefined {
  if (code.length === 3 && code[0] === 'x') return String.fromCharCode(Number.parseInt(code.slice(1), 16));
  if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff);
  return escapes[code];
}
