import { EmbError } from '../errors.ts';
import type { Files, FileVocabulary, Tokenizer } from '../types.ts';
import { readObject } from './folder.ts';

/** The largest published tokenizer.json has 35 MB. */
const longestTokenizer = 256 * 1024 * 1024;

/** Where a model's tokenizer lies. */
export interface TokenizerPlace {
  /** The file's name, as errors and notes have it. */
  readonly name: string;
  open(): Promise<Tokenizer>;
}

/** Vocabularies that are no tokenizer.json, by file name, most telling first. */
const otherVocabularies = [
  'tokenizer.model',
  'spiece.model',
  'sentencepiece.bpe.model',
  'vocab.txt',
  'vocab.json',
  'vocab.bpe',
  'merges.txt',
  'tekken.json',
  'tiktoken.model',
];

/** The tokenizer among a folder's files, when there is one. */
export async function tokenizerIn(files: Files): Promise<TokenizerPlace | undefined> {
  const names = await files.list();
  if (!names.includes('tokenizer.json')) return undefined;
  return tokenizerFile(files, 'tokenizer.json');
}

/** A tokenizer.json of any name, with the tokenizer_config.json beside it. */
export function tokenizerFile(files: Files, name: string): TokenizerPlace {
  return { name: `${files.name}/${name}`, open: () => openTokenizerJsonOf(files, name) };
}

async function openTokenizerJsonOf(files: Files, name: string): Promise<Tokenizer> {
  const source = await files.open(name);
  if (source === undefined) throw new EmbError('missing', `${files.name}/${name}: no such file or folder`);
  try {
    if (source.byteLength > longestTokenizer) {
      throw new EmbError(
        'unsupported',
        `${source.name}: is ${source.byteLength} bytes, expected at most ${longestTokenizer}`,
      );
    }
    const bytes = await source.read(0, source.byteLength);
    const { openTokenizerJson } = await import('../tokenizers/tokenizer-json.ts');
    const config = await readObject(files, 'tokenizer_config.json');
    return openTokenizerJson({ name: source.name, bytes, config });
  } finally {
    await source.close();
  }
}

/** The tokenizer of a vocabulary that lies in the weight file. */
export function vocabularyPlace(vocabulary: FileVocabulary, name: string): TokenizerPlace {
  return { name, open: () => openVocabulary(vocabulary, name) };
}

async function openVocabulary(vocabulary: FileVocabulary, name: string): Promise<Tokenizer> {
  if (vocabulary.kind === 'words') {
    const { openWordsTokenizer } = await import('../tokenizers/words.ts');
    return openWordsTokenizer(name, await vocabulary.open());
  }
  const { openGgufTokenizer } = await import('../tokenizers/gguf.ts');
  return openGgufTokenizer(name, vocabulary.metadata);
}

/** Why a folder has no tokenizer that opens. */
export async function noTokenizer(files: Files | undefined, model: string): Promise<EmbError> {
  const names = new Set((await files?.list()) ?? []);
  const other = otherVocabularies.find((name) => names.has(name));
  const hint = 'name a tokenizer with --tokenizer, or give ids with --ids';
  if (other !== undefined) {
    return new EmbError(
      'unsupported',
      `${files?.name}/${other}: tokenizer is no tokenizer.json, which is what emb opens`,
      hint,
    );
  }
  return new EmbError('missing', `${model}: has no tokenizer.json`, hint);
}
