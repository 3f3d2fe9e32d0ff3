import { leadsOutside } from '../bytes/folder.ts';
import { parseJson } from '../bytes/json.ts';
import { EmbError } from '../errors.ts';
import type { Config, Files, TensorFile, TensorInfo } from '../types.ts';
import { StaticRows } from './model2vec-rows.ts';

/** Lists of modules have a few lines. */
const longestModules = 1 << 20;

/** What a sentence-transformers folder says of its first module, which reads the text. */
export interface SentenceModel {
  /** Where its weights and its tokenizer lie, below the folder; '' for the folder itself. */
  folder: string;
  /** The last part of its class: Transformer, StaticEmbedding, WordEmbeddings ... */
  module: string;
  /** A Normalize module divides what pooling gives by its norm. Rows are as they are stored. */
  normalizes: boolean;
}

/**
 * Reads modules.json of a sentence-transformers or model2vec folder; undefined when there is none.
 *
 * Source: sentence-transformers 6.2, base/model.py: modules in order, each with a path below the folder ('' or '.': the folder).
 * @throws EmbError "corrupt" for a file that is no list of modules or leads outside the folder
 */
export async function readModules(files: Files): Promise<SentenceModel | undefined> {
  const source = await files.open('modules.json');
  if (source === undefined) return undefined;
  try {
    const { name, byteLength } = source;
    if (byteLength > longestModules) {
      throw new EmbError('corrupt', `${name}: is ${byteLength} bytes, expected at most ${longestModules}`);
    }
    return firstModule(parseJson(await source.read(0, byteLength), name), name);
  } finally {
    await source.close();
  }
}

function firstModule(value: unknown, name: string): SentenceModel {
  const modules = Array.isArray(value) ? value.filter(isModule) : [];
  const [first] = modules;
  if (first === undefined || modules.length !== (value as unknown[]).length) {
    throw new EmbError('corrupt', `${name}: is no list of modules, expected "path" and "type" of each`);
  }
  const folder = first.path.replace(/^\.\/|\/$/g, '');
  if (folder !== '' && folder !== '.' && leadsOutside(folder)) {
    throw new EmbError(
      'corrupt',
      `${name}: "path" is ${JSON.stringify(first.path)}, which leads outside the folder`,
    );
  }
  return {
    folder: folder === '.' ? '' : folder,
    module: lastPart(first.type),
    normalizes: modules.some(({ type }) => lastPart(type) === 'Normalize'),
  };
}

function isModule(value: unknown): value is { path: string; type: string } {
  const { path, type } = (value ?? {}) as Record<string, unknown>;
  return typeof path === 'string' && typeof type === 'string';
}

function lastPart(type: string): string {
  return type.slice(type.lastIndexOf('.') + 1);
}

/** The table of a static model by token, and what is to be said of it. */
export interface StaticInput {
  /** Shape [tokens, dim]; with a reader where rows are mapped or weighted. */
  tensor: TensorInfo;
  reason: string;
  notes: string[];
}

/**
 * The input table of a model2vec file; undefined for a file that is none.
 *
 * A file of `embeddings` alone is a plain table. With `mapping` several tokens share a row; with `weights` each token has a factor:
 * the table then has a row for each token, which its reader puts together as model2vec does. Rows are not normalized: the config's
 * "normalize" is for the mean of a text's rows.
 * @param config config.json of the folder, {} when there is none
 * @throws EmbError "corrupt" when mapping and weights do not have one number for each token
 */
export function staticInput(
  file: Pick<TensorFile, 'name' | 'tensors'>,
  config: Config,
): StaticInput | undefined {
  const named = (name: string) => file.tensors.find((tensor) => tensor.name === name);
  const embeddings = named('embeddings') ?? (isStatic(file, config) ? named('embedding.weight') : undefined);
  if (embeddings?.shape.length !== 2) return undefined;
  const mapping = named('mapping');
  const weights = named('weights');
  const notes =
    config.normalize === true
      ? ['config: normalize is for the mean of a text, rows are as they are stored']
      : [];
  if (mapping === undefined && weights === undefined) {
    return { tensor: embeddings, reason: 'named as in model2vec', notes };
  }
  const tokens = mapping?.shape[0] ?? embeddings.shape[0];
  for (const part of [mapping, weights]) if (part !== undefined) checkPart(part, tokens);
  if (mapping !== undefined && !/^[IU]/.test(mapping.dtype)) {
    throw new EmbError('corrupt', `${file.name}: mapping is ${mapping.dtype}, expected whole numbers`);
  }
  const parts = { embeddings, mapping, weights, tokens };
  const made = [
    ...(mapping === undefined ? [] : [`mapping leads ${tokens} tokens to ${embeddings.shape[0]} rows`]),
    ...(weights === undefined ? [] : ['weights multiply them']),
  ];
  return {
    tensor: { ...embeddings, shape: [tokens, embeddings.shape[1]], reader: () => new StaticRows(parts) },
    reason: `named as in model2vec; ${made.join(', ')}`,
    notes,
  };
}

/** A file of one table, which a model2vec config or nothing else speaks for. */
function isStatic({ tensors }: Pick<TensorFile, 'tensors'>, config: Config): boolean {
  const others = tensors.filter(({ name }) => !['embedding.weight', 'mapping', 'weights'].includes(name));
  return others.length === 0 && (config.model_type === undefined || config.model_type === 'model2vec');
}

function checkPart({ name, shape, source }: TensorInfo, tokens: number): void {
  if (shape.length === 1 && shape[0] === tokens && tokens > 0) return;
  throw new EmbError(
    'corrupt',
    `${source.name}: ${name} has the shape [${shape.join(', ')}], expected [${Math.max(tokens, 1)}]: one number for each token`,
  );
}
