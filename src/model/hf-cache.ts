import { join } from 'node:path';
import { kindOfPath, readWholeFile } from '../bytes/file.ts';
import { leadsOutside, namesIn } from '../bytes/folder.ts';

/** Folders within folders that a model has. */
const deepest = 4;

/** More files than any model has. */
const mostFiles = 10_000;

/** A commit's name, and some more for a line end. */
const longestRef = 256;

/** What a cache holds of one commit of a repository. */
export interface Snapshot {
  folder: string;
  commit: string;
  /** Names of the files that are there, with / between folders, sorted. */
  names: string[];
}

/**
 * Finds a revision of a repository in a Hugging Face cache: models--org--name/refs/REVISION names the commit, snapshots/COMMIT has
 * links to the blobs. A link to a blob that is not there is no file.
 *
 * Source: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 * @param repos names that the repository has or had
 */
export function findSnapshot(
  cacheFolders: readonly string[],
  repos: readonly string[],
  revision: string,
): Snapshot | undefined {
  if (leadsOutside(revision)) return undefined;
  for (const cache of cacheFolders) {
    for (const repo of repos) {
      const folder = join(cache, `models--${repo.replaceAll('/', '--')}`);
      const commit = readRef(join(folder, 'refs', revision)) ?? revision;
      const snapshot = join(folder, 'snapshots', commit);
      if (!commit.includes('/') && kindOfPath(snapshot) === 'folder') {
        return { folder: snapshot, commit, names: filesBelow(snapshot) };
      }
    }
  }
  return undefined;
}

/** Names of repositories in a cache, for "did you mean". */
export function cachedRepos(cacheFolders: readonly string[]): string[] {
  return cacheFolders
    .flatMap((folder) => namesIn(folder))
    .filter((name) => name.startsWith('models--'))
    .map((name) => name.slice('models--'.length).replace('--', '/'));
}

function readRef(path: string): string | undefined {
  if (kindOfPath(path) !== 'file') return undefined;
  const commit = Buffer.from(readWholeFile(path, longestRef)).toString('latin1').trim();
  return /^\w[\w.-]*$/.test(commit) ? commit : undefined;
}

function filesBelow(root: string): string[] {
  const found: string[] = [];
  const visit = (prefix: string, depth: number) => {
    for (const name of namesIn(join(root, prefix))) {
      if (found.length >= mostFiles) return;
      const kind = kindOfPath(join(root, prefix, name));
      if (kind === 'file') found.push(`${prefix}${name}`);
      else if (kind === 'folder' && depth < deepest) visit(`${prefix}${name}/`, depth + 1);
    }
  };
  visit('', 0);
  return found.sort();
}

/**
 * True when files are all that opening a model needs: weights, every shard of them, and for weights that do not bring them a config
 * and a tokenizer.
 */
export function isComplete(names: readonly string[]): boolean {
  const has = (pattern: RegExp) => names.some((name) => pattern.test(name));
  if (!hasAllShards(names)) return false;
  if (has(/\.gguf$/i)) return true;
  const weights = /\.(safetensors|bin|pt|pth|onnx|msgpack|h5|keras|npz|vec|ftz)$/i;
  const tokenizers = /^(tokenizer\.json|.*\.model|vocab\.(txt|bpe)|merges\.txt|tekken\.json|.*\.tiktoken)$/i;
  return has(weights) && has(/^(config|modules)\.json$/) && has(tokenizers);
}

/** name-00001-of-00005.safetensors: all five are there, and those of every index. */
function hasAllShards(names: readonly string[]): boolean {
  const there = new Set(names);
  const sets = new Map<string, number>();
  for (const name of names) {
    const match = /^(.*-)(\d+)-of-(\d+)(\.\w+)$/.exec(name);
    if (match !== null) {
      const key = `${match[1]}of-${match[3]}${match[4]}`;
      if (Number(match[3]) > mostFiles) return false;
      sets.set(key, (sets.get(key) ?? 0) + 1);
    }
    // An index whose shards are elsewhere.
    const indexed = /^(.*)(\.\w+)\.index\.json$/.exec(name);
    if (indexed === null || there.has(`${indexed[1]}${indexed[2]}`)) continue;
    if (!names.some((other) => other.startsWith(`${indexed[1]}-`) && other.endsWith(indexed[2])))
      return false;
  }
  return [...sets].every(([key, count]) => count === Number(/of-(\d+)\.\w+$/.exec(key)?.[1]));
}
