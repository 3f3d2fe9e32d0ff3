import { Breath } from '../bytes/breath.ts';
import { firstComposedId } from '../composed-id.ts';
import { EmbError } from '../errors.ts';
import type { WordList } from '../types.ts';
import type { Fields } from './fasttext-fields.ts';
import type { FasttextArguments } from './fasttext-header.ts';
import { WordTable } from './word-list.ts';

/** Longest word of a dictionary, and longest word that is put together from parts. */
const longestWord = 1 << 16;

/** A NUL, a count and a kind. */
const leastEntryBytes = 10;

/** Distinct words out of vocabulary in one run, and their bytes. */
const mostComposed = 1 << 20;
const mostComposedBytes = 1 << 26;

/** End of sentence, </s>, which has no parts; in old models it is a word as any other. */
const endOfSentence = Uint8Array.of(0x3c, 0x2f, 0x73, 0x3e);

const [less, greater] = [0x3c, 0x3e];

/** Words, labels and the parts of words of a fastText model. Source: Dictionary of fastText 0.9.2. */
export interface FasttextDictionary {
  readonly words: ComposingWords;
  readonly labels: readonly string[];
  readonly tokens: number;
  /** Rows of the input matrix that buckets were kept in; undefined when none was dropped. */
  readonly kept: ReadonlyMap<number, number> | undefined;
}

/** Reads the dictionary. @throws EmbError "corrupt" for counts that do not add up or words behind labels */
export async function readDictionary(
  fields: Fields,
  args: FasttextArguments,
  name: string,
): Promise<FasttextDictionary> {
  const size = await fields.i32('size');
  const wordCount = await fields.i32('nwords');
  const labelCount = await fields.i32('nlabels');
  const tokens = await fields.i64('ntokens');
  const keptCount = args.isOld ? -1 : await fields.i64('pruneidx_size');
  if (wordCount < 0 || labelCount < 0 || size !== wordCount + labelCount) {
    throw new EmbError(
      'corrupt',
      `${name}: dictionary has ${size} entries, expected ${wordCount} words and ${labelCount} labels`,
    );
  }
  if (size * leastEntryBytes > fields.left) {
    throw new EmbError(
      'corrupt',
      `${name}: dictionary has ${size} entries, expected at most ${Math.floor(fields.left / leastEntryBytes)} in the rest of the file`,
    );
  }
  if (wordCount === 0) throw new EmbError('corrupt', `${name}: dictionary has no words`);
  const table = new WordTable(name);
  const labels: string[] = [];
  const breath = new Breath();
  for (let entry = 0; entry < size; entry++) {
    const word = await fields.text(longestWord, `word ${entry}`);
    if (entry < wordCount) table.add(word);
    else labels.push(Buffer.from(word).toString('utf8'));
    await fields.i64(`count of word ${entry}`);
    const kind = await fields.u8();
    if (kind !== (entry < wordCount ? 0 : 1)) {
      throw new EmbError(
        'corrupt',
        `${name}: entry ${entry} is of kind ${kind}, expected ${entry < wordCount ? '0, a word' : '1, a label'}`,
      );
    }
    if (breath.due) await breath.take();
  }
  const kept = keptCount < 0 ? undefined : await readKept(fields, keptCount, name);
  return { words: new ComposingWords(table, args, kept, name), labels, tokens, kept };
}

async function readKept(fields: Fields, count: number, name: string): Promise<Map<number, number>> {
  if (count * 8 > fields.left) {
    throw new EmbError(
      'corrupt',
      `${name}: "pruneidx_size" is ${count}, expected at most ${Math.floor(fields.left / 8)} in the rest of the file`,
    );
  }
  const kept = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    const bucket = await fields.i32(`kept bucket ${index}`);
    kept.set(bucket, await fields.i32(`row of kept bucket ${index}`));
  }
  return kept;
}

/** The words of a model, and rows of the input matrix for the parts of any word. */
export class ComposingWords implements WordList {
  readonly size: number;
  readonly #table: WordTable;
  readonly #args: FasttextArguments;
  readonly #kept: ReadonlyMap<number, number> | undefined;
  readonly #name: string;
  /** Words out of vocabulary by their bytes as latin1, and by id. */
  readonly #composedIds = new Map<string, number>();
  readonly #composed: Uint8Array[] = [];
  #composedBytes = 0;

  constructor(
    table: WordTable,
    args: FasttextArguments,
    kept: ReadonlyMap<number, number> | undefined,
    name: string,
  ) {
    this.size = table.size;
    this.#table = table;
    this.#args = args;
    this.#kept = kept;
    this.#name = name;
  }

  bytesOf(id: number): Uint8Array {
    return this.#composed[id - firstComposedId] ?? this.#table.bytesOf(id);
  }

  idOf(word: Uint8Array): number | undefined {
    return this.#table.idOf(word);
  }

  /** True for an id that compose gave. */
  isComposed(id: number): boolean {
    return this.#composed[id - firstComposedId] !== undefined;
  }

  /** fastText gives a word without parts a vector of zeros; here it has no id, as in a list without parts. */
  compose(word: Uint8Array): number | undefined {
    const key = Buffer.from(word.buffer, word.byteOffset, word.length).toString('latin1');
    const known = this.#composedIds.get(key);
    if (known !== undefined) return known;
    if (word.length > longestWord || this.#partsOf(word).length === 0) return undefined;
    this.#composedBytes += word.length;
    if (this.#composed.length >= mostComposed || this.#composedBytes > mostComposedBytes) {
      throw new EmbError(
        'unsupported',
        `${this.#name}: text has more than ${mostComposed} words that the vocabulary lacks`,
        'split the text over several runs',
      );
    }
    const id = firstComposedId + this.#composed.length;
    this.#composed.push(word.slice());
    this.#composedIds.set(key, id);
    return id;
  }

  /** Rows of the input matrix whose mean is the vector of a word: its own, where it has one, and those of its parts. */
  rowsOf(id: number): number[] {
    const word = this.bytesOf(id);
    return id < this.size ? [id, ...this.#partsOf(word)] : this.#partsOf(word);
  }

  /** Rows of the n-grams of a word between < and >. Hashes are FNV-1a over signed bytes, as fastText has them. */
  #partsOf(word: Uint8Array): number[] {
    const { isOld, minn, maxn, buckets } = this.#args;
    const rows: number[] = [];
    if (maxn < 1 || buckets < 1 || (!isOld && isEndOfSentence(word))) return rows;
    const bytes = new Uint8Array(word.length + 2);
    bytes[0] = less;
    bytes.set(word, 1);
    bytes[bytes.length - 1] = greater;
    for (let start = 0; start < bytes.length; start++) {
      if (continues(bytes[start]!)) continue;
      let hash = 2166136261;
      let at = start;
      for (let length = 1; at < bytes.length && length <= maxn; length++) {
        do {
          hash = Math.imul(hash ^ ((bytes[at++]! << 24) >> 24), 16777619);
        } while (at < bytes.length && continues(bytes[at]!));
        if (length < minn || (length === 1 && (start === 0 || at === bytes.length))) continue;
        const bucket = (hash >>> 0) % buckets;
        const row = this.#kept === undefined ? bucket : this.#kept.get(bucket);
        if (row !== undefined) rows.push(this.size + row);
      }
    }
    return rows;
  }
}

function isEndOfSentence(word: Uint8Array): boolean {
  return word.length === endOfSentence.length && endOfSentence.every((byte, at) => word[at] === byte);
}

/** True for the bytes of a UTF-8 character behind its first. */
function continues(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
