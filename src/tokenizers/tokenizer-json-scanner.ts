import { EmbError } from '../errors.ts';

/** Deepest nesting that is read, the same as serde_json's (which Hugging Face's tokenizers use). */
const deepestNesting = 128;

/** Longest slice that goes through JSON.parse; the largest known (added tokens of a multilingual model) are under 1 MB. */
const longestSlice = 32 * 1024 * 1024;

const quote = 0x22;
const backslash = 0x5c;

/** Bytes that strings are unescaped into. Unescaped text is never longer than the JSON it comes from. */
export interface StringArena {
  bytes: Uint8Array;
  length: number;
}

/** FNV-1a from a start that nobody outside knows, so that no file can be written whose names all meet in one place. */
export const hashStart = Math.floor(Math.random() * 2 ** 32) | 0;
export const hashPrime = 0x01000193;

/**
 * Reads JSON from bytes, value by value, without building what is not asked for.
 *
 * Every method throws EmbError "corrupt" with the byte position when the JSON is broken; nesting is bounded.
 */
export class JsonScanner {
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

  /** Calls `each` with the key of every member, placed at its value, which it must read. */
  members(each: (key: string) => void): void {
    this.expect(0x7b);
    if (this.peek() === 0x7d) {
      this.at++;
      return;
    }
    for (;;) {
      const key = this.string();
      this.expect(0x3a);
      each(key);
      const next = this.peek();
      if (next !== 0x2c && next !== 0x7d) this.fail("',' or '}'");
      this.at++;
      if (next === 0x7d) return;
    }
  }

  /** Calls `each` at every element, which it must read. */
  elements(each: () => void): void {
    this.expect(0x5b);
    if (this.peek() === 0x5d) {
      this.at++;
      return;
    }
    while (true) {
      each();
      const next = this.peek();
      if (next !== 0x2c && next !== 0x5d) this.fail("',' or ']'");
      this.at++;
      if (next === 0x5d) return;
    }
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
      const end = this.copyCharacter(out, to);
      while (to < end) hash = Math.imul(hash ^ out[to++], hashPrime);
    }
    return this.fail('the end of a string');
  }

  /** Copies the character here, escaped or not, to out[to...], checks it, and gives the place after it. */
  copyCharacter(out: Uint8Array, to: number): number {
    const { bytes, at } = this;
    const lead = bytes[at];
    if (lead < 0x20 || lead === backslash) return this.unescape(out, to);
    if (lead < 0x80) {
      out[to] = lead;
      this.at = at + 1;
      return to + 1;
    }
    const width = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    let point = lead & (0xff >> (width + 1));
    if (lead < 0xc2 || lead > 0xf4 || at + width > bytes.length) this.fail('UTF-8');
    out[to] = lead;
    for (let i = 1; i < width; i++) {
      const byte = bytes[at + i];
      if ((byte & 0xc0) !== 0x80) this.fail('UTF-8');
      point = (point << 6) | (byte & 0x3f);
      out[to + i] = byte;
    }
    const overlong = point < (width === 4 ? 0x10000 : width === 3 ? 0x800 : 0x80);
    if (overlong || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) this.fail('UTF-8');
    this.at = at + width;
    return to + width;
  }

  /** Like copyCharacter, for an escape. */
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

  /** A whole number of at most nine quadrillion, without fraction or exponent. */
  integer(thing: string): number {
    this.peek();
    const start = this.at;
    let value = 0;
    while (this.at < this.bytes.length) {
      const digit = this.bytes[this.at] - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      this.at++;
    }
    const next = this.bytes[this.at];
    const fraction = next === 0x2e || next === 0x65 || next === 0x45;
    const leadingZero = this.at - start > 1 && this.bytes[start] === 0x30;
    if (this.at === start || fraction || leadingZero || value > Number.MAX_SAFE_INTEGER) {
      this.at = start;
      this.fail(`${thing}, a whole number`);
    }
    return value;
  }

  /** Passes over one value, checking it. */
  skipValue(depth = 0): void {
    const first = this.peek();
    if (depth > deepestNesting) {
      throw new EmbError(
        'corrupt',
        `${this.name}: "nesting" is deeper than ${deepestNesting} at byte ${this.at}, expected at most ${deepestNesting}`,
      );
    }
    if (first === quote) this.skipString();
    else if (first === 0x7b) {
      this.members(() => this.skipValue(depth + 1));
    } else if (first === 0x5b) {
      this.elements(() => this.skipValue(depth + 1));
    } else this.skipScalar();
  }

  /** Passes over a string. Escapes and UTF-8 are left to whoever reads it. */
  private skipString(): void {
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

  private skipScalar(): void {
    const start = this.at;
    while (this.at < this.bytes.length && isScalarByte(this.bytes[this.at])) this.at++;
    const text = String.fromCharCode(...this.bytes.subarray(start, Math.min(this.at, start + 400)));
    if (/^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)$/.test(text)) return;
    this.at = start;
    this.fail('a value');
  }

  /** One value as JavaScript has it. `thing` names it in errors. */
  value(thing: string): unknown {
    this.peek();
    const start = this.at;
    this.skipValue();
    if (this.at - start > longestSlice) {
      throw new EmbError(
        'unsupported',
        `${this.name}: "${thing}" is ${this.at - start} bytes, expected at most ${longestSlice}`,
      );
    }
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      return JSON.parse(text.decode(this.bytes.subarray(start, this.at)));
    } catch (error) {
      // SyntaxError: broken JSON. TypeError: broken UTF-8.
      if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
      this.at = start;
      throw new EmbError(
        'corrupt',
        `${this.name}: "${thing}" at byte ${start} is no valid JSON, expected a value`,
      );
    }
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

function isScalarByte(byte: number): boolean {
  const letter = byte | 0x20;
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (letter >= 0x61 && letter <= 0x7a) ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e
  );
}

/** Writes a code point as UTF-8 and gives the place after it. */
function writePoint(out: Uint8Array, to: number, point: number): number {
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
