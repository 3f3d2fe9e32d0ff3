import type { Tokenizer } from '../types.ts';

/** How the words of a test set are found among the rows of a table. */
export interface VocabularyOptions {
  /** Only the first rows have words. */
  rows: number;
  /** Capital letters make no difference. */
  insensitive: boolean;
  /** Of a piece with a leading space and the same without it, the one with the space is the word. */
  spaced: boolean;
}

/** The words that a test set asks for, as rows of a table. */
export class RowWords {
  /** 1 for rows that have a word. Shape: [rows] */
  readonly named: Uint8Array;
  readonly #tokenizer: Tokenizer;
  readonly #options: VocabularyOptions;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(tokenizer: Tokenizer, options: VocabularyOptions) {
    this.#tokenizer = tokenizer;
    this.#options = options;
    this.named = new Uint8Array(options.rows);
  }

  /** A word as it is compared. */
  fold(word: string): string {
    return this.#options.insensitive ? word.toUpperCase() : word;
  }

  /** The word of a row as it is compared; undefined for a row that is none (a continuation as ##ing, a row without a token). */
  wordOf(row: number): string | undefined {
    return this.#read(row)?.word;
  }

  /**
   * The rows of words; the first row of a word counts. Words that no row has are absent.
   *
   * Cost: every row's token is read once.
   */
  find(words: ReadonlySet<string>): Map<string, number> {
    const plain = new Map<string, number>();
    const spaced = new Map<string, number>();
    for (let row = 0; row < this.#options.rows; row++) {
      const read = this.#read(row);
      if (read === undefined) continue;
      this.named[row] = 1;
      const found = read.spaced ? spaced : plain;
      if (words.has(read.word) && !found.has(read.word)) found.set(read.word, row);
    }
    return this.#options.spaced ? new Map([...plain, ...spaced]) : new Map([...spaced, ...plain]);
  }

  #read(row: number): { word: string; spaced: boolean } | undefined {
    const { kind } = this.#tokenizer;
    if (kind === 'wordpiece' && this.#tokenizer.tokenOf(row)?.startsWith('##')) return undefined;
    const bytes = this.#tokenizer.bytesOf(row);
    if (bytes === undefined) return undefined;
    const text = this.#decoder.decode(bytes);
    // A list of words has no spaces to tell words by.
    const spaced = kind !== 'words' && text.length > 1 && text.startsWith(' ');
    return { word: this.fold(spaced ? text.slice(1) : text), spaced };
  }
}
