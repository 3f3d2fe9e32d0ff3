import { basename, dirname, join } from 'node:path';
import { kindOfPath } from '../bytes/file.ts';
import { namesIn } from '../bytes/folder.ts';
import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import type { Environment } from '../types.ts';

/** Where a REF leads. remote: what model/remote opens. */
export interface Place {
  kind: 'file' | 'folder' | 'remote';
  path: string;
}

const modelEndings =
  /\.(safetensors|gguf|bin|pt|pth|th|npy|npz|onnx|vec|txt|h5|keras|msgpack|json|ftz|model)(\.(gz|bz2|xz|zip))?$/i;

/** org/name, perhaps @revision; what the hub takes for a name is told by model/remote. */
const repository = /^[\w-][\w.-]*\/[\w-][\w.-]*(@[^\s]+)?$/;

/**
 * What a REF means: an existing path, a scheme, `org/name`.
 *
 * @throws EmbError "missing" with near names of the folder it should be in; "unsupported" for an unknown scheme
 */
export async function resolveRef(ref: string, env: Environment): Promise<Place> {
  if (ref === '') throw new EmbError('usage', 'the model is "", expected a file or a folder');
  const kind = kindOfPath(ref);
  if (kind !== undefined) return { kind: kind === 'folder' ? 'folder' : 'file', path: ref };
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(ref)?.[1].toLowerCase();
  if (scheme === 'ollama') {
    const { findOllamaModel } = await import('./ollama.ts');
    return { kind: 'file', path: findOllamaModel(ref, env) };
  }
  if (scheme === 'hf' || scheme === 'http' || scheme === 'https') return { kind: 'remote', path: ref };
  if (scheme !== undefined) {
    throw new EmbError(
      'unsupported',
      `${ref}: "${scheme}:" is no path, and none of hf:, ollama:, https: and http:`,
    );
  }
  if (isRepository(ref)) return { kind: 'remote', path: ref };
  throw missing(ref);
}

/** True for what is asked of the hub: never a missing model file, or a name in a folder that is here. */
export function isRepository(ref: string): boolean {
  return repository.test(ref) && !modelEndings.test(ref) && kindOfPath(dirname(ref)) !== 'folder';
}

function missing(ref: string): EmbError {
  const folder = dirname(ref);
  const near = nearestNames(basename(ref), namesIn(folder));
  const found = near.map((name) => (folder === '.' && !ref.startsWith('.') ? name : join(folder, name)));
  const isFile = modelEndings.test(ref);
  const asked = repository.test(ref) ? `hf:${ref} asks the hub` : 'a model is a path, org/name or a URL';
  return new EmbError(
    'missing',
    `${ref}: no such ${isFile ? 'file' : 'file or folder'}`,
    didYouMean(found) ?? (isFile ? undefined : asked),
  );
}
