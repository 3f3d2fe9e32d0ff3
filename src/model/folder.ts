import { parseJson } from '../bytes/json.ts';
import { EmbError } from '../errors.ts';
import type { Config, Files } from '../types.ts';
import { openOne, openShards, type TensorSet } from './tensors.ts';

/** Published configs have a few hundred KB at most. */
const longestConfig = 16 * 1024 * 1024;

/** One way in which a model folder keeps its weights. */
interface WeightNames {
  /** What the error calls them. */
  what: string;
  /** Names that need no other to tell that they are the model's. */
  known: readonly string[];
  /** Any other name that may hold the model, when there is one only. */
  other: RegExp;
  /** Kept beside the model and no model: optimizer states, training arguments, adapters of another format. */
  never?: RegExp;
}

/** In order: safetensors first, since it needs no interpreter; graphs and other frameworks' copies of the same weights last. */
const weightNames: readonly WeightNames[] = [
  {
    what: 'safetensors',
    known: ['model.safetensors', 'model.safetensors.index.json'],
    other: /\.safetensors(\.index\.json)?$/i,
  },
  {
    what: 'PyTorch',
    known: ['pytorch_model.bin', 'pytorch_model.bin.index.json'],
    other: /\.(bin|pt|pth|th)(\.index\.json)?$/i,
    never: /^(optimizer|scheduler|training_args|rng_state|scaler)/i,
  },
  { what: 'GGUF', known: [], other: /\.gguf$/i, never: /^mmproj|-of-\d+\.gguf$/i },
  { what: 'Flax', known: ['flax_model.msgpack'], other: /\.msgpack$/i },
  { what: 'Keras', known: ['tf_model.h5'], other: /\.(h5|hdf5|keras)$/i },
  {
    what: 'ONNX',
    known: ['model.onnx', 'onnx/model.onnx', 'decoder_model.onnx', 'onnx/decoder_model.onnx'],
    other: /\.onnx$/i,
  },
  { what: 'NumPy', known: [], other: /\.(npz|npy)$/i },
  { what: 'word vector', known: [], other: /\.(vec|ftz)(\.gz)?$/i },
];

/**
 * Finds the weights of a model folder: known names first, else the one file of a kind, safetensors before PyTorch before the rest.
 *
 * @throws EmbError "missing" naming what the folder has instead
 */
export async function openFolderTensors(files: Files): Promise<TensorSet> {
  const names = (await files.list()).filter((name) => !/(^|\/)\./.test(name));
  for (const kind of weightNames) {
    const known = kind.known.find((name) => names.includes(name));
    if (known !== undefined) return openWeights(files, known);
    const fitting = names.filter((name) => kind.other.test(name) && kind.never?.test(name) !== true);
    // Shards are their index's, and what lies deeper belongs to something else.
    const indexes = fitting.filter((name) => name.endsWith('.index.json'));
    const single = fitting.filter((name) => !name.endsWith('.index.json') && !name.includes('/'));
    if (indexes.length === 1) return openWeights(files, indexes[0]);
    const firstParts = names.filter((name) => /-0*1-of-\d+\.gguf$/i.test(name));
    if (kind.what === 'GGUF' && single.length === 0) single.push(...firstParts);
    if (single.length === 1) return openWeights(files, single[0]);
    const several = [...indexes, ...single];
    if (several.length > 1) {
      throw new EmbError(
        'missing',
        `${files.name}: has no ${kind.known[0] ?? 'model'} but ${several.length} other ${kind.what} files`,
        `name one of them: ${shortList(several)}`,
      );
    }
  }
  throw new EmbError(
    'missing',
    `${files.name}: has no weights, expected model.safetensors, its index or another format's file`,
    names.length === 0 ? 'the folder is empty' : `it has ${shortList(names)}`,
  );
}

async function openWeights(files: Files, name: string): Promise<TensorSet> {
  if (name.endsWith('.index.json')) return openShards(files, name);
  const source = await files.open(name);
  if (source === undefined) throw new EmbError('missing', `${files.name}/${name}: no such file or folder`);
  return openOne(source, files);
}

/** A JSON object in a file such as config.json, {} when there is no such file. @throws EmbError "corrupt" for other JSON */
export async function readObject(files: Files, name: string): Promise<Config> {
  const source = await files.open(name);
  if (source === undefined) return {};
  try {
    if (source.byteLength > longestConfig) {
      throw new EmbError(
        'unsupported',
        `${source.name}: is ${source.byteLength} bytes, expected at most ${longestConfig}`,
      );
    }
    const value = parseJson(await source.read(0, source.byteLength), source.name);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new EmbError('corrupt', `${source.name}: is no JSON object`);
    }
    return value as Config;
  } finally {
    await source.close();
  }
}

export function shortList(names: readonly string[], most = 8): string {
  const rest = names.length - most;
  return names.slice(0, most).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
