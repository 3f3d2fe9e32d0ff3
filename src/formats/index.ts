import { looksLikeTar } from '../bytes/tar-magic.ts';
import { looksLikeZip } from '../bytes/zip-magic.ts';
import { EmbError } from '../errors.ts';
import type { ByteSource, Files, TensorFile } from '../types.ts';
import { looksLikeBzip2, looksLikeGzip, looksLikeXz } from './compressed-magic.ts';
import type { Packing } from './compressed-parts.ts';
import { looksLikeFasttext, looksLikeOldFasttext } from './fasttext-magic.ts';
import { looksLikeFlax } from './flax-magic.ts';
import { looksLikeGguf } from './gguf-magic.ts';
import { looksLikeHdf5 } from './hdf5-magic.ts';
import { looksLikeNpy, openNpy } from './npy.ts';
import { looksLikeOnnx } from './onnx-head.ts';
import { looksLikeTorchPickle, looksLikeTorchTar } from './pytorch-magic.ts';
import { looksLikeSafetensors, openSafetensors } from './safetensors.ts';
import { looksLikeTextVectors } from './text-vectors-magic.ts';
import { looksLikeWord2vec } from './word2vec-magic.ts';

/**
 * One tensor format: how its first bytes look, and how its header is read.
 *
 * What is no safetensors is loaded when a file looks like it.
 */
interface Format {
  /** As `emb info` says it. */
  name: string;
  /** Endings of its files, lower case without dot: they only decide what a broken file was meant to be. */
  endings: readonly string[];
  /** head: the first 512 bytes, or all of a shorter file. */
  looksLike(head: Uint8Array, source: ByteSource): boolean;
  /** files: what lies beside the file, for formats that have parts. */
  open(source: ByteSource, files: Files | undefined): Promise<TensorFile>;
}

/** In order: formats with a magic number first, then those that are told by their shape. */
const formats: Format[] = [
  {
    name: 'npy',
    endings: ['npy'],
    looksLike: looksLikeNpy,
    open: openNpy,
  },
  {
    name: 'gguf',
    endings: ['gguf'],
    looksLike: looksLikeGguf,
    open: async (source, files) => (await import('./gguf.ts')).openGguf(source, files),
  },
  {
    name: 'pytorch',
    endings: ['pt', 'pth', 'th', 'ckpt', 'pkl', 'pickle'],
    looksLike: looksLikeTorchPickle,
    open: async (source) => (await import('./pytorch.ts')).openLegacyTorch(source),
  },
  {
    name: 'pytorch tar',
    endings: [],
    looksLike: looksLikeTorchTar,
    open: async (source) => (await import('./pytorch.ts')).refuseTorchTar(source),
  },
  {
    name: 'zip',
    endings: ['npz', 'zip', 'keras'],
    looksLike: looksLikeZip,
    open: async (source) => (await import('./zip.ts')).openZipTensors(source),
  },
  {
    name: 'hdf5',
    endings: ['h5', 'hdf5'],
    looksLike: looksLikeHdf5,
    open: async (source) => (await import('./hdf5.ts')).openHdf5(source),
  },
  {
    name: 'flax',
    endings: ['msgpack'],
    looksLike: looksLikeFlax,
    open: async (source) => (await import('./flax.ts')).openFlax(source),
  },
  {
    name: 'onnx',
    endings: ['onnx', 'pb'],
    looksLike: looksLikeOnnx,
    open: async (source, files) => (await import('./onnx.ts')).openOnnx(source, files),
  },
  {
    name: 'gzip',
    endings: ['gz'],
    looksLike: looksLikeGzip,
    open: (source) => openPacked(source, 'gzip'),
  },
  {
    name: 'bzip2',
    endings: ['bz2'],
    looksLike: looksLikeBzip2,
    open: (source) => openPacked(source, 'bzip2'),
  },
  {
    name: 'xz',
    endings: ['xz'],
    looksLike: looksLikeXz,
    open: (source) => openPacked(source, 'xz'),
  },
  {
    name: 'tar',
    endings: ['tar'],
    looksLike: looksLikeTar,
    open: (source) => openPacked(source, 'tar'),
  },
  {
    name: 'fasttext',
    endings: ['ftz'],
    looksLike: looksLikeFasttext,
    open: async (source) => (await import('./fasttext.ts')).openFasttext(source),
  },
  {
    name: 'safetensors',
    endings: ['safetensors'],
    looksLike: looksLikeSafetensors,
    open: openSafetensors,
  },
  {
    name: 'old fasttext',
    endings: [],
    looksLike: looksLikeOldFasttext,
    open: async (source) => (await import('./fasttext.ts')).openFasttext(source),
  },
  {
    name: 'text vectors',
    endings: ['vec', 'txt', 'glove', 'w2v'],
    looksLike: looksLikeTextVectors,
    open: async (source) => (await import('./text-vectors.ts')).openTextVectors(source),
  },
  {
    name: 'word2vec',
    endings: [],
    looksLike: looksLikeWord2vec,
    open: async (source) => (await import('./word2vec.ts')).openWord2vec(source),
  },
];

/** Word vectors, or one file of another format, compressed or in an archive. */
async function openPacked(source: ByteSource, packing: Packing): Promise<TensorFile> {
  return (await import('./compressed.ts')).openCompressedText(source, packing);
}

const lfsPointer = 'version https://git-lfs.github.com/spec/';

/** Bytes that decide which format a file has; tar keeps its magic number at 257. */
const headBytes = 512;

/**
 * Opens a tensor file by its content; its ending only decides what a broken file was meant to be.
 *
 * @param files what lies beside it: shards, external data
 * @throws EmbError "corrupt" or "unsupported"; source stays open then
 */
export async function openTensorFile(source: ByteSource, files?: Files): Promise<TensorFile> {
  const { name } = source;
  const head = await source.read(0, Math.min(headBytes, source.byteLength));
  if (head.length === 0) {
    throw new EmbError('corrupt', `${name}: is empty, expected a model file`, 'download it again');
  }
  if (startsWith(head, lfsPointer)) {
    throw new EmbError('corrupt', `${name}: is a git-lfs pointer, not the model`, 'git lfs pull');
  }
  // The reader of the format that the ending promises says best what is broken.
  const format = formats.find((candidate) => candidate.looksLike(head, source)) ?? promised(name);
  if (format !== undefined) return format.open(source, files);
  throw new EmbError(
    'unsupported',
    `${name}: is none of the formats that emb opens`,
    formats.map((known) => known.name).join(', '),
  );
}

function promised(name: string): Format | undefined {
  const ending = /\.([^./\\]+)$/.exec(name.toLowerCase())?.[1];
  return formats.find(({ endings }) => ending !== undefined && endings.includes(ending));
}

function startsWith(head: Uint8Array, text: string): boolean {
  return Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1').startsWith(text);
}
