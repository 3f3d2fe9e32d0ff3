import { openZip } from '../bytes/zip.ts';
import type { ByteSource, TensorFile } from '../types.ts';
import { findArrays, openNpz } from './npz.ts';
import { findTorchPickle, openTorchArchive } from './pytorch.ts';

/**
 * Opens a zip archive by what is in it: PyTorch by its data.pkl, npz by its .npy files, word vectors otherwise.
 *
 * @throws EmbError as the format does
 */
export async function openZipTensors(source: ByteSource): Promise<TensorFile> {
  const archive = await openZip(source);
  const pickle = findTorchPickle(archive);
  if (pickle !== undefined) return openTorchArchive(source, archive, pickle);
  const arrays = findArrays(archive);
  if (arrays.length > 0) return openNpz(source, arrays);
  return (await import('./compressed.ts')).openCompressedText(source, 'zip');
}
