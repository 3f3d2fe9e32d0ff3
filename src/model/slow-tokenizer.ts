import { basename } from 'node:path';
import { parseJson } from '../bytes/json.ts';
import { EmbError } from '../errors.ts';
import type { VocabularySettings } from '../tokenizers/vocab-settings.ts';
import type { ByteSource, Files, Tokenizer } from '../types.ts';
import { readObject } from './folder.ts';

/** The largest published vocabulary has 35 MB. */
const longestVocabulary = 256 * 1024 * 1024;

/** Bytes that tell what a file is. */
const headBytes = 64;

/** Kinds of vocabularies that are no tokenizer.json. */
export type VocabularyKind = 'sentencepiece' | 'ranks' | 'lines' | 'merges' | 'json';

/** Vocabularies by file name, most telling first: a model that brings several means the same by them. */
const knownNames = [
  'tokenizer.model',
  'spiece.model',
  'sentencepiece.bpe.model',
  'spm.model',
  'vocab.json',
  'encoder.json',
  'vocab.txt',
  'tekken.json',
  'tiktoken.model',
  'qwen.tiktoken',
];

/** Merges by the vocabulary that they belong to. */
const mergesOf: Readonly<Record<string, readonly string[]>> = {
  'vocab.json': ['merges.txt', 'vocab.bpe'],
  'encoder.json': ['vocab.bpe', 'merges.txt'],
};

/** The vocabulary among a folder's files that is no tokenizer.json, by name. */
export function vocabularyIn(names: readonly string[]): string | undefined {
  const known = knownNames.find(
    (name) => names.includes(name) && (mergesOf[name]?.some((merges) => names.includes(merges)) ?? true),
  );
  if (known !== undefined) return known;
  const other = names.filter((name) => /^[^/]+\.(spm|tiktoken|model)$/.test(name));
  return other.length === 1 ? other[0] : undefined;
}

/**
 * What kind of vocabulary a file is, by its first bytes; undefined for anything else.
 *
 * Cost: one short read, and one more of the size of a page where a list of pieces begins.
 */
