import { join } from 'node:path';
import { kindOfPath, readWholeFile } from '../bytes/file.ts';
import { namesIn } from '../bytes/folder.ts';
import { parseJson } from '../bytes/json.ts';
import { EmbError } from '../errors.ts';
import { openShardNow } from '../formats/index.ts';
import type { Config, Tokenizer } from '../types.ts';
import { oneFile, openShards, type TensorSet } from './tensors.ts';

/** Published configs have a few hundred KB at most. */
const longestConfig = 16 * 1024 * 1024;

/** The largest published tokenizer.json has 35 MB. */
const longestTokenizer = 256 * 1024 * 1024;

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

/** Weights that are no safetensors, by ending. */
const otherWeights = /\.(bin|pt|pth|gguf|onnx|h5|msgpack|npz|ckpt\.index)$/i;

/**
 * Finds the weights of a Hugging Face folder: model.safetensors, else an index of shards, else the one .safetensors there.
 *
 * @throws EmbError "missing" naming what the folder has instead
 */
export function openFolderTensors(folder: string): TensorSet {
  const has = (name: string) => kindOfPath(join(folder, name)) === 'file';
  for (const name of ['model.safetensors', 'model.safetensors.index.json']) {
    if (has(name))
      return name.endsWith('.json') ? openShards(join(folder, name)) : openOne(join(folder, name));
  }
  const names = namesIn(folder);
  const indexes = names.filter((name) => name.endsWith('.safetensors.index.json'));
  if (indexes.length === 1) return openShards(join(folder, indexes[0]));
  const single = names.filter((name) => name.endsWith('.safetensors') && !name.startsWith('.'));
  if (single.length === 1) return openOne(join(folder, single[0]));
  const several = [...indexes, ...single];
  if (several.length > 1) {
    throw new EmbError(
      'missing',
      `${folder}: has no model.safetensors but ${several.length} other safetensors files`,
      `name one of them: ${shortList(several)}`,
    );
  }
  const others = names.filter((name) => otherWeights.test(name));
  if (others.length > 0) {
    throw new EmbError(
      'unsupported',
      `${folder}: weights are ${shortList(others)}, expected model.safetensors or its index`,
    );
  }
  throw new EmbError(
    'missing',
    `${folder}: has no weights, expected model.safetensors or model.safetensors.index.json`,
  );
}

function openOne(path: string): TensorSet {
  return oneFile(openShardNow(path), path);
}

/** config.json of a folder, {} when there is none. @throws EmbError "corrupt" when it is no JSON object */
export function readConfig(folder: string): Config {
  return readObject(join(folder, 'config.json'));
}

/** A JSON object in a file, {} when there is no such file. */
function readObject(path: string): Config {
  if (kindOfPath(path) !== 'file') return {};
  const value = parseJson(readWholeFile(path, longestConfig), path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new EmbError('corrupt', `${path}: is no JSON object`);
  }
  return value as Config;
}

/** The path of the folder's tokenizer.json, when it has one. */
export function tokenizerPathIn(folder: string): string | undefined {
  const path = join(folder, 'tokenizer.json');
  return kindOfPath(path) === 'file' ? path : undefined;
}

/** Opens a tokenizer.json with the tokenizer_config.json beside it. */
export async function openTokenizerAt(path: string, folder: string): Promise<Tokenizer> {
  const bytes = readWholeFile(path, longestTokenizer);
  const { openTokenizerJson } = await import('../tokenizers/tokenizer-json.ts');
  return openTokenizerJson({ name: path, bytes, config: readObject(join(folder, 'tokenizer_config.json')) });
}

/** Why a folder has no tokenizer that opens. */
export function noTokenizer(folder: string, model: string): EmbError {
  const names = new Set(namesIn(folder));
  const other = otherVocabularies.find((name) => names.has(name));
  const hint = 'name a tokenizer with --tokenizer, or give ids with --ids';
  if (other !== undefined) {
    return new EmbError(
      'unsupported',
      `${join(folder, other)}: tokenizer is no tokenizer.json, which is what emb opens`,
      hint,
    );
  }
  return new EmbError('missing', `${model}: has no tokenizer.json`, hint);
}

export function shortList(names: readonly string[], most = 8): string {
  const rest = names.length - most;
  return names.slice(0, most).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
