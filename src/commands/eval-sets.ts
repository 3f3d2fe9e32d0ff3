import { EmbError } from '../errors.ts';

/** Questions "a is to b as c is to d", in sections. */
export interface AnalogySet {
  kind: 'analogies';
  /** Distinct words, in the order they came. */
  words: string[];
  /** Shape: four places in `words` per question, one question after the other. */
  questions: number[];
  sections: { name: string; first: number }[];
  /** Lines that are no question. */
  skipped: number;
}

/** Pairs of words and how alike people found them. */
export interface PairSet {
  kind: 'pairs';
  words: string[];
  /** Shape: two places in `words` per pair. */
  pairs: number[];
  scores: number[];
  skipped: number;
}

/** What Python's str.split() and float() take for white space. */
const blanks = /[\s\x1c-\x1f\x85]+/;

/** A number as Python's float() reads it, in digits. */
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Reads a test set: analogies as Google's questions-words.txt has them (": section" lines, then "a b c d"), or word pairs with a
 * score, separated by tabs, commas or spaces as the first line is. `fold`: how words are compared.
 *
 * Source: gensim, KeyedVectors.evaluate_word_analogies and evaluate_word_pairs.
 * @throws EmbError "corrupt" for a file without a question or pair
 */
export async function readTestSet(
  name: string,
  lines: AsyncIterable<string>,
  fold: (word: string) => string,
): Promise<AnalogySet | PairSet> {
  let reader: AnalogyReader | PairReader | undefined;
  let number = 0;
  for await (const given of lines) {
    const line = number++ === 0 ? given.replace(/^\ufeff/, '') : given;
    if (reader === undefined && (line.trim() === '' || line.startsWith('#'))) continue;
    reader ??= line.startsWith(': ') ? new AnalogyReader(fold) : new PairReader(line, fold);
    reader.add(line);
  }
  const { set } = reader ?? new PairReader('', fold);
  if ((set.kind === 'pairs' ? set.pairs : set.questions).length > 0) return set;
  throw new EmbError(
    'corrupt',
    `${name}: no line is a question or a pair, expected "a b c d" after ": section", or two words and a score`,
  );
}

class WordPlaces {
  readonly words: string[] = [];
  readonly #places = new Map<string, number>();

  placeOf(word: string): number {
    const known = this.#places.get(word);
    if (known !== undefined) return known;
    this.#places.set(word, this.words.length);
    return this.words.push(word) - 1;
  }
}

class AnalogyReader {
  readonly set: AnalogySet;
  readonly #places = new WordPlaces();
  readonly #fold: (word: string) => string;

  constructor(fold: (word: string) => string) {
    this.#fold = fold;
    this.set = { kind: 'analogies', words: this.#places.words, questions: [], sections: [], skipped: 0 };
  }

  add(line: string): void {
    const { questions, sections } = this.set;
    if (line.startsWith(': ')) {
      sections.push({ name: line.replace(/^[: ]+/, '').trim(), first: questions.length / 4 });
      return;
    }
    const words = line.trim().split(blanks);
    if (words.length === 4) for (const word of words) questions.push(this.#places.placeOf(this.#fold(word)));
    else if (line.trim() !== '') this.set.skipped++;
  }
}

class PairReader {
  readonly set: PairSet;
  readonly #places = new WordPlaces();
  readonly #fold: (word: string) => string;
  readonly #separator: string | RegExp;

  constructor(first: string, fold: (word: string) => string) {
    this.#fold = fold;
    this.#separator = first.includes('\t') ? '\t' : first.includes(',') ? /\s*,\s*/ : blanks;
    this.set = { kind: 'pairs', words: this.#places.words, pairs: [], scores: [], skipped: 0 };
  }

  add(line: string): void {
    if (line.startsWith('#') || line.trim() === '') return;
    const text = this.#separator === '\t' ? line : line.trim();
    const [a, b, score, ...more] = text.split(this.#separator);
    if (score === undefined || more.length > 0 || !decimal.test(score.trim())) {
      this.set.skipped++;
      return;
    }
    this.set.pairs.push(this.#places.placeOf(this.#fold(a)), this.#places.placeOf(this.#fold(b)));
    this.set.scores.push(Number(score));
  }
}
