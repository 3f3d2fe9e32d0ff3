import { openZip } from '../bytes/zip.ts';
import type { ByteSource, TensorFile } from '../types.ts';
import { openHdf5 } from './hdf5.ts';
import { findArrays, openNpz } from './npz.ts';
import { findTorchPickle, openTorchArchive } from './pytorch.ts';

/** What Keras 3 saves a model as. */
const kerasConfig = 'config.json';
const kerasWeights = 'model.weights.h5';

/**
 * Opens a zip archive by what is in it: PyTorch by its data.pkl, npz by its .npy files, Keras by its two; word
 * vectors otherwise.
 *
 * @throws EmbError as the format does
 */
export async function openZipTensors(source: ByteSource): Promise<TensorFile> {
  const archive = await openZip(source);
  const pickle = findTorchPickle(archive);
  if (pickle !== undefined) return openTorchArchive(source, archive, pickle);
  const arrays = findArrays(archive);
  if (arrays.length > 0) return openNpz(source, arrays);
  const weights = archive.find(kerasWeights);
  if (weights !== undefined && archive.find(kerasConfig) !== undefined) {
    const file = await openHdf5(await weights.open());
    return { ...file, name: source.name, close: () => source.close() };
  }
  return (await import('./compressed.ts')).openCompressedText(source, 'zip');
}
