import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import type { TensorFile, WordList } from '../../src/types.ts';
import { hasWorld, oracle, world, worldFiles } from './manifest.ts';

interface OracleModel {
  args?: Record<string, string>;
  n_dict: number;
  first_entries: string[];
  last_entries: string[];
  vectors: Record<string, number[]>;
}

interface GensimModel {
  n: number;
  dim: number;
  bucket?: number;
  minn?: number;
  maxn?: number;
  first_words: string[];
  vectors?: Record<string, number[]>;
}

const fasttext = oracle<OracleModel>('oracle_fasttext.json');
const gensim = oracle<GensimModel>('oracle_gensim.json');
const models = worldFiles().filter((path) => fasttext[path] !== undefined);
const opened = (path: string) => openTensorFile(openFile(join(world, path)));

async function wordsOf(file: TensorFile): Promise<WordList> {
  if (file.vocabulary?.kind !== 'words') throw new Error('no words');
  return file.vocabulary.open();
}

async function vectorOf(
  file: TensorFile,
  words: WordList,
  word: Uint8Array,
): Promise<Float32Array | undefined> {
  const id = words.idOf(word) ?? words.compose?.(word);
  if (id === undefined) return undefined;
  const table = rowsOf(file.tensors[0]!);
  expect(id < table.rows || table.composes?.(id)).toBe(true);
  const out = new Float32Array(table.dim);
  await table.gather(Uint32Array.of(id), out);
  return out;
}

/** As fastText's command prints numbers: five significant decimals. */
const printed = (values: Iterable<number>) => Array.from(values, (value) => Number(value.toPrecision(5)));

describe.skipIf(!hasWorld)('every fastText model of the world', () => {
  test('is found', () => expect(models).toHaveLength(5));

  test.each(models.filter((path) => fasttext[path]!.n_dict > 0))(
    '%s has the words and vectors that fastText prints',
    async (path) => {
      const answer = fasttext[path]!;
      const file = await opened(path);
      const words = await wordsOf(file);
      expect(words.size).toBe(answer.n_dict);
      for (const [key, value] of Object.entries(answer.args ?? {})) {
        const shown = file.metadata.get(key);
        expect([key, key === 'model' && shown === 'skipgram' ? 'sg' : String(shown)]).toEqual([key, value]);
      }
      const word = (id: number) => Buffer.from(words.bytesOf(id)).toString('utf8');
      expect(answer.first_entries.map((_, id) => word(id))).toEqual(
        answer.first_entries.map((entry) => entry.replace(/ \d+ word$/, '')),
      );
      const last = answer.last_entries;
      last.forEach((entry, index) => {
        expect(word(words.size - last.length + index).trim()).toBe(entry.replace(/ ?\d+ word$/, '').trim());
      });
      for (const [text, values] of Object.entries(answer.vectors)) {
        const vector = await vectorOf(file, words, Buffer.from(text));
        // A known divergence: a word without n-grams has no vector, where fastText prints zeros.
        if (values.every((value) => value === 0)) expect([text, vector]).toEqual([text, undefined]);
        else expect([text, printed(vector!)]).toEqual([text, printed(values)]);
      }
      await file.close();
    },
  );

  test.each(models.filter((path) => gensim[path] !== undefined))(
    '%s has the words and vectors that gensim reads',
    async (path) => {
      const answer = gensim[path]!;
      const file = await opened(path);
      const words = await wordsOf(file);
      expect(file.tensors[0]!.shape).toEqual([answer.n, answer.dim]);
      for (const key of ['bucket', 'minn', 'maxn'] as const) expect(file.metadata.get(key)).toBe(answer[key]);
      const encode = (text: string) => (path.includes('cp852') ? cp852(text) : Buffer.from(text));
      for (const [id, text] of answer.first_words.entries())
        expect(Buffer.from(words.bytesOf(id))).toEqual(encode(text));
      for (const [text, values] of Object.entries(answer.vectors ?? {})) {
        const vector = await vectorOf(file, words, encode(text));
        const same = path.includes('cp852') ? await asGensim(file, words, text) : vector!;
        for (const [column, value] of values.entries()) expect(same[column]).toBeCloseTo(value, 5);
        // A known divergence: fastText hashed the bytes of the file, gensim those of the text as UTF-8.
        if (path.includes('cp852')) expect(vector![0]).not.toBeCloseTo(values[0]!, 2);
      }
      await file.close();
    },
  );

  test.each(['toy-model', 'crime-and-punishment', 'lee_fasttext'])(
    '%s.bin and its .vec agree',
    async (name) => {
      const [model, text] = await Promise.all([
        opened(`piskvorky+gensim/${name}.bin`),
        opened(`piskvorky+gensim/${name}.vec`),
      ]);
      const [modelWords, textWords] = [await wordsOf(model), await wordsOf(text)];
      expect(modelWords.size).toBe(textWords.size);
      const rows: number[][] = [];
      for await (const { data } of rowsOf(model.tensors[0]!).scan()) rows.push(printed(data));
      const expected: number[][] = [];
      for await (const { data } of rowsOf(text.tensors[0]!).scan()) expected.push(printed(data));
      expect(rows.flat()).toEqual(expected.flat());
      for (let id = 0; id < modelWords.size; id++) {
        expect(Buffer.compare(modelWords.bytesOf(id), textWords.bytesOf(id))).toBe(0);
      }
    },
  );

  test('a text that is named .bin is refused', async () => {
    await expect(opened('messense+fasttext-rs/invalid.model.bin')).rejects.toMatchObject({
      name: 'EmbError',
    });
  });
});

/** The mean of a word's own row and its n-grams as UTF-8: 15 of 2 to 4 characters for a word of 5. */
async function asGensim(file: TensorFile, words: WordList, text: string): Promise<number[]> {
  const parts = (await vectorOf(file, words, Buffer.from(text)))!;
  const row = new Float32Array(parts.length);
  await rowsOf(file.tensors[1]!).gather(Uint32Array.of(words.idOf(cp852(text))!), row);
  return Array.from(row, (value, column) => (value + 15 * parts[column]!) / 16);
}

/** The one letter that the known words need. */
function cp852(text: string): Buffer {
  return Buffer.from(text.replace(/ý/g, '\xec'), 'latin1');
}
