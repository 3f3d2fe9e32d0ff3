import type { ZipArchive, ZipEntry } from '../bytes/zip.ts';
import { EmbError } from '../errors.ts';
import type { ByteSource, TensorFile, TensorInfo } from '../types.ts';
import { openNpy } from './npy.ts';

const ending = '.npy';

/** The arrays of an archive that numpy.savez wrote; none when it is another. */
export function findArrays(archive: ZipArchive): ZipEntry[] {
  return archive.entries.filter(({ name }) => name.endsWith(ending));
}

/**
 * Reads the headers of an npz file's arrays, stored or compressed; no values.
 *
 * An array is called as its entry, without .npy. Arrays that hold no numbers are listed and refused when they are read, so that
 * the others open.
 * Cost: two reads per array. A compressed array is inflated into memory when its values are first read.
 * @throws EmbError "corrupt" when one of the arrays is, "unsupported" when none holds numbers
 */
export async function openNpz(source: ByteSource, arrays: readonly ZipEntry[]): Promise<TensorFile> {
  const tensors: TensorInfo[] = [];
  const sources: ByteSource[] = [];
  let refused: EmbError | undefined;
  for (const entry of arrays) {
    const name = entry.name.slice(0, -ending.length);
    const array = await entry.open();
    sources.push(array);
    try {
      const { tensors: listed } = await openNpy(array);
      for (const tensor of listed) tensors.push({ ...tensor, name });
    } catch (error) {
      if (!(error instanceof EmbError) || error.code !== 'unsupported') throw error;
      refused = error;
      tensors.push(unreadable(name, array, error));
    }
  }
  if (refused !== undefined && tensors.every(({ reader }) => reader !== undefined)) throw refused;
  return {
    format: 'npz',
    name: source.name,
    tensors,
    metadata: new Map(),
    async close() {
      for (const array of sources) await array.close();
      await source.close();
    },
  };
}

function unreadable(name: string, source: ByteSource, error: EmbError): TensorInfo {
  return {
    name,
    shape: [],
    dtype: 'OBJECT',
    offset: 0,
    byteLength: source.byteLength,
    source,
    reader() {
      throw error;
    },
  };
}
