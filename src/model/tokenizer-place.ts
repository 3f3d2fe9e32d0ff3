import type { SideFileLimits } from '../bytes/side-files.ts';
import { EmbError } from '../errors.ts';
import type { ByteSource, Environment, Files, FileVocabulary, Tokenizer } from '../types.ts';
import { readObject } from './folder.ts';
import { openVocabularyFile, vocabularyIn, vocabularyKind } from './slow-tokenizer.ts';

/** The largest published tokenizer.json has 35 MB. */
const longestTokenizer = 256 * 1024 * 1024;

/** Smaller files are read in less time than starting takes. */
const leastKept = 512 * 1024;

/** Where what was read from a tokenizer.json is kept for the next time, and for which files. */
export interface TokenizerCache {
  env: Environment;
  /** Bytes of the smallest file. */
  least?: number;
  limits?: SideFileLimits;
}

/** Where a model's tokenizer lies. */
export interface TokenizerPlace {
  /** The file's name, as errors and notes have it. */
  readonly name: string;
  open(): Promise<Tokenizer>;
}

/** The tokenizer among a folder's files, when there is one. */
export async function tokenizerIn(
  files: Files,
  cache: TokenizerCache | undefined,
): Promise<TokenizerPlace | undefined> {
  const names = await files.list();
  if (names.includes('tokenizer.json')) return tokenizerFile(files, 'tokenizer.json', cache);
  const other = vocabularyIn(names);
  return other === undefined ? undefined : vocabularyFile(files, other);
}

/**
 * The tokenizer that a lone file is, by its content: a SentencePiece model, ranks of tiktoken, merges with their vocabulary beside them, a
 * list of pieces, or JSON. undefined for anything else.
 *
 * Cost: one short read. Closes the source when that fails.
 */
export async function tokenizerOfFile(
  source: ByteSource,
  name: string,
  files: Files,
  cache: TokenizerCache | undefined,
): Promise<TokenizerPlace | undefined> {
  try {
    const kind = await vocabularyKind(source, name);
    if (kind === undefined) return undefined;
    return kind === 'json' ? tokenizerFile(files, name, cache) : vocabularyFile(files, name);
  } catch (error) {
    await source.close();
    throw error;
  }
}

function vocabularyFile(files: Files, name: string): TokenizerPlace {
  return { name: `${files.name}/${name}`, open: () => openVocabularyFile(files, name) };
}

/** A tokenizer.json of any name, or other JSON that is a vocabulary, with the tokenizer_config.json beside it. */
export function tokenizerFile(files: Files, name: string, cache: TokenizerCache | undefined): TokenizerPlace {
  return { name: `${files.name}/${name}`, open: () => openTokenizerJsonOf(files, name, cache) };
}

async function openTokenizerJsonOf(
  files: Files,
  name: string,
  cache: TokenizerCache | undefined,
): Promise<Tokenizer> {
  const source = await files.open(name);
  if (source === undefined) throw new EmbError('missing', `${files.name}/${name}: no such file or folder`);
  try {
    if (source.byteLength > longestTokenizer) {
      throw new EmbError(
        'unsupported',
        `${source.name}: is ${source.byteLength} bytes, expected at most ${longestTokenizer}`,
      );
    }
    const side = await sideFileOf(source, cache);
    const config = () => readObject(files, 'tokenizer_config.json');
    const tables = side?.read();
    if (tables !== undefined) {
      const { openKeptTokenizer } = await import('../tokenizers/tokenizer-json.ts');
      const tokenizer = await openKeptTokenizer(source.name, tables, await config());
      if (tokenizer !== undefined) return tokenizer;
    }
    const bytes = await source.read(0, source.byteLength);
    if (name !== 'tokenizer.json') {
      const { kindOfJson } = await import('../tokenizers/vocab-kinds.ts');
      const kind = kindOfJson(source.name, bytes);
      if (kind === 'vocab' || kind === 'tekken') return await openVocabularyFile(files, name);
    }
    const { openTokenizerJson } = await import('../tokenizers/tokenizer-json.ts');
    return await openTokenizerJson({ name: source.name, bytes, config: await config(), keep: side?.keep });
  } finally {
    await source.close();
  }
}

/** What is kept of a large file on this machine, unless EMB_TOKENIZER_CACHE=0. */
async function sideFileOf(source: ByteSource, cache: TokenizerCache | undefined) {
  if (cache === undefined || cache.env.EMB_TOKENIZER_CACHE === '0') return undefined;
  const stamp = source.byteLength < (cache.least ?? leastKept) ? undefined : source.stamp?.();
  if (stamp === undefined) return undefined;
  const { SideFiles } = await import('../bytes/side-files.ts');
  const { keptKind } = await import('../tokenizers/tokenizer-json-kept.ts');
  const files = new SideFiles(cache.env, keptKind, cache.limits);
  return {
    read: () => files.read(stamp),
    keep: (tables: readonly Uint8Array[]) => {
      // What was read while the file was written to is not what it says now.
      if (source.stamp?.()?.state === stamp.state) files.write(stamp, tables);
    },
  };
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
  const hint = 'name a tokenizer with --tokenizer, or give ids with --ids';
  const other = ((await files?.list()) ?? []).find((name) =>
    /^[^/]+\.(spm|tiktoken|bpe)$|^(vocab|merges)\./.test(name),
  );
  if (other === undefined) return new EmbError('missing', `${model}: has no tokenizer.json`, hint);
  return new EmbError(
    'unsupported',
    `${files?.name}/${other}: is no whole tokenizer, expected tokenizer.json, one SentencePiece model, or a vocabulary with its merges`,
    hint,
  );
}
