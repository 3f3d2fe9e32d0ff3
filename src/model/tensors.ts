import { basename, dirname, join } from 'node:path';
import { readWholeFile } from '../bytes/file.ts';
import { JsonCursor } from '../bytes/json-cursor.ts';
import { EmbError } from '../errors.ts';
import { openShardNow } from '../formats/index.ts';
import type { TensorFile, TensorInfo } from '../types.ts';

/** As the longest header of one file: an index lists the same names. */
const longestIndex = 100_000_000;

/** The tensors of a model, in one file or many. Names cost nothing; what a tensor is may cost its file's header. */
export interface TensorSet {
  readonly format: string;
  /** Paths of the weight files. */
  readonly files: string[];
  names(): string[];
  find(name: string): TensorInfo | undefined;
  all(): TensorInfo[];
  metadata(): Map<string, unknown>;
  close(): Promise<void>;
}

/** All tensors of one file. */
export function oneFile(file: TensorFile, path: string): TensorSet {
  const byName = new Map(file.tensors.map((tensor) => [tensor.name, tensor]));
  return {
    format: file.format,
    files: [path],
    names: () => [...byName.keys()],
    find: (name) => byName.get(name),
    all: () => file.tensors,
    metadata: () => file.metadata,
    close: () => file.close(),
  };
}

/** What a tokenizer.json alone has. */
export function noTensors(): TensorSet {
  return {
    format: 'tokenizer',
    files: [],
    names: () => [],
    find: () => undefined,
    all: () => [],
    metadata: () => new Map(),
    close: async () => {},
  };
}

/**
 * The tensors of a sharded safetensors model, by its index; a shard's header is read when one of its tensors is asked for.
 *
 * Shards lie in the index's folder; a link there may lead elsewhere, as in the Hugging Face cache.
 * @throws EmbError "corrupt" for an index that is no index or names a shard outside its folder
 */
export function openShards(indexPath: string): TensorSet {
  const shardOf = readIndex(readWholeFile(indexPath, longestIndex), indexPath);
  return new Shards(indexPath, shardOf);
}

class Shards implements TensorSet {
  readonly format = 'safetensors';
  readonly files: string[];
  readonly #indexPath: string;
  readonly #shardOf: Map<string, string>;
  readonly #open = new Map<string, { file: TensorFile; tensors: Map<string, TensorInfo> }>();

  constructor(indexPath: string, shardOf: Map<string, string>) {
    this.#indexPath = indexPath;
    this.#shardOf = shardOf;
    this.files = [
      indexPath,
      ...[...new Set(shardOf.values())].sort().map((shard) => join(dirname(indexPath), shard)),
    ];
  }

  names(): string[] {
    return [...this.#shardOf.keys()];
  }

  find(name: string): TensorInfo | undefined {
    const shard = this.#shardOf.get(name);
    if (shard === undefined) return undefined;
    const tensor = this.#shard(shard).tensors.get(name);
    if (tensor !== undefined) return tensor;
    throw new EmbError(
      'corrupt',
      `${this.#indexPath}: tensor ${JSON.stringify(name)} is said to be in ${shard}, which does not have it`,
      'index and shards may be of different downloads',
    );
  }

  all(): TensorInfo[] {
    return this.names().map((name) => this.find(name) as TensorInfo);
  }

  metadata(): Map<string, unknown> {
    const shard = this.#shardOf.values().next().value;
    return shard === undefined ? new Map() : this.#shard(shard).file.metadata;
  }

  async close(): Promise<void> {
    for (const { file } of this.#open.values()) await file.close();
    this.#open.clear();
  }

  #shard(name: string): { file: TensorFile; tensors: Map<string, TensorInfo> } {
    let shard = this.#open.get(name);
    if (shard === undefined) {
      const file = openShardNow(join(dirname(this.#indexPath), name));
      shard = { file, tensors: new Map(file.tensors.map((tensor) => [tensor.name, tensor])) };
      this.#open.set(name, shard);
    }
    return shard;
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
  for (const shard of new Set(shardOf.values())) checkShardName(shard, path);
  return shardOf;
}

/** A shard's name is a path below the index's folder, in any spelling that some system takes for one. */
function checkShardName(shard: string, path: string): void {
  const spellings = [
    shard,
    shard.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  ];
  const escapes = (name: string) =>
    name.includes('\0') ||
    /^[a-z]:/i.test(name) ||
    name.split(/[\\/]/).some((part) => part === '' || part === '.' || part === '..');
  if (spellings.some(escapes) || shard.includes('\\')) {
    throw new EmbError(
      'corrupt',
      `${path}: shard ${JSON.stringify(shard)} points outside the folder of ${basename(path)}`,
    );
  }
  if (/\.bin$/i.test(shard)) {
    throw new EmbError(
      'unsupported',
      `${path}: shard ${JSON.stringify(shard)} is a PyTorch file, expected safetensors`,
    );
  }
}
