import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import type { EncodeOptions, ExplainedWord, IdSink, Token, Tokenizer, WordList } from '../types.ts';
import { pushId } from './id-sink.ts';
import { spellBytes, unspellBytes } from './tiktoken-text.ts';

/** How files call the row for words that have none, in the order they are looked for. */
const unknownWords = ['<unk>', '<UNK>', '[UNK]', 'UNK', 'unk'];

/** Names that are compared with a missing one: what "did you mean" may cost. */
const mostCompared = 20_000;

/** Longest word that "did you mean" looks for. */
const longestCompared = 64;

/** What fastText's Dictionary::readWord ends a word at. */
const fasttextWord = /[^ \n\r\t\v\f\0]+/g;
const asciiWord = /[^ \n\r\t\v\f\x1c-\x1f]+/g;
const unicodeWord = /\P{White_Space}+/gu;

/**
 * The words of a file of word vectors as a tokenizer: an id is a row.
 *
 * A text that is a word as a whole, with spaces or without, is that word. Any other is split at white space, as fastText does where
 * the list composes words, elsewhere at Unicode's; letters are compared with their case. A word that is not in the list is composed
 * where the list can, else it is the row for unknown words where the file has one.
 */
export function openWordsTokenizer(name: string, words: WordList): Tokenizer {
  return new WordsTokenizer(name, words);
}

interface Piece {
  id: number;
  start: number;
  end: number;
}

class WordsTokenizer implements Tokenizer {
  readonly kind = 'words';
  readonly explains = 'words';
  readonly name: string;
  readonly vocabSize: number;
  readonly unknownId?: number;
  readonly #words: WordList;
  readonly #encoder = new TextEncoder();

  constructor(name: string, words: WordList) {
    this.name = name;
    this.#words = words;
    this.vocabSize = words.size;
    for (const word of unknownWords) {
      this.unknownId ??= words.idOf(this.#encoder.encode(word));
    }
  }

  encodeIds(text: string, into: IdSink): void {
    for (const { id } of this.#pieces(text)) pushId(into, id, 0, 0);
  }

  encode(text: string, _options?: EncodeOptions): Token[] {
    return Array.from(this.#pieces(text), ({ id, start, end }) => {
      const bytes = this.#words.bytesOf(id);
      const stage = id === this.unknownId ? 'unknown' : 'model';
      return { id, text: spellBytes(bytes), bytes, start, end, special: false, stage };
    });
  }

  *explain(text: string): Iterable<ExplainedWord> {
    for (const { id, start, end } of this.#pieces(text)) {
      const word = text.slice(start, end);
      const bytes = Buffer.byteLength(word);
      yield { word, pieces: [{ start: 0, end: bytes, id, score: null, total: null, chosen: true }] };
    }
  }

  *#pieces(text: string): Generator<Piece> {
    const whole = text === '' ? undefined : this.#words.idOf(this.#encoder.encode(text));
    if (whole !== undefined) {
      yield { id: whole, start: 0, end: text.length };
      return;
    }
    const composes = this.#words.compose !== undefined;
    for (const { 0: word, index: start } of text.matchAll(composes ? fasttextWord : asciiWord)) {
      const id = this.#words.idOf(this.#encoder.encode(word));
      if (id !== undefined || composes) {
        yield { id: id ?? this.#missing(word), start, end: start + word.length };
        continue;
      }
      for (const part of word.matchAll(unicodeWord)) {
        const from = start + part.index;
        const partId = part[0] === word ? undefined : this.#words.idOf(this.#encoder.encode(part[0]));
        yield { id: partId ?? this.#missing(part[0]), start: from, end: from + part[0].length };
      }
    }
  }

  /** The id that stands for a word that is not in the list. */
  #missing(word: string): number {
    const id = this.#words.compose?.(this.#encoder.encode(word)) ?? this.unknownId;
    if (id !== undefined) return id;
    const shown = JSON.stringify(word.length > 100 ? `${word.slice(0, 100)}…` : word);
    const other = this.#otherCase(word);
    throw new EmbError(
      'missing',
      `${shown} is none of the ${this.vocabSize} words of ${this.name}`,
      other === undefined
        ? didYouMean(this.suggest(word, 3).map((name) => JSON.stringify(name)))
        : `words are compared with their case: ${JSON.stringify(other)} is one`,
    );
  }

  /** The word with other capitals, where that is in the list. */
  #otherCase(word: string): string | undefined {
    const lower = word.toLowerCase();
    const spellings = [lower, lower.slice(0, 1).toUpperCase() + lower.slice(1), word.toUpperCase()];
    return spellings.find((spelling) => spelling !== word && this.idOf(spelling) !== undefined);
  }