export async function vocabularyKind(source: ByteSource, name: string): Promise<VocabularyKind | undefined> {
  const head = await source.read(0, Math.min(headBytes, source.byteLength));
  if (isSentencePiece(head)) return 'sentencepiece';
  const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
  if (/^[A-Za-z0-9+/]+={0,2} 0\r?\n[A-Za-z0-9+/]+={0,2} 1\r?\n/.test(text)) return 'ranks';
  if (text.startsWith('#version')) return 'merges';
  if (/^(merges.*\.txt|.*\.bpe)$/.test(basename(name))) return 'merges';
  if (/^\s*\{/.test(text) && !text.includes('\0')) return 'json';
  // A list of words is no table of vectors: no line of it has a space.
  const isList = /\.txt$/i.test(name) && !/[ \t]/.test(text) && text.includes('\n');
  if (!isList || source.byteLength > longestVocabulary) return undefined;
  const more = await source.read(0, Math.min(4096, source.byteLength));
  const lines = Buffer.from(more.buffer, more.byteOffset, more.length).toString('utf8');
  return /^(\[UNK\]|\[PAD\]|\[CLS\]|##.|<unk>|<s>|<pad>)/m.test(lines) && !/[ \t]/.test(lines)
    ? 'lines'
    : undefined;
}

/** A message whose first field is a message whose first field is a text, then a score or a kind. */
function isSentencePiece(head: Uint8Array): boolean {
  const [outer, size, inner, length] = head;
  if (outer !== 0x0a || inner !== 0x0a || size >= 0x80 || length + 2 > size || length === 0) return false;
  const after = head[4 + length];
  return length + 2 === size || after === 0x15 || after === 0x18;
}

/** Opens a vocabulary; what lies beside it says how it is used. */
export async function openVocabularyFile(files: Files, name: string): Promise<Tokenizer> {
  const source = await files.open(name);
  if (source === undefined) throw new EmbError('missing', `${files.name}/${name}: no such file or folder`);
  try {
    const kind = await vocabularyKind(source, name);
    const settings = await readSettings(files);
    if (kind === 'merges') {
      const vocabulary = ['vocab.json', 'encoder.json'];
      const names = await files.list();
      const beside = vocabulary.find((other) => names.includes(other));
      if (beside !== undefined) return await openPairs(files, beside, name, settings);
      throw new EmbError(
        'missing',
        `${source.name}: merges need ${vocabulary.join(' or ')} beside them, which is missing`,
      );
    }
    const bytes = await readWhole(source);
    switch (kind) {
      case 'sentencepiece': {
        const { openSentencePiece } = await import('../tokenizers/sentencepiece-tokenizer.ts');
        return openSentencePiece(source.name, bytes, settings);
      }
      case 'ranks': {
        const { openTiktokenFile } = await import('../tokenizers/tiktoken-file.ts');
        return await openTiktokenFile(source.name, bytes, settings);
      }
      case 'json':
        return await openJson(files, name, source.name, bytes, settings);
      default:
        if (kind === undefined && !/vocab.*\.txt$/.test(basename(name))) throw isNoVocabulary(source.name);
    }
    const { openVocabTxt } = await import('../tokenizers/vocab-txt.ts');
    return await openVocabTxt(source.name, bytes, settings);
  } finally {
    await source.close();
  }
}

function isNoVocabulary(name: string): EmbError {
  return new EmbError(
    'unsupported',
    `${name}: is no vocabulary, expected a SentencePiece model, ranks of tiktoken, merges or a list of pieces`,
    'name a tokenizer with --tokenizer, or give ids with --ids',
  );
}

async function openJson(
  files: Files,
  name: string,
  shown: string,
  bytes: Uint8Array,
  settings: VocabularySettings,
): Promise<Tokenizer> {
  const { kindOfJson } = await import('../tokenizers/vocab-kinds.ts');
  const kind = kindOfJson(shown, bytes);
  if (kind === 'tekken') {
    const { openTekken } = await import('../tokenizers/tekken.ts');
    return openTekken(shown, parseJson(bytes, shown) as Record<string, unknown>);
  }
  if (kind !== 'vocab') throw isNoVocabulary(shown);
  const names = await files.list();
  const merges = (mergesOf[name] ?? ['merges.txt', 'vocab.bpe']).find((other) => names.includes(other));
  if (merges !== undefined) return openPairs(files, name, merges, settings);
  throw new EmbError(
    'missing',
    `${shown}: a vocabulary needs merges.txt or vocab.bpe beside it, which is missing`,
  );
}

async function openPairs(
  files: Files,
  name: string,
  mergesName: string,
  settings: VocabularySettings,
): Promise<Tokenizer> {
  const read = async (one: string) => {
    const source = await files.open(one);
    if (source === undefined) throw new EmbError('missing', `${files.name}/${one}: no such file or folder`);
    try {
      return { shown: source.name, bytes: await readWhole(source) };
    } finally {
      await source.close();
    }
  };
  const vocabulary = await read(name);
  const merges = await read(mergesName);
  const { openVocabMerges } = await import('../tokenizers/vocab-merges.ts');
  return openVocabMerges({
    name: vocabulary.shown,
    bytes: vocabulary.bytes,
    mergesName: merges.shown,
    merges: merges.bytes,
    settings,
  });
}

async function readWhole(source: ByteSource): Promise<Uint8Array> {
  if (source.byteLength <= longestVocabulary) return source.read(0, source.byteLength);
  throw new EmbError(
    'unsupported',
    `${source.name}: is ${source.byteLength} bytes, expected at most ${longestVocabulary}`,
  );
}

async function readSettings(files: Files): Promise<VocabularySettings> {
  return {
    tokenizer: await readObject(files, 'tokenizer_config.json'),
    model: await readObject(files, 'config.json'),
    specialTokens: await readObject(files, 'special_tokens_map.json'),
    addedTokens: await readObject(files, 'added_tokens.json'),
  };
}
