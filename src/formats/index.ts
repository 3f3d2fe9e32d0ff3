import { openFile } from '../bytes/file.ts';
import { EmbError } from '../errors.ts';
import type { ByteSource, TensorFile } from '../types.ts';
import { looksLikeNpy, openNpy } from './npy.ts';
import { headerEnd, looksLikeSafetensors, openSafetensors, readHeader } from './safetensors.ts';

/** One tensor format: how its first bytes look, and how its header is read. name: its ending too. */
interface Format {
  name: string;
  looksLike(head: Uint8Array): boolean;
  open(source: ByteSource): Promise<TensorFile>;
}

const formats: Format[] = [
  { name: 'npy', looksLike: looksLikeNpy, open: openNpy },
  { name: 'safetensors', looksLike: looksLikeSafetensors, open: openSafetensors },
];

/** Known beginnings of files that are something else, so that the error can say what. */
const strangers: { name: string; starts: string }[] = [
  { name: 'a GGUF file', starts: 'GGUF' },
  { name: 'a zip archive (.npz, or a PyTorch file)', starts: 'PK\x03\x04' },
  { name: 'a gzip file', starts: '\x1f\x8b' },
  { name: 'a PyTorch pickle', starts: '\x80\x02' },
  { name: 'an HDF5 file', starts: '\x89HDF' },
];

const lfsPointer = 'version https://git-lfs.github.com/spec/';

/** Bytes that decide which format a file has. */
const headBytes = 64;

/**
 * Opens a tensor file by its content; its ending only decides what a broken file was meant to be.
 *
 * @throws EmbError "corrupt" or "unsupported"; source stays open then
 */
export async function openTensorFile(source: ByteSource): Promise<TensorFile> {
  const { name } = source;
  const head = await source.read(0, Math.min(headBytes, source.byteLength));
  refuseForeign(head, name);
  // The reader of the format that the ending promises says best what is broken.
  const format =
    formats.find((candidate) => candidate.looksLike(head)) ??
    formats.find((candidate) => name.toLowerCase().endsWith(`.${candidate.name}`));
  if (format !== undefined) return format.open(source);
  throw new EmbError('unsupported', `${name}: is neither a safetensors nor an npy file`);
}

/**
 * Opens a safetensors file without a promise, for shards that are opened when a question needs them.
 *
 * @throws EmbError as openTensorFile does; the file is closed then
 */
export function openShardNow(path: string): TensorFile {
  const source = openFile(path);
  try {
    refuseForeign(source.readNow(0, Math.min(headBytes, source.byteLength)), path);
    const end = headerEnd(source.readNow(0, Math.min(8, source.byteLength)), source);
    return readHeader(source.readNow(8, end), source);
  } catch (error) {
    void source.close();
    throw error;
  }
}

/** Refuses files that are certainly no tensor file by their first bytes, saying what they are. */
function refuseForeign(head: Uint8Array, name: string): void {
  if (head.length === 0) {
    throw new EmbError(
      'corrupt',
      `${name}: is empty, expected a safetensors or npy file`,
      'download it again',
    );
  }
  const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
  if (text.startsWith(lfsPointer)) {
    throw new EmbError('corrupt', `${name}: is a git-lfs pointer, not the model`, 'git lfs pull');
  }
  const stranger = strangers.find(({ starts }) => text.startsWith(starts));
  if (stranger !== undefined) {
    throw new EmbError('unsupported', `${name}: is ${stranger.name}, expected a safetensors or npy file`);
  }
}
