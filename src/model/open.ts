import { basename, dirname } from 'node:path';
import { kindOfPath, openFile } from '../bytes/file.ts';
import { FolderFiles } from '../bytes/folder.ts';
import { MemorySource } from '../bytes/memory.ts';
import { EmbError } from '../errors.ts';
import type { Config, Files, Model, Tokenizer } from '../types.ts';
import { FileModel, type ModelParts } from './file-model.ts';
import { openFolderTensors, readObject } from './folder.ts';
import { readLayout } from './layouts.ts';
import { resolveRef } from './resolve.ts';
import { noTensors, openOne, openShards, type TensorSet } from './tensors.ts';
import { tokenizerFile, tokenizerIn, vocabularyPlace } from './tokenizer-place.ts';

export interface OpenOptions {
  /** --tensor: the table of every layer, unless the caller names another. */
  tensor?: string;
  /** Gets a line about what was found odd or taken from beside the file. */
  note?: (message: string) => void;
}

/** What every way of opening passes on. */
type Shared = Pick<ModelParts, 'name' | 'tensor' | 'note'>;

/** True when something is there, of whatever kind. */
export function pathExists(ref: string): boolean {
  return ref !== '' && kindOfPath(ref) !== undefined;
}

/**
 * Opens a model: a folder, a shard index, a lone file of any format that emb reads, or a tokenizer.json alone.
 *
 * Cost: a lone file's header; of a folder nothing but its config until a tensor or the tokenizer is asked for.
 * @throws EmbError "missing", "corrupt" or "unsupported", naming the file
 */
export async function openModel(ref: string, options: OpenOptions = {}): Promise<Model> {
  const { kind, path } = resolveRef(ref);
  const shared = { name: ref, tensor: options.tensor, note: options.note ?? (() => {}) };
  if (kind === 'folder') return openFolder(new FolderFiles(path), shared);
  const files = new FolderFiles(dirname(path));
  if (kind === 'index') {
    const config = await readObject(files, 'config.json');
    const open = () => openShards(files, basename(path));
    return new FileModel({ ...shared, files, config, tokenizer: await tokenizerIn(files), open });
  }
  if (kind === 'json') {
    if (isConfigName(path)) throw isNoModel(path);
    const tokenizer = tokenizerFile(files, basename(path));
    return new FileModel({ ...shared, files, config: {}, tokenizer, open: async () => noTensors() });
  }
  return openLoneFile(path, files, shared);
}

/**
 * Opens a model that came as bytes (-m -); nothing lies beside it.
 *
 * @throws EmbError "corrupt" or "unsupported", naming stdin
 */
export async function openModelBytes(bytes: Uint8Array, options: OpenOptions = {}): Promise<Model> {
  const shared = { name: 'stdin', tensor: options.tensor, note: options.note ?? (() => {}) };
  const set = await openOne(new MemorySource('stdin', bytes), undefined);
  const open = async () => set;
  return new FileModel({ ...shared, ...ownParts(set, 'stdin'), files: undefined, open, opened: set });
}

/** The tokenizer of a REF that is a tokenizer.json under any name; undefined for a REF that is something else. */
export async function openTokenizerFile(ref: string): Promise<Tokenizer | undefined> {
  const { kind, path } = resolveRef(ref);
  if (kind !== 'json' || isConfigName(path)) return undefined;
  return tokenizerFile(new FolderFiles(dirname(path)), basename(path)).open();
}

/** A folder of files, wherever it lies. */
async function openFolder(files: Files, shared: Shared): Promise<Model> {
  const config = await readObject(files, 'config.json');
  const tokenizer = await tokenizerIn(files);
  const open = () => openFolderTensors(files);
  if (tokenizer !== undefined || Object.keys(config).length > 0) {
    return new FileModel({ ...shared, files, config, tokenizer, open });
  }
  // Weights alone may bring both themselves, as GGUF does.
  const opened = await open();
  return new FileModel({ ...shared, ...ownParts(opened, opened.files[0]), files, open, opened });
}

function isConfigName(path: string): boolean {
  return /(^|_)config\.json$/i.test(basename(path));
}

function isNoModel(path: string): EmbError {
  return new EmbError(
    'unsupported',
    `${path}: is a config, expected a model`,
    `give its folder: ${dirname(path)}`,
  );
}

/** Config and tokenizer that the weight file itself brings. */
function ownParts(set: TensorSet, name: string): Pick<ModelParts, 'config' | 'tokenizer'> {
  const tokenizer = set.vocabulary === undefined ? undefined : vocabularyPlace(set.vocabulary, name);
  return { config: set.config ?? {}, tokenizer };
}

async function openLoneFile(path: string, files: Files, shared: Shared): Promise<Model> {
  const set = await openOne(openFile(path), files);
  try {
    const own = ownParts(set, path);
    const open = async () => set;
    if (own.tokenizer !== undefined) return new FileModel({ ...shared, ...own, files, open, opened: set });
    const isPublished = /^(model\b.*\.safetensors|pytorch_model\b.*\.bin)$/i.test(basename(path));
    const config = set.config ?? (await neighborConfig(files, set, isPublished, shared.note));
    const tokenizer = await tokenizerIn(files);
    return new FileModel({ ...shared, files, config, tokenizer, borrowed: !isPublished, open, opened: set });
  } catch (error) {
    await set.close();
    throw error;
  }
}

/** config.json beside a lone file counts when the file's name is a model's, or when a table of the file is as wide as it says. */
async function neighborConfig(
  files: Files,
  set: TensorSet,
  isPublished: boolean,
  note: (message: string) => void,
): Promise<Config> {
  if (!['safetensors', 'pytorch'].includes(set.format)) return {};
  let config: Config;
  try {
    config = await readObject(files, 'config.json');
  } catch (error) {
    if (isPublished || !(error instanceof EmbError)) throw error;
    note(`${error.message}: not used`);
    return {};
  }
  if (isPublished) return config;
  const { dim } = readLayout(config);
  if (!(await set.all()).some(({ shape }) => shape.length === 2 && shape[1] === dim)) return {};
  note(`config.json beside the file is used: a table is ${dim} wide, as it says`);
  return config;
}
