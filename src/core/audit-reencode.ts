import { EmbError } from '../errors.ts';
import type { IdSink, Tokenizer } from '../types.ts';

/** What stands before a text where the tokenizer puts a space before every text. */
const prefixes = ['«', '»', '\n'];

const withoutTemplate = { template: false } as const;

/**
 * Encodes tokens' own texts again.
 *
 * Where a tokenizer puts a space before every text, a token that has none is looked for behind a character that is cut off again.
 * Source: magikarp/tokenization.py (clean_encode)
 */
export class Reencoder {
  /** Why nothing can be encoded; undefined where it can. */
  readonly refusal: string | undefined;
  readonly #tokenizer: Tokenizer;
  readonly #sink: IdSink = { ids: new Uint32Array(256), length: 0 };
  readonly #prefixes: { text: string; ids: Uint32Array }[] = [];
  /** Pieces that end a word end with it; others are never alone. */
  readonly #wordEnd: string | undefined;

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
    try {
      const probe = this.#given('test');
      if (probe.length === 0) return;
      if (tokenizer.tokenOf(probe[probe.length - 1])?.endsWith('</w>')) this.#wordEnd = '</w>';
      if (tokenizer.bytesOf(probe[0])?.[0] !== 0x20) return;
      for (const text of prefixes) this.#prefixes.push({ text, ids: this.#encode(text).slice() });
    } catch (error) {
      if (!(error instanceof EmbError)) throw error;
      this.refusal = error.message;
    }
  }

  /** No ids where the tokenizer has none for the text. */
  #encode(text: string): Uint32Array {
    try {
      return this.#given(text);
    } catch (error) {
      if (!(error instanceof EmbError)) throw error;
      return this.#sink.ids.subarray(0, 0);
    }
  }

  #given(text: string): Uint32Array {
    this.#sink.length = 0;
    this.#tokenizer.encodeIds(text, this.#sink, withoutTemplate);
    return this.#sink.ids.subarray(0, this.#sink.length);
  }

  /** Whether the text gives this token and nothing else; undefined where the token cannot stand alone. */
  reaches(id: number, text: string): boolean | undefined {
    if (this.refusal !== undefined || text === '') return undefined;
    const alone = this.#encode(text);
    if (alone.length === 1 && alone[0] === id) return true;
    for (const prefix of this.#prefixes) {
      const ids = this.#encode(prefix.text + text);
      if (ids.length === prefix.ids.length + 1 && ids[ids.length - 1] === id) {
        if (prefix.ids.every((expected, index) => ids[index] === expected)) return true;
      }
    }
    return this.#goesOn(id) ? undefined : false;
  }

  #goesOn(id: number): boolean {
    const piece = this.#tokenizer.tokenOf(id) ?? '';
    if (this.#wordEnd !== undefined) return !piece.endsWith(this.#wordEnd);
    // In GGUF's vocabularies of BERT models words begin with ▁, and what goes on has no mark.
    if (this.#tokenizer.kind === 'gguf bert') return !piece.startsWith('▁');
    return this.#tokenizer.kind === 'wordpiece' && piece.startsWith('##');
  }

  /** The ids that the text gives, without what stands before it: evidence for a token that is not reached. */
  idsOf(text: string): number[] {
    const [prefix] = this.#prefixes;
    if (prefix === undefined) return Array.from(this.#encode(text));
    const ids = Array.from(this.#encode(prefix.text + text));
    const isKept = prefix.ids.every((expected, index) => ids[index] === expected);
    return isKept ? ids.slice(prefix.ids.length) : Array.from(this.#encode(text));
  }
}
