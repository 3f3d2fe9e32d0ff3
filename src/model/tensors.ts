import { leadsOutside } from '../bytes/folder.ts';
import { JsonCursor } from '../bytes/json-cursor.ts';
import { EmbError } from '../errors.ts';
import { openTensorFile } from '../formats/index.ts';
import type {
  ByteSource,
  Config,
  FileRole,
  Files,
  FileVocabulary,
  Metadata,
  TensorFile,
  TensorInfo,
} from '../types.ts';

/** As the longest header of one file: an index lists the same names. */
const longestIndex = 100_000_000;

/** The tensors of a model, in one file or many. Names cost nothing; what a tensor is may cost its file's header. */
export interface TensorSet {
  readonly format: string;
  /** Names of the weight files. */
  readonly files: string[];
  readonly roles: readonly FileRole[];
  readonly vocabulary: FileVocabulary | undefined;
  readonly config: Config | undefined;
  readonly notes: readonly string[];
  names(): string[];
  find(name: string): Promise<TensorInfo | undefined>;
  all(): Promise<TensorInfo[]>;
  metadata(): Promise<Metadata>;
  close(): Promise<void>;
}

/** All tensors of one file. */
export function oneFile(file: TensorFile): TensorSet {
  const byName = new Map(file.tensors.map((tensor) => [tensor.name, tensor]));
  return {
    format: file.format,
    files: [file.name],
    roles: file.roles ?? [],
    vocabulary: file.vocabulary,
    config: file.config,
    notes: file.notes ?? [],
    names: () => [...byName.keys()],
    find: async (name) => byName.get(name),
    all: async () => file.tensors,
    metadata: async () => file.metadata,
    close: () => file.close(),
  };
}

/** What a tokenizer.json alone has. */
export function noTensors(): TensorSet {
  const file = { format: 'tokenizer', name: '', tensors: [], metadata: new Map(), close: async () => {} };
  return { ...oneFile(file), files: [] };
}

/**
 * Opens the tensors of one file by its content.
 *
 * @throws EmbError as openTensorFile does; the source is closed then
 */
export async function openOne(source: ByteSource, files: Files | undefined): Promise<TensorSet> {
  try {
    return oneFile(await openTensorFile(source, files));
  } catch (error) {
    await source.close();
    throw error;
  }
}

/**
 * The tensors of a sharded model, by its index; a shard's header is read when one of its tensors is asked for.
 *
 * Shards lie beside the index; a link there may lead elsewhere, as in the Hugging Face cache.
 * @throws EmbError "corrupt" for an index that is no index or names a shard outside its folder
 */
export async function openShards(files: Files, indexName: string): Promise<TensorSet> {
  const source = await files.open(indexName);
  if (source === undefined) throw new EmbError('missing', `${files.name}: has no ${indexName}`);
  try {
    const { name, byteLength } = source;
    if (byteLength > longestIndex) {
      throw new EmbError('unsupported', `${name}: is ${byteLength} bytes, expected at most ${longestIndex}`);
    }
    return new Shards(files, name, readIndex(await source.read(0, byteLength), name));
  } finally {
    await source.close();
  }
}

class Shards implements TensorSet {
  readonly format: string;
  readonly files: string[];
  readonly roles = [];
  readonly vocabulary = undefined;
  readonly config = undefined;
  readonly notes = [];
  readonly #beside: Files;
  readonly #indexName: string;
  readonly #shardOf: Map<string, string>;
  readonly #open = new Map<string, Promise<{ file: TensorFile; tensors: Map<string, TensorInfo> }>>();

  constructor(beside: Files, indexName: string, shardOf: Map<string, string>) {
    this.#beside = beside;
    this.#indexName = indexName;
    this.#shardOf = shardOf;
    const shards = [...new Set(shardOf.values())].sort();
    this.format = /\.safetensors$/i.test(shards[0]) ? 'safetensors' : 'pytorch';
    this.files = [indexName, ...shards.map((shard) => `${beside.name}/${shard}`)];
  }

  names(): string[] {
    return [...this.#shardOf.keys()];
  }

  async find(name: string): Promise<TensorInfo | undefined> {
    const shard = this.#shardOf.get(name);
    if (shard === undefined) return undefined;
    const tensor = (await this.#shard(shard)).tensors.get(name);
    if (tensor !== undefined) return tensor;
    throw new EmbError(
      'corrupt',
      `${this.#indexName}: tensor ${JSON.stringify(name)} is said to be in ${shard}, which does not have it`,
      'index and shards may be of different downloads',
    );
  }

  async all(): Promise<TensorInfo[]> {
    const found: TensorInfo[] = [];
    for (const name of this.names()) found.push((await this.find(name)) as TensorInfo);
    return found;
  }

  async metadata(): Promise<Metadata> {
    const shard = this.#shardOf.values().next().value;
    return shard === undefined ? new Map() : (await this.#shard(shard)).file.metadata;
  }

  async close(): Promise<void> {
    for (const opening of this.#open.values()) {
      // A shard that did not open has nothing to close; who asked for it was told.
      const shard = await opening.catch(() => undefined);
      await shard?.file.close();
    }
    this.#open.clear();
  }

  #shard(name: string): Promise<{ file: TensorFile; tensors: Map<string, TensorInfo> }> {
    let shard = this.#open.get(name);
    if (shard === undefined) {
      shard = this.#openShard(name);
      this.#open.set(name, shard);
    }
    return shard;
  }

  async #openShard(name: string): Promise<{ file: TensorFile; tensors: Map<string, TensorInfo> }> {
    const source = await this.#beside.open(name);
    if (source === undefined) {
      throw new EmbError(
        'missing',
        `${this.#beside.name}/${name}: no such file or folder`,
        `${this.#indexName} names it: the download may be incomplete`,
      );
    }
    try {
      const file = await openTensorFile(source, this.#beside);
      return { file, tensors: new Map(file.tensors.map((tensor) => [tensor.name, tensor])) };
    } catch (error) {
      await source.close();
      throw error;
    }
  }
}

/** Tensor name → shard, from {"metadata": ..., "weight_map": {...}}. */
function readIndex(bytes: Uint8Array, path: string): Map<string, string> {
  const shardOf = new Map<string, string>();
  const cursor = new JsonCursor(bytes, path);
  let found = false;
  cursor.members((key) => {
    if (key !== 'weight_map') {
      cursor.skip();
      return;
    }
    found = true;
    cursor.members((name) => shardOf.set(name, cursor.string()));
  });
  cursor.end();
  if (!found || shardOf.size === 0) {
    throw new EmbError(
      'corrupt',
      `${path}: ${found ? '"weight_map" is empty' : 'has no "weight_map"'}, expected tensor names`,
    );
  }
  for (const shard of new Set(shardOf.values())) {
    if (!leadsOutside(shard)) continue;
    const folder = path.split(/[\\/]/).pop();
    throw new EmbError(
      'corrupt',
      `${path}: shard ${JSON.stringify(shard)} points outside the folder of ${folder}`,
    );
  }
  return shardOf;
}
