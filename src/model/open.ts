import { basename, dirname, join } from 'node:path';
import { kindOfPath, openFile } from '../bytes/file.ts';
import { MemorySource } from '../bytes/memory.ts';
import { EmbError } from '../errors.ts';
import { openTensorFile } from '../formats/index.ts';
import type { Config, Model, Tokenizer } from '../types.ts';
import { FileModel, type ModelParts } from './file-model.ts';
import { openFolderTensors, openTokenizerAt, readConfig, tokenizerPathIn } from './folder.ts';
import { readLayout } from './layouts.ts';
import { resolveRef } from './resolve.ts';
import { noTensors, oneFile, openShards, type TensorSet } from './tensors.ts';

export interface OpenOptions {
  /** --tensor: the table of every layer, unless the caller names another. */
  tensor?: string;
  /** Gets a line about what was found odd or taken from beside the file. */
  note?: (message: string) => void;
}

/** True when something is there, of whatever kind. */
export function pathExists(ref: string): boolean {
  return ref !== '' && kindOfPath(ref) !== undefined;
}

/**
 * Opens a model: a Hugging Face folder, a safetensors index, a safetensors or npy file, or a tokenizer.json alone.
 *
 * Cost: a lone file's header; of a folder nothing but its config until a tensor or the tokenizer is asked for.
 * @throws EmbError "missing", "corrupt" or "unsupported", naming the file
 */
export async function openModel(ref: string, options: OpenOptions = {}): Promise<Model> {
  const { kind, path } = resolveRef(ref);
  const note = options.note ?? (() => {});
  const shared = { name: ref, tensor: options.tensor, note };
  if (kind === 'folder') {
    return new FileModel({
      ...shared,
      ...beside(path, readConfig(path)),
      open: () => openFolderTensors(path),
    });
  }
  const folder = dirname(path);
  if (kind === 'index') {
    return new FileModel({ ...shared, ...beside(folder, readConfig(folder)), open: () => openShards(path) });
  }
  if (kind === 'json') return new FileModel({ ...shared, ...jsonAlone(path) });
  return openLoneFile(path, shared);
}

/**
 * Opens a model that came as bytes (-m -): a safetensors or npy file; nothing lies beside it.
 *
 * @throws EmbError "corrupt" or "unsupported", naming stdin
 */
export async function openModelBytes(bytes: Uint8Array, options: OpenOptions = {}): Promise<Model> {
  const tensors = oneFile(await openTensorFile(new MemorySource('stdin', bytes)), 'stdin');
  return new FileModel({
    name: 'stdin',
    tensor: options.tensor,
    note: options.note ?? (() => {}),
    folder: 'stdin',
    config: {},
    tokenizerPath: undefined,
    open: () => tensors,
    opened: tensors,
  });
}

/** The tokenizer of a REF that is a tokenizer.json under any name; undefined for a REF that is something else. */
export async function openTokenizerFile(ref: string): Promise<Tokenizer | undefined> {
  const { kind, path } = resolveRef(ref);
  if (kind !== 'json' || isConfigName(path)) return undefined;
  return openTokenizerAt(path, dirname(path));
}

/** Config and tokenizer of a folder. */
function beside(folder: string, config: Config): Pick<ModelParts, 'folder' | 'config' | 'tokenizerPath'> {
  return { folder, config, tokenizerPath: tokenizerPathIn(folder) };
}

/** A tokenizer.json is a model without tensors. */
function jsonAlone(path: string): Pick<ModelParts, 'folder' | 'config' | 'tokenizerPath' | 'open'> {
  const folder = dirname(path);
  if (isConfigName(path)) {
    throw new EmbError('unsupported', `${path}: is a config, expected a model`, `give its folder: ${folder}`);
  }
  return {
    folder,
    config: {},
    tokenizerPath: path,
    open: noTensors,
  };
}

function isConfigName(path: string): boolean {
  return /(^|_)config\.json$/i.test(basename(path));
}

async function openLoneFile(
  path: string,
  shared: Pick<ModelParts, 'name' | 'tensor' | 'note'>,
): Promise<Model> {
  const source = openFile(path);
  let tensors: TensorSet;
  try {
    tensors = oneFile(await openTensorFile(source), path);
  } catch (error) {
    await source.close();
    throw error;
  }
  try {
    const folder = dirname(path);
    const isPublished = /^model\b.*\.safetensors$/i.test(basename(path));
    const config = neighborConfig(folder, tensors, isPublished, shared.note);
    const tokenizerPath = tokenizerPathIn(folder);
    return new FileModel({
      ...shared,
      folder,
      config,
      tokenizerPath,
      borrowed: !isPublished,
      open: () => tensors,
      opened: tensors,
    });
  } catch (error) {
    await tensors.close();
    throw error;
  }
}

/** config.json beside a lone file counts when the file's name is a model's, or when a table of the file is as wide as it says. */
function neighborConfig(
  folder: string,
  tensors: TensorSet,
  isPublished: boolean,
  note: (message: string) => void,
): Config {
  if (tensors.format !== 'safetensors' || kindOfPath(join(folder, 'config.json')) !== 'file') return {};
  let config: Config;
  try {
    config = readConfig(folder);
  } catch (error) {
    if (isPublished || !(error instanceof EmbError)) throw error;
    note(`${error.message}: not used`);
    return {};
  }
  if (isPublished) return config;
  const { dim } = readLayout(config);
  if (!tensors.all().some(({ shape }) => shape.length === 2 && shape[1] === dim)) return {};
  note(`config.json beside the file is used: a table is ${dim} wide, as it says`);
  return config;
}
