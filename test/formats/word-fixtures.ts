import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openFile } from '../../src/bytes/file.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import type { TensorFile, TensorInfo, WordList } from '../../src/types.ts';

/** What the reference libraries read from a file of fixtures/words. Words and rows are hex. */
export interface ExpectedTable {
  shape?: [rows: number, dim: number];
  words?: string[];
  sha256: string;
  first?: string;
  last?: string;
  notes?: string[];
  entries?: string[];
  /** Vectors of words out of vocabulary. */
  others?: Record<string, string>;
  labels?: string[];
  input?: string | null;
  output?: string | null;
}

export const expectedTables = JSON.parse(
  gunzipSync(readFileSync(wordFixture('expected.json.gz'))).toString(),
) as Record<string, ExpectedTable>;

export function wordFixture(name: string): string {
  return join('fixtures', 'words', name);
}

export function openWords(name: string): Promise<TensorFile> {
  return openTensorFile(openFile(wordFixture(name)));
}

export async function wordsOf(file: Pick<TensorFile, 'vocabulary'>): Promise<WordList> {
  if (file.vocabulary?.kind !== 'words') throw new Error('file has no words');
  return file.vocabulary.open();
}

/** All rows, by scanning. */
export async function allRows(tensor: TensorInfo): Promise<Float32Array> {
  const [rows, dim] = tensor.shape as [number, number];
  const all = new Float32Array(rows * dim);
  for await (const { start, data } of rowsOf(tensor).scan()) all.set(data, start * dim);
  return all;
}

export function bytesOf(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
