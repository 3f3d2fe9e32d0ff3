import { join } from 'node:path';
import { homeFolder } from '../bytes/cache-folder.ts';
import { kindOfPath, openFile, readWholeFile } from '../bytes/file.ts';
import { leadsOutside, namesIn } from '../bytes/folder.ts';
import { parseJson } from '../bytes/json.ts';
import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import type { Environment } from '../types.ts';

/** Manifests have a dozen layers. */
const longestManifest = 1024 * 1024;

const modelLayer = 'application/vnd.ollama.image.model';

/** More models than any store has. */
const mostModels = 10_000;

const registry = 'registry.ollama.ai';

/**
 * The path of the GGUF that Ollama keeps for `ollama:[host/][namespace/]name[:tag]`.
 *
 * OLLAMA_MODELS, else ~/.ollama/models, else the folders of Ollama's service. The weights are not hashed.
 * Source: https://github.com/ollama/ollama, types/model/name.go and server/manifest.go
 * @throws EmbError "missing" with near names, "corrupt" for a manifest whose blob is not what it says, "unsupported" for other weights
 */
export function findOllamaModel(ref: string, env: Environment): string {
  const text = ref.replace(/^ollama:(\/\/)?/i, '');
  const parts = parseName(text);
  if (parts === undefined) {
    throw new EmbError('usage', `${ref}: is no name of an Ollama model`, 'ollama:name:tag');
  }
  const stores = storeFolders(env).filter((folder) => kindOfPath(join(folder, 'manifests')) === 'folder');
  for (const store of stores) {
    const path = findManifest(join(store, 'manifests'), parts);
    if (path !== undefined) return readManifest(path, store, ref);
  }
  throw missing(ref, text, stores, env);
}

/** host, namespace, name, tag, with Ollama's defaults. */
function parseName(text: string): string[] | undefined {
  const slash = text.lastIndexOf('/');
  const colon = text.indexOf(':', slash + 1);
  const tag = colon < 0 ? 'latest' : text.slice(colon + 1);
  const path = (colon < 0 ? text : text.slice(0, colon)).split('/');
  if (path.length > 3) return undefined;
  const [name, namespace = 'library', host = registry] = path.reverse();
  const parts = [host, namespace, name, tag];
  const isPart = (part: string, index: number) =>
    (index === 0 ? /^[\w][\w.:-]{0,349}$/ : /^[\w][\w.-]{0,79}$/).test(part);
  return parts.every(isPart) ? parts : undefined;
}

function storeFolders(env: Environment): string[] {
  if (env.OLLAMA_MODELS) return [env.OLLAMA_MODELS.replace(/^~(?=\/|$)/, homeFolder(env))];
  return [
    join(homeFolder(env), '.ollama', 'models'),
    '/usr/share/ollama/.ollama/models',
    '/var/lib/ollama/.ollama/models',
    '/var/lib/ollama/models',
  ];
}

/** Names are the same in any case; a file system may tell them apart. */
function findManifest(manifests: string, parts: readonly string[]): string | undefined {
  let path = manifests;
  for (const part of parts) {
    const exact = join(path, part);
    if (kindOfPath(exact) !== undefined) {
      path = exact;
      continue;
    }
    const other = namesIn(path).find((name) => name.toLowerCase() === part.toLowerCase());
    if (other === undefined) return undefined;
    path = join(path, other);
  }
  return kindOfPath(path) === 'file' ? path : undefined;
}

function readManifest(path: string, store: string, ref: string): string {
  const manifest = parseJson(readWholeFile(path, longestManifest), path) as Record<string, unknown> | null;
  const layers = manifest?.layers;
  if (!Array.isArray(layers))
    throw new EmbError('corrupt', `${path}: has no "layers", expected a manifest of Ollama`);
  const kinds = (layers as Record<string, unknown>[]).map((layer) => String(layer?.mediaType));
  const layer = (layers as Record<string, unknown>[])[kinds.indexOf(modelLayer)];
  if (layer === undefined) {
    throw new EmbError(
      'unsupported',
      `${ref}: has no layer of type ${modelLayer}, expected a GGUF`,
      `it has ${[...new Set(kinds)].slice(0, 8).join(', ') || 'no layers'}`,
    );
  }
  const { digest, size } = layer;
  const hex = typeof digest === 'string' ? /^sha256[:-]([0-9a-f]{64})$/.exec(digest)?.[1] : undefined;
  if (hex === undefined) {
    throw new EmbError(
      'corrupt',
      `${path}: "digest" is ${String(JSON.stringify(digest)).slice(0, 100)}, expected sha256:...`,
    );
  }
  const blobs = join(store, 'blobs');
  const blob = [`sha256-${hex}`, `sha256:${hex}`]
    .map((name) => join(blobs, name))
    .find((at) => kindOfPath(at) === 'file');
  if (blob === undefined) {
    throw new EmbError(
      'missing',
      `${ref}: its blob sha256-${hex} is not in ${blobs}`,
      `ollama pull ${ref.slice(7)}`,
    );
  }
  const source = openFile(blob, ref);
  const { byteLength } = source;
  void source.close();
  if (Number.isSafeInteger(size) && size !== byteLength) {
    throw new EmbError(
      'corrupt',
      `${ref}: its blob is ${byteLength} bytes, expected ${size}`,
      `ollama pull ${ref.slice(7)}`,
    );
  }
  return blob;
}

function missing(ref: string, text: string, stores: readonly string[], env: Environment): EmbError {
  if (stores.length === 0) {
    const looked = storeFolders(env);
    return new EmbError(
      'missing',
      `${ref}: there is no store of Ollama in ${looked.slice(0, 2).join(' or ')}`,
      'OLLAMA_MODELS names its folder',
    );
  }
  const names = stores.flatMap((store) => modelNames(join(store, 'manifests')));
  const near = nearestNames(text, names).map((name) => `ollama:${name}`);
  return new EmbError(
    'missing',
    `${ref}: is not among the ${names.length} models in ${stores.join(' and ')}`,
    didYouMean(near) ?? `ollama pull ${text}`,
  );
}

/** Names as Ollama lists them: without the default host, namespace and tag; every name with its tag too. */
function modelNames(manifests: string): string[] {
  const names: string[] = [];
  const visit = (path: readonly string[]) => {
    for (const part of namesIn(join(manifests, ...path))) {
      if (names.length >= mostModels || leadsOutside(part)) return;
      if (path.length < 3) {
        visit([...path, part]);
        continue;
      }
      const shown = path.filter((folder, index) => !(index < 2 && [registry, 'library'].includes(folder)));
      names.push(part === 'latest' ? shown.join('/') : `${shown.join('/')}:${part}`);
    }
  };
  visit([]);
  return names;
}
