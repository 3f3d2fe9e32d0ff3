import { basename, dirname, join } from 'node:path';
import { kindOfPath, openFile } from '../bytes/file.ts';
import { namesIn } from '../bytes/folder.ts';
import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';

/** Where a REF leads. index: a safetensors shard index. json: any other JSON file, such as a tokenizer.json. */
export interface Place {
  kind: 'file' | 'folder' | 'index' | 'json';
  path: string;
}

const modelEndings =
  /\.(safetensors|gguf|bin|pt|pth|th|npy|npz|onnx|vec|txt|h5|keras|msgpack|json|ftz)(\.(gz|bz2|xz|zip))?$/i;

/** Bytes that tell a JSON file: white space and a brace. */
const headBytes = 64;

/**
 * What a REF means: an existing path first, told by content.
 *
 * @throws EmbError "missing" with near names of the folder it should be in; "unsupported" for a REF that is no path
 */
export function resolveRef(ref: string): Place {
  if (ref === '') throw new EmbError('usage', 'the model is "", expected a file or a folder');
  const kind = kindOfPath(ref);
  if (kind === undefined) throw missing(ref);
  if (kind === 'folder') return { kind, path: ref };
  const source = openFile(ref);
  try {
    const head = source.readNow(0, Math.min(headBytes, source.byteLength));
    // A safetensors header is JSON too, but begins after its length.
    const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString('utf8');
    if (!/^\uFEFF?\s*\{/.test(text)) return { kind: 'file', path: ref };
    return { kind: /\.index\.json$/i.test(ref) ? 'index' : 'json', path: ref };
  } finally {
    void source.close();
  }
}

function missing(ref: string): EmbError {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(ref)?.[1];
  if (scheme !== undefined) {
    return new EmbError(
      'unsupported',
      `${ref}: "${scheme}:" is no path, and emb opens files and folders`,
      'download the model and give its folder',
    );
  }
  const folder = dirname(ref);
  const near = nearestNames(basename(ref), namesIn(folder));
  const found = near.map((name) => (folder === '.' && !ref.startsWith('.') ? name : join(folder, name)));
  const isFile = modelEndings.test(ref);
  return new EmbError(
    'missing',
    `${ref}: no such ${isFile ? 'file' : 'file or folder'}`,
    didYouMean(found) ?? (isFile ? undefined : 'a model is a file or a folder on this machine'),
  );
}
