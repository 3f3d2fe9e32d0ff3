import { MemorySource } from '../bytes/memory.ts';
import { EmbError } from '../errors.ts';
import { openTensorFile } from '../formats/index.ts';
import { tableOf } from './table.ts';

/** Vectors in memory. Shape: data [rows, dim] */
export interface Vectors {
  data: Float32Array;
  rows: number;
  dim: number;
  /** dtype of values that are no float32 and were rounded once. */
  rounded?: string;
}

/**
 * Vectors that came as a whole: npy, or raw little endian float32.
 *
 * Shape: → [rows, dim]. A one-dimensional npy is one row.
 * @param dim width that is expected; needed for f32, which does not say its own
 * @throws EmbError "range" for another width, "usage" for f32 without one, "corrupt" for bytes that are no whole rows
 */
export async function readVectors(
  kind: string,
  bytes: Uint8Array,
  dim: number | undefined,
): Promise<Vectors> {
  const vectors = kind === 'f32' ? readFloats(bytes, dim) : await readNpy(bytes);
  if (dim !== undefined && vectors.dim !== dim) {
    throw new EmbError('range', `input: vectors have ${vectors.dim} columns, expected ${dim}`);
  }
  return vectors;
}

function readFloats(bytes: Uint8Array, dim: number | undefined): Vectors {
  if (dim === undefined)
    throw new EmbError('usage', '--input f32 does not say how wide its rows are', '--dim N');
  if (bytes.length % (dim * 4) !== 0) {
    throw new EmbError(
      'corrupt',
      `input: ${bytes.length} bytes are no whole rows of ${dim} float32 (${dim * 4} bytes)`,
    );
  }
  const data = new Float32Array(bytes.length / 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < data.length; i++) data[i] = view.getFloat32(i * 4, true);
  return { data, rows: data.length / dim, dim };
}

async function readNpy(bytes: Uint8Array): Promise<Vectors> {
  const file = await openTensorFile(new MemorySource('input', bytes));
  const [tensor, ...more] = file.tensors;
  if (tensor === undefined || more.length > 0) {
    throw new EmbError('unsupported', `input: holds ${file.tensors.length} tensors, expected one`);
  }
  const table = tableOf(tensor.shape.length === 1 ? { ...tensor, shape: [1, tensor.shape[0]!] } : tensor);
  const ids = Uint32Array.from({ length: table.rows }, (_, index) => index);
  const rounded = table.rounds ? table.dtype : undefined;
  return { data: (await table.gather(ids)).data, rows: table.rows, dim: table.dim, rounded };
}
