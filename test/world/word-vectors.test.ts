import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import type { TensorFile, TensorInfo, WordList } from '../../src/types.ts';
import { hasWorld, oracle, world } from './manifest.ts';

interface OracleTable {
  header: [rows: number, dim: number] | null;
  rows: number;
  dim: number;
  first_words: string[];
  last_words: string[];
  first_vector: number[];
  last_vector: number[];
  neighbours_cosine: Record<string, [word: string, cosine: number][]>;
}

const answers = oracle<OracleTable>('oracle_word_vectors.json');
const archives = oracle<Record<string, unknown>>('oracle_word_vectors_zip.json');

async function wordsOf(file: TensorFile): Promise<WordList> {
  if (file.vocabulary?.kind !== 'words') throw new Error('no words');
  return file.vocabulary.open();
}

async function allRows(tensor: TensorInfo): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for await (const block of rowsOf(tensor).scan()) {
    expect(block.start).toBe(rows.length);
    const dim = tensor.shape[1]!;
    for (let row = 0; row < block.rows; row++) rows.push(block.data.slice(row * dim, (row + 1) * dim));
  }
  return rows;
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) =>
    x.reduce((sum, value, index) => sum + value * y[index]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** As the oracle decodes words: one mark for each bad sequence. */
const utf8 = new TextDecoder();

describe.skipIf(!hasWorld)('every file of word vectors of the world', () => {
  test.each(Object.keys(answers))('%s', async (path) => {
    const answer = answers[path]!;
    const file = await openTensorFile(openFile(join(world, path)));
    const [tensor] = file.tensors;
    expect(tensor!.shape).toEqual([answer.rows, answer.dim]);
    const words = await wordsOf(file);
    const text = Array.from({ length: words.size }, (_, id) => utf8.decode(words.bytesOf(id)));
    expect(text.slice(0, answer.first_words.length)).toEqual(answer.first_words);
    expect(text.slice(-answer.last_words.length)).toEqual(answer.last_words);
    const rows = await allRows(tensor!);
    expect(rows).toHaveLength(answer.rows);
    const { first_vector: first, last_vector: last } = answer;
    expect([...rows[0]!.subarray(0, first.length)]).toEqual(first);
    expect([...rows.at(-1)!.subarray(0, last.length)]).toEqual(last);
    for (const [word, neighbors] of Object.entries(answer.neighbours_cosine)) {
      const row = text.indexOf(word);
      if (!word.includes('\ufffd')) expect(words.idOf(Buffer.from(word))).toBe(row);
      for (const [other, value] of neighbors) {
        // -9 is the oracle's mark for the word itself, where the file has no others.
        if (value < -1) continue;
        expect(cosine(rows[row]!, rows[text.indexOf(other)]!)).toBeCloseTo(value, 5);
      }
    }
    const reader = rowsOf(tensor!);
    const ids = Uint32Array.of(answer.rows - 1, 0, answer.rows >> 1, 0);
    const gathered = new Float32Array(ids.length * answer.dim);
    await reader.gather(ids, gathered);
    expect(gathered).toEqual(Float32Array.from([...ids].flatMap((id) => [...rows[id]!])));
    const promised = answer.header?.[0];
    if (promised !== undefined && promised !== answer.rows) {
      expect(file.notes).toEqual([`first line says ${promised} rows, file has ${answer.rows}`]);
    } else {
      expect(file.notes).toEqual([]);
    }
    await file.close();
  });

  test.each(Object.keys(archives))('%s has a table for each entry', async (path) => {
    const file = await openTensorFile(openFile(join(world, path)));
    const shown: Record<string, unknown> = {};
    for (const tensor of file.tensors) {
      const words = await wordsOf({ ...file, vocabulary: tensor.vocabulary });
      const first = Array.from({ length: Math.min(4, words.size) }, (_, id) =>
        utf8.decode(words.bytesOf(id)),
      );
      const [rows, dim] = tensor.shape;
      shown[tensor.name] = { rows, dim, first_words: first, words_with_spaces: [] };
      expect(await allRows(tensor)).toHaveLength(rows!);
    }
    expect(shown).toEqual(archives[path]);
    await file.close();
  });

  test('a table is the same in gz, bz2, xz, zip, tar.gz and as it is', async () => {
    const rows: Float32Array[][] = [];
    for (const ending of ['', '.gz', '.bz2', '.xz', '.zip', '.tar.gz']) {
      const path = join(world, `allenai+allennlp/embeddings/fake_embeddings.5d.txt${ending}`);
      const file = await openTensorFile(openFile(path));
      expect(file.tensors.map(({ shape }) => shape)).toEqual([[15, 5]]);
      rows.push(await allRows(file.tensors[0]!));
      await file.close();
    }
    for (const other of rows) expect(other).toEqual(rows[0]);
  });
});
