import { EmbError } from '../errors.ts';
import type { ByteSource, FileRole, MetadataArray, TensorFile, TensorInfo } from '../types.ts';
import { type FasttextDictionary, readDictionary } from './fasttext-dictionary.ts';
import { Fields } from './fasttext-fields.ts';
import { type FasttextArguments, readArguments } from './fasttext-header.ts';
import { readDense, readQuantized } from './fasttext-matrix.ts';
import { FasttextRows } from './fasttext-rows.ts';
import { rowsOf } from './rows.ts';

/**
 * Opens a fastText model, .bin or quantized .ftz, of version 11 or 12 or from before there were versions.
 *
 * `words` are the vectors that fastText prints: the mean of a word's own row of the input matrix and those of its n-grams. `input`
 * and `output` are the matrices as stored. A word out of vocabulary is composed of its n-grams; one without any has no vector here,
 * where fastText prints zeros. Of a supervised model the rows of `output` are labels.
 * Source: fastText 0.9.2, fasttext.cc, dictionary.cc, matrix files; for models without a magic number gensim's _fasttext_bin.py.
 * Cost: reads the dictionary; memory 8 bytes and the word a row.
 * @throws EmbError "corrupt" naming the field that does not hold, "unsupported" for another version
 */
export async function openFasttext(source: ByteSource): Promise<TensorFile> {
  const { name } = source;
  const fields = new Fields(source);
  const args = await readArguments(fields, name);
  const dictionary = await readDictionary(fields, args, name);
  const isQuantized = !args.isOld && (await readFlag(fields, 'quant_input', name));
  if (!isQuantized && dictionary.kept !== undefined) {
    throw new EmbError(
      'corrupt',
      `${name}: buckets were dropped from an input matrix that is not quantized`,
      'download it again',
    );
  }
  const input = await (isQuantized ? readQuantized : readDense)(fields, source, 'input', args.dim);
  checkInput(input, dictionary, args);
  const isOutputQuantized = !args.isOld && (await readFlag(fields, 'qout', name)) && isQuantized;
  const output = await (isOutputQuantized ? readQuantized : readDense)(fields, source, 'output', args.dim);
  const { words } = dictionary;
  const table: TensorInfo = {
    name: 'words',
    shape: [words.size, args.dim],
    dtype: input.dtype,
    offset: input.offset,
    byteLength: isQuantized ? input.byteLength : words.size * args.dim * 4,
    source,
    reader: () => new FasttextRows(words, rowsOf(input), name),
  };
  return {
    format: 'fasttext',
    name,
    tensors: [table, input, output],
    metadata: metadataOf(args, dictionary, isQuantized),
    roles: rolesOf(args),
    vocabulary: { kind: 'words', open: async () => words },
    notes: fields.left > 0 ? [`${fields.left} bytes follow the output matrix`] : [],
    close: () => source.close(),
  };
}

async function readFlag(fields: Fields, what: string, name: string): Promise<boolean> {
  const value = await fields.u8();
  if (value > 1) throw new EmbError('corrupt', `${name}: "${what}" is ${value}, expected 0 or 1`);
  return value === 1;
}

/** Every row that an n-gram can have must be there. */
function checkInput(input: TensorInfo, { words, kept }: FasttextDictionary, args: FasttextArguments): void {
  const { name } = input.source;
  const parts = args.maxn < 1 ? 0 : (kept?.size ?? args.buckets);
  const least = words.size + parts;
  if (input.shape[0]! < least) {
    throw new EmbError(
      'corrupt',
      `${name}: input matrix has ${input.shape[0]} rows, expected at least ${least}: ${words.size} words and ${parts} buckets`,
    );
  }
  for (const [bucket, row] of kept ?? []) {
    if (row < 0 || words.size + row >= input.shape[0]!) {
      throw new EmbError(
        'corrupt',
        `${name}: bucket ${bucket} is kept in row ${words.size + row}, expected at most ${input.shape[0]! - 1}`,
      );
    }
  }
}

function rolesOf(args: FasttextArguments): FileRole[] {
  const reason = 'the vectors that fastText prints: the mean of word and n-grams';
  const roles: FileRole[] = [{ layer: 'input', tensor: 'words', reason }];
  // A label is no row of the vocabulary.
  if (args.model !== 'supervised') {
    roles.push({ layer: 'output', tensor: 'output', reason: `the output matrix of ${args.model} training` });
  }
  return roles;
}

function metadataOf(
  args: FasttextArguments,
  { words, labels, tokens }: FasttextDictionary,
  isQuantized: boolean,
): Map<string, unknown> {
  const metadata = new Map<string, unknown>([['version', args.version], ...args.all]);
  metadata.set('nwords', words.size).set('nlabels', labels.length).set('ntokens', tokens);
  metadata.set('quantized', isQuantized);
  if (labels.length > 0) {
    const list: MetadataArray = {
      elementType: 'string',
      length: labels.length,
      values: async (most) => labels.slice(0, most),
    };
    metadata.set('labels', list);
  }
  return metadata;
}
