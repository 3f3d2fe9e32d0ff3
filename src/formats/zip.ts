import { openZip, type ZipArchive } from '../bytes/zip.ts';
import { EmbError } from '../errors.ts';
import type { ByteSource, TensorFile } from '../types.ts';
import { findArrays, openNpz } from './npz.ts';
import { findTorchPickle, openTorchArchive } from './pytorch.ts';

/** Names in an error: enough to know the archive by. */
const namesShown = 5;

/**
 * Opens a zip archive by what is in it: PyTorch by its data.pkl, npz by its .npy files.
 *
 * @throws EmbError as the format does, "unsupported" naming the entries of any other archive
 */
export async function openZipTensors(source: ByteSource): Promise<TensorFile> {
  const archive = await openZip(source);
  const pickle = findTorchPickle(archive);
  if (pickle !== undefined) return openTorchArchive(source, archive, pickle);
  const arrays = findArrays(archive);
  if (arrays.length > 0) return openNpz(source, arrays);
  throw unknownArchive(archive);
}

function unknownArchive({ name, entries }: ZipArchive): EmbError {
  const shown = entries.slice(0, namesShown).map((entry) => JSON.stringify(entry.name.slice(0, 80)));
  if (entries.length > namesShown) shown.push(`${entries.length - namesShown} more`);
  return new EmbError(
    'unsupported',
    `${name}: is a zip archive of ${shown.join(', ') || 'nothing'}, expected a PyTorch model or .npy arrays`,
  );
}
