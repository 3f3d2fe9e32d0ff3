import type { StreamedContent } from '../bytes/inflate.ts';
import { EmbError } from '../errors.ts';
import type { ByteSource, TensorFile, TensorInfo } from '../types.ts';
import { indexWord2vec, longestRow } from './word2vec-index.ts';
import { readWord2vecHeader, type Word2vecHeader } from './word2vec-magic.ts';
import { Word2vecRows } from './word2vec-rows.ts';

/** Name of the one table of a file, which has none. */
const tableName = 'vectors';

/**
 * Opens word vectors as the word2vec program writes them in binary: "rows dim", then for each row the word, a space and dim float32.
 *
 * A line feed before a word is no part of it: word2vec writes one behind every row, gensim does not. Of a word that stands twice
 * the first row is meant, as in gensim.
 * Source: word2vec.c of the word2vec project; gensim/models/keyedvectors.py.
 * Cost: one pass over the file for the words.
 * @throws EmbError "corrupt" when the file has no room for the rows that its first line says
 */
export async function openWord2vec(source: ByteSource): Promise<TensorFile> {
  const { tensor, notes } = await openWord2vecTable(source, source, tableName);
  const { name } = source;
  return {
    format: 'word2vec',
    name,
    tensors: [tensor],
    metadata: new Map(),
    vocabulary: tensor.vocabulary,
    notes,
    close: () => source.close(),
  };
}

/**
 * The table of one binary word2vec file, as a tensor that brings its rows and its words.
 *
 * @param source the file that the content lies in, for its name and size
 */
export async function openWord2vecTable(
  content: ByteSource | StreamedContent,
  source: ByteSource,
  name: string,
): Promise<{ tensor: TensorInfo; notes: readonly string[] }> {
  const index = await indexWord2vec(content, (head) => checkHeader(head, content));
  const { rows, dim, words } = index;
  const tensor: TensorInfo = {
    name,
    shape: [rows, dim],
    dtype: 'F32',
    offset: 0,
    byteLength: rows * dim * 4,
    source,
    reader: () => new Word2vecRows(content, index),
    vocabulary: { kind: 'words', open: async () => words },
  };
  return { tensor, notes: index.notes };
}

function checkHeader(head: Uint8Array, content: ByteSource | StreamedContent): Word2vecHeader {
  const { name } = content;
  const header = readWord2vecHeader(head);
  if (header === undefined) {
    throw new EmbError('corrupt', `${name}: first line is not "rows dim", expected a word2vec file`);
  }
  const { rows, dim, byteLength } = header;
  if (rows === 0) throw new EmbError('corrupt', `${name}: first line says 0 rows, expected at least 1`);
  if (dim * 4 > longestRow) {
    throw new EmbError('unsupported', `${name}: rows have ${dim} values, expected at most ${longestRow / 4}`);
  }
  const least = byteLength + rows * (4 * dim + 1);
  if (!('stream' in content) && least > content.byteLength) {
    throw new EmbError(
      'corrupt',
      `${name}: is ${content.byteLength} bytes, expected at least ${least} for ${rows} rows of ${dim} values`,
      'the file may be truncated: compare its size with the published one',
    );
  }
  return header;
}
