import type { StreamedContent } from '../bytes/inflate.ts';
import type { ByteSource, TensorFile, TensorInfo } from '../types.ts';
import { indexText } from './text-vectors-index.ts';
import { TextRows } from './text-vectors-rows.ts';

/** Name of the one table of a file, which has none. */
const tableName = 'vectors';

/**
 * Opens word vectors as text: word2vec and fastText .vec with a first line "rows dim", GloVe without.
 *
 * Every line is a row, a word that stands twice too: its first row is what it means, as in gensim. A word may have spaces: a row's
 * numbers are counted from its end. Numbers are read as Python's float() reads them and rounded to float32, which is what gensim
 * and NumPy do; rows are parsed when they are asked for. A first line that lies about the rows is a note.
 * Cost: one pass over the file for the places of rows and their words.
 * @throws EmbError "corrupt" naming the first line that is no row
 */
export async function openTextVectors(source: ByteSource): Promise<TensorFile> {
  const { tensor, notes } = await openTextTable(source, source, tableName);
  const { name } = source;
  return {
    format: 'text vectors',
    name,
    tensors: [tensor],
    metadata: new Map(),
    vocabulary: tensor.vocabulary,
    notes,
    close: () => source.close(),
  };
}

/**
 * The table of one text, as a tensor that brings its rows and its words.
 *
 * @param source the file that the text lies in, for its name and size
 */
export async function openTextTable(
  content: ByteSource | StreamedContent,
  source: ByteSource,
  name: string,
): Promise<{ tensor: TensorInfo; notes: readonly string[] }> {
  const index = await indexText(content);
  const tensor: TensorInfo = {
    name,
    shape: [index.rows, index.dim],
    dtype: 'F32',
    offset: 0,
    byteLength: 'stream' in content ? content.packedBytes : content.byteLength,
    source,
    reader: () => new TextRows(content, index),
    vocabulary: { kind: 'words', open: async () => index.words },
  };
  return { tensor, notes: index.notes };
}
