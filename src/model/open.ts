import { basename, dirname } from 'node:path';
import { openFile } from '../bytes/file.ts';
import { FolderFiles, filesBelow } from '../bytes/folder.ts';
import { MemorySource } from '../bytes/memory.ts';
import { EmbError } from '../errors.ts';
import type { ByteSource, Config, Environment, Files, Model } from '../types.ts';
import { FileModel, type ModelParts } from './file-model.ts';
import { openFolderTensors, readObject } from './folder.ts';
import { readLayout } from './layouts.ts';
import { resolveRef } from './resolve.ts';
import { noTensors, openOne, openShards, type TensorSet } from './tensors.ts';
import {
  type TokenizerCache,
  tokenizerFile,
  tokenizerIn,
  tokenizerOfFile,
  vocabularyPlace,
} from './tokenizer-place.ts';

export interface OpenOptions {
  /** --tensor: the table of every layer, unless the caller names another. */
  tensor?: string;
  /** Gets a line about what was found odd or taken from beside the file. */
  note?: (message: string) => void;
  /** Where caches, tokens and hosts are looked up; nothing when absent. */
  env?: Environment;
  /** For which files, and where, tables of tokenizers are kept; with an env, in the user's cache folder, else nowhere. */
  cache?: TokenizerCache;
}

/** Bytes that tell a JSON file. */
const headBytes = 64;

/** What every way of opening passes on. */
type Shared = Pick<ModelParts, 'name' | 'tensor' | 'note'> & { cache: TokenizerCache | undefined };

/**
 * Opens a model: a folder, a shard index, a lone file of any format that emb reads, a tokenizer.json alone, wherever it lies.
 *
 * Cost: a lone file's header; of a folder nothing but its config until a tensor or the tokenizer is asked for.
 * @throws EmbError "missing", "corrupt" or "unsupported", naming the file
 */
export async function openModel(ref: string, options: OpenOptions = {}): Promise<Model> {
  const env = options.env ?? {};
  const { kind, path } = await resolveRef(ref, env);
  const shared = {
    name: ref,
    tensor: options.tensor,
    note: options.note ?? (() => {}),
    cache: options.cache ?? (options.env && { env: options.env }),
  };
  if (kind === 'folder') return openFolder(new FolderFiles(path), shared);
  if (kind === 'file') return openSource(openFile(path), path, new FolderFiles(dirname(path)), shared);
  const { openRemote } = await import('./remote.ts');
  const place = await openRemote(path, env, shared.note);
  const seen = { ...shared, name: place.name };
  if (place.kind === 'files') return openFolder(place.files, seen);
  return openSource(place.source, place.path, place.files, seen);
}

/** One file: an index of shards, a tokenizer, or weights. files: what lies beside it. */
async function openSource(source: ByteSource, path: string, files: Files, shared: Shared): Promise<Model> {
  const name = basename(path);
  const isText = await isJson(source);
  const { cache } = shared;
  const place = isText
    ? tokenizerFile(files, name, cache)
    : await tokenizerOfFile(source, name, files, cache);
  if (place === undefined) return openLoneFile(source, path, files, shared);
  await source.close();
  if (/\.index\.json$/i.test(path)) {
    const config = await readObject(files, 'config.json');
    const open = () => openShards(files, name);
    return new FileModel({ ...shared, files, config, tokenizer: () => tokenizerIn(files, cache), open });
  }
  if (isConfigName(path)) throw isNoModel(path);
  const tokenizer = async () => place;
  return new FileModel({ ...shared, files, config: {}, tokenizer, open: async () => noTensors() });
}

/** A JSON file begins with white space and a brace; a safetensors header is JSON too, but begins after its length. */
async function isJson(source: ByteSource): Promise<boolean> {
  try {
    const head = await source.read(0, Math.min(headBytes, source.byteLength));
    const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString('utf8');
    // The length of a safetensors header may look like a brace; its upper bytes are zero.
    return /^\uFEFF?\s*\{/.test(text) && !text.includes('\0');
  } catch (error) {
    await source.close();
    throw error;
  }
}

/**
 * Opens a model that came as bytes (-m -); nothing lies beside it.
 *
 * @throws EmbError "corrupt" or "unsupported", naming stdin
 */
export async function openModelBytes(bytes: Uint8Array, options: OpenOptions = {}): Promise<Model> {
  const shared = { name: 'stdin', tensor: options.tensor, note: options.note ?? (() => {}) };
  const place = await tokenizerOfFile(
    new MemorySource('stdin', bytes),
    'stdin',
    new OneFile(bytes),
    undefined,
  );
  if (place !== undefined) {
    const tokenizer = async () => place;
    return new FileModel({
      ...shared,
      files: undefined,
      config: {},
      tokenizer,
      open: async () => noTensors(),
    });
  }
  const set = await openOne(new MemorySource('stdin', bytes), undefined);
  const open = async () => set;
  return new FileModel({ ...shared, ...ownParts(set, 'stdin'), files: undefined, open, opened: set });
}

/** What came through stdin, with nothing beside it. */
class OneFile implements Files {
  readonly name = 'stdin';
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  async list(): Promise<string[]> {
    return [this.name];
  }

  async open(name: string): Promise<ByteSource | undefined> {
    return name === this.name ? new MemorySource(name, this.#bytes) : undefined;
  }
}

/** A folder of files, wherever it lies. Where modules.json leads to a folder inside, that has the weights, and perhaps the rest. */
async function openFolder(outer: Files, shared: Shared): Promise<Model> {
  const folder = (await outer.list()).includes('modules.json') ? await firstModule(outer) : '';
  const files = folder === '' ? outer : filesBelow(outer, folder);
  const inner = await readObject(files, 'config.json');
  const config =
    files !== outer && Object.keys(inner).length === 0 ? await readObject(outer, 'config.json') : inner;
  const { cache } = shared;
  const tokenizer =
    (await tokenizerIn(files, cache)) ?? (files === outer ? undefined : await tokenizerIn(outer, cache));
  const open = () => openFolderTensors(files);
  if (tokenizer !== undefined || Object.keys(config).length > 0) {
    return new FileModel({ ...shared, files, config, tokenizer: async () => tokenizer, open });
  }
  // Weights alone may bring both themselves, as GGUF does.
  const opened = await open();
  return new FileModel({ ...shared, ...ownParts(opened, opened.files[0]), files, open, opened });
}

async function firstModule(files: Files): Promise<string> {
  const { readModules } = await import('./model2vec.ts');
  return (await readModules(files))?.folder ?? '';
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
  const { vocabulary, config = {} } = set;
  return {
    config,
    tokenizer: async () => (vocabulary === undefined ? undefined : vocabularyPlace(vocabulary, name)),
  };
}

async function openLoneFile(source: ByteSource, path: string, files: Files, shared: Shared): Promise<Model> {
  const set = await openOne(source, files);
  try {
    const own = ownParts(set, source.name);
    const open = async () => set;
    if (set.vocabulary !== undefined) return new FileModel({ ...shared, ...own, files, open, opened: set });
    if ((await set.all()).some(({ vocabulary }) => vocabulary !== undefined)) {
      return new FileModel({ ...shared, ...own, files, wordsByTable: true, open, opened: set });
    }
    const isPublished = /^(model\b.*\.safetensors|pytorch_model\b.*\.bin)$/i.test(basename(path));
    const config = set.config ?? (await neighborConfig(files, set, isPublished, shared.note));
    const tokenizer = () => tokenizerIn(files, shared.cache);
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
