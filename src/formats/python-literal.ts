import { EmbError } from '../errors.ts';

/** What a literal holds: dictionaries are Maps, tuples and lists are arrays, None is null. */
export type Literal = string | number | boolean | null | Literal[] | Map<string, Literal>;

/** An npy header nests records a few levels deep. */
const deepest = 16;

const token = /\s*(?:([()[\]{},:])|(['"])((?:(?!\2)[^\\\n])*)\2|(\d+)L?|([A-Za-z_]+))/y;

/**
 * A Python literal of strings without escapes, whole numbers, True, False, None, tuples, lists and dictionaries.
 *
 * Whole numbers beyond 2^53 - 1 are refused: no count is that large.
 * @throws EmbError "corrupt" for anything else, a key that stands twice included
 */
export function parseLiteral(text: string, name: string): Literal {
  const reader = new LiteralReader(text, name);
  const value = reader.value(0);
  reader.end();
  return value;
}

class LiteralReader {
  readonly #text: string;
  readonly #name: string;
  #at = 0;

  constructor(text: string, name: string) {
    this.#text = text;
    this.#name = name;
  }

  value(depth: number): Literal {
    if (depth > deepest) this.#fail(`is nested deeper than ${deepest}`);
    const [, mark, quote, text, digits, word] = this.#token();
    if (quote !== undefined) return text;
    if (digits !== undefined) {
      const value = Number(digits);
      if (!Number.isSafeInteger(value)) this.#fail(`has the number ${digits}, expected at most 2^53 - 1`);
      return value;
    }
    if (mark === '{') return this.#dictionary(depth);
    if (mark === '(') return this.#sequence(')', depth);
    if (mark === '[') return this.#sequence(']', depth);
    if (word === 'True' || word === 'False') return word === 'True';
    if (word === 'None') return null;
    this.#fail('is no Python literal');
  }

  end(): void {
    if (this.#text.slice(this.#at).trim() !== '') this.#fail('is followed by something');
  }

  #sequence(close: string, depth: number): Literal[] {
    const values: Literal[] = [];
    while (!this.#skipMark(close)) {
      values.push(this.value(depth + 1));
      if (this.#skipMark(close)) break;
      if (!this.#skipMark(',')) this.#fail('lacks a comma');
    }
    return values;
  }

  #dictionary(depth: number): Map<string, Literal> {
    const entries = new Map<string, Literal>();
    while (!this.#skipMark('}')) {
      const key = this.value(depth + 1);
      if (typeof key !== 'string') this.#fail('has a key that is no string');
      if (entries.has(key)) this.#fail(`has the key ${JSON.stringify(key)} twice`);
      if (!this.#skipMark(':')) this.#fail('lacks a colon');
      entries.set(key, this.value(depth + 1));
      if (this.#skipMark('}')) break;
      if (!this.#skipMark(',')) this.#fail('lacks a comma');
    }
    return entries;
  }

  #skipMark(mark: string): boolean {
    token.lastIndex = this.#at;
    if (token.exec(this.#text)?.[1] !== mark) return false;
    this.#at = token.lastIndex;
    return true;
  }

  #token(): RegExpExecArray {
    token.lastIndex = this.#at;
    const match = token.exec(this.#text);
    if (match === null) this.#fail('is no Python literal');
    this.#at = token.lastIndex;
    return match;
  }

  #fail(what: string): never {
    throw new EmbError('corrupt', `${this.#name} ${what} (at byte ${this.#at})`);
  }
}
