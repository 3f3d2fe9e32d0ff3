import { EmbError } from '../errors.ts';
import { quote, StringScanner } from './tokenizer-json-strings.ts';

/** Deepest nesting that is read, the same as serde_json's (which Hugging Face's tokenizers use). */
const deepestNesting = 128;

/** Longest slice that goes through JSON.parse; the largest known (added tokens of a multilingual model) are under 1 MB. */
const longestSlice = 32 * 1024 * 1024;

/**
 * Reads JSON from bytes, value by value, without building what is not asked for.
 *
 * Every method throws EmbError "corrupt" with the byte position when the JSON is broken; nesting is bounded.
 */
export class JsonScanner extends StringScanner {
  /** Calls `each` with the key of every member, placed at its value, which it must read, or give false to end here. */
  members(each: (key: string) => unknown): void {
    this.expect(0x7b);
    if (this.peek() === 0x7d) {
      this.at++;
      return;
    }
    for (;;) {
      const key = this.string();
      this.expect(0x3a);
      if (each(key) === false) return;
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
