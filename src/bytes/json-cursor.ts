import { EmbError } from '../errors.ts';

/** As serde_json has it: deeper values are refused, so that no input can exhaust memory or stack. */
const deepest = 128;

const quote = 0x22;
const backslash = 0x5c;

/**
 * Walks JSON bytes without building values: for headers whose form is known and whose size is the attacker's choice.
 *
 * Cost: O(bytes), no memory but the strings that are asked for.
 * @throws EmbError "corrupt", naming the byte, from every member, when the bytes are not the JSON that is asked for
 */
export class JsonCursor {
  readonly #bytes: Buffer;
  readonly #name: string;
  #at = 0;

  /** @param name what errors say is wrong: "model.safetensors: header" */
  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#name = name;
  }

  /** Calls visit at the value of every member of the object here; visit must consume it. Refuses a key that stands twice. */
  members(visit: (key: string) => void): void {
    this.#take(0x7b, 'an object');
    const seen = new Set<string>();
    if (this.#next() === 0x7d) {
      this.#at++;
      return;
    }
    for (;;) {
      const key = this.string();
      if (seen.has(key)) this.fail(`${JSON.stringify(key)} stands twice`);
      seen.add(key);
      this.#take(0x3a, '":"');
      visit(key);
      if (this.#next() !== 0x2c) break;
      this.#at++;
    }
    this.#take(0x7d, '"}" or ","');
  }

  /** Calls visit at every element of the array here; visit must consume it. */
  elements(visit: () => void): void {
    this.#take(0x5b, 'an array');
    if (this.#next() === 0x5d) {
      this.#at++;
      return;
    }
    for (;;) {
      visit();
      if (this.#next() !== 0x2c) break;
      this.#at++;
    }
    this.#take(0x5d, '"]" or ","');
  }

  string(): string {
    this.#take(quote, 'a string');
    const start = this.#at;
    let escaped = false;
    let high = 0;
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === quote) break;
      if (byte === undefined || byte < 0x20) this.fail('a string does not end');
      if (byte === backslash) {
        escaped = true;
        this.#at++;
      }
      high |= byte;
      this.#at++;
    }
    const end = this.#at++;
    if (high < 0x80 && !escaped) return this.#bytes.toString('latin1', start, end);
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        this.#bytes.subarray(start, end),
      );
      return escaped ? (JSON.parse(`"${text}"`) as string) : text;
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof TypeError)
        this.fail('a string is no valid UTF-8 or escape');
      throw error;
    }
  }

  /** A whole number in 0..2^53 - 1, in plain digits. */
  integer(): number {
    let byte = this.#next();
    const start = this.#at;
    let value = 0;
    while (byte !== undefined && byte >= 0x30 && byte <= 0x39 && this.#at - start < 17) {
      value = value * 10 + byte - 0x30;
      byte = this.#bytes[++this.#at];
    }
    const more =
      byte !== undefined &&
      (byte === 0x2e || byte === 0x65 || byte === 0x45 || (byte >= 0x30 && byte <= 0x39));
    if (this.#at === start || more || value > Number.MAX_SAFE_INTEGER) {
      this.#at = start;
      this.fail('a number is not whole in 0..2^53 - 1');
    }
    return value;
  }

  /** Passes over one value of any kind. Its brackets are matched; the spelling of its numbers is not looked at. */
  skip(): void {
    const open: number[] = [];
    do {
      const byte = this.#next();
      if (byte === quote) {
        this.#skipString();
      } else if (byte === 0x7b || byte === 0x5b) {
        if (open.length === deepest) this.fail(`values are nested deeper than ${deepest}`);
        open.push(byte + 2);
        this.#at++;
      } else if (byte === 0x7d || byte === 0x5d) {
        if (open.pop() !== byte) this.fail('brackets do not match');
        this.#at++;
      } else if ((byte === 0x2c || byte === 0x3a) && open.length > 0) {
        this.#at++;
      } else if (byte !== undefined && /[-+.\w]/.test(String.fromCharCode(byte))) {
        this.#at++;
        while (/[-+.\w]/.test(String.fromCharCode(this.#bytes[this.#at] ?? 0x20))) this.#at++;
      } else {
        this.fail('a value is missing');
      }
    } while (open.length > 0);
  }

  /** Nothing but white space may follow. */
  end(): void {
    if (this.#next() !== undefined) this.fail('something follows the value');
  }

  /** True when the value here begins with this character. */
  isAt(first: string): boolean {
    return this.#next() === first.charCodeAt(0);
  }

  fail(what: string): never {
    throw new EmbError('corrupt', `${this.#name} is no valid JSON at byte ${this.#at}: ${what}`);
  }

  #skipString(): void {
    this.#at++;
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined || byte < 0x20) this.fail('a string does not end');
      this.#at += byte === backslash ? 2 : 1;
      if (byte === quote) return;
    }
  }

  #take(byte: number, expected: string): void {
    if (this.#next() !== byte) this.fail(`expected ${expected}`);
    this.#at++;
  }

  /** The first byte that is no white space. */
  #next(): number | undefined {
    let byte = this.#bytes[this.#at];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = this.#bytes[++this.#at];
    return byte;
  }
}