  decodeBytes(ids: ArrayLike<number>): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let index = 0; index < ids.length; index++) {
      const bytes = this.bytesOf(ids[index]!);
      if (bytes === undefined) {
        throw new EmbError(
          'range',
          `"id" is ${ids[index]}, expected a word of ${this.name} (0 to ${this.vocabSize - 1})`,
        );
      }
      if (index > 0) parts.push(Uint8Array.of(0x20));
      parts.push(bytes);
    }
    return Buffer.concat(parts);
  }

  tokenOf(id: number): string | undefined {
    const bytes = this.bytesOf(id);
    return bytes === undefined ? undefined : spellBytes(bytes);
  }

  bytesOf(id: number): Uint8Array | undefined {
    try {
      return this.#words.bytesOf(id);
    } catch (error) {
      // Which ids are composed only the list knows.
      if (error instanceof EmbError && error.code === 'range') return undefined;
      throw error;
    }
  }

  idOf(token: string): number | undefined {
    const exact = this.#words.idOf(this.#encoder.encode(token));
    return exact ?? (token.includes('<0x') ? this.#words.idOf(unspellBytes(token)) : undefined);
  }

  isSpecial(): boolean {
    return false;
  }

  suggest(token: string, count: number): string[] {
    const other = this.#otherCase(token);
    const names = nearestNames(token, this.#namesLike(token), count).filter((name) => name !== other);
    return (other === undefined ? names : [other, ...names]).slice(0, count);
  }

  /** Words of about this length and these letters that begin or end alike, in the order of rows: frequent words come first. */
  *#namesLike(token: string): Generator<string> {
    const wanted = this.#encoder.encode(token);
    if (wanted.length === 0 || wanted.length > longestCompared) return;
    const most = Math.ceil(wanted.length * 1.5) + 1;
    const least = Math.floor(wanted.length / 1.5) - 1;
    const letters = new Letters(wanted);
    let compared = 0;
    for (let id = 0; id < this.vocabSize && compared < mostCompared; id++) {
      const bytes = this.#words.bytesOf(id);
      if (bytes.length < least || bytes.length > most || bytes.length === 0) continue;
      const begins = alike(bytes[0]!, wanted[0]!);
      if (!begins && !alike(bytes[bytes.length - 1]!, wanted[wanted.length - 1]!)) continue;
      if (!letters.mayBeNear(bytes)) continue;
      compared++;
      yield spellBytes(bytes);
    }
  }
}

/** The same byte, or the same ASCII letter. */
function alike(a: number, b: number): boolean {
  return a === b || ((a | 32) === (b | 32) && (a | 32) >= 97 && (a | 32) <= 122);
}

/** The letters of a word: what few of them tell apart from a million other words before those are compared. */
class Letters {
  readonly #size: number;
  readonly #isAscii: boolean;
  readonly #wanted = new Uint8Array(256);
  readonly #left = new Uint8Array(256);

  constructor(wanted: Uint8Array) {
    this.#size = wanted.length;
    this.#isAscii = wanted.every((byte) => byte < 0x80);
    for (const byte of wanted) this.#wanted[lower(byte)]!++;
    this.#left.set(this.#wanted);
  }

  /** False where more letters differ than a third of the longer word, so that its edit distance is more, too; what is not ASCII may be near. */
  mayBeNear(bytes: Uint8Array): boolean {
    let shared = 0;
    let isAscii = this.#isAscii;
    for (const byte of bytes) {
      const letter = lower(byte);
      if (byte >= 0x80) isAscii = false;
      else if (this.#left[letter]! > 0) {
        this.#left[letter]!--;
        shared++;
      }
    }
    for (const byte of bytes) this.#left[lower(byte)] = this.#wanted[lower(byte)]!;
    const most = Math.max(1, Math.floor(Math.max(this.#size, bytes.length) / 3));
    const missing = this.#size - shared;
    // A longer word may begin with the whole of it.
    return !isAscii || missing === 0 || (missing <= most && bytes.length - shared <= most);
  }
}

function lower(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte | 32 : byte;
}
