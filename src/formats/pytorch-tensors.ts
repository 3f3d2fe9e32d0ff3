import { EmbError } from '../errors.ts';
import type { ByteSource, TensorInfo } from '../types.ts';
import type { TorchTensor } from './pytorch-pickle.ts';

/**
 * A tensor of a checkpoint as bytes of its storage.
 *
 * Units: strides in weights; byteLength from the first to the last byte that it covers, so that a view that skips or repeats
 * bytes counts what it lies in.
 * @param storage the bytes of the tensor's storage: one source for all tensors that share it
 * @throws EmbError "corrupt" for a tensor that leaves its storage or has more than 2^53 - 1 bytes
 */
export function describeTensor(name: string, tensor: TorchTensor, storage: ByteSource): TensorInfo {
  const { dtype, shape, strides } = tensor;
  const label = `${storage.name}: tensor ${JSON.stringify(name)}`;
  const weights = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  // An expanded tensor has more weights than its storage, but no tensor has more than can be counted.
  if (weights * dtype.bytes > Number.MAX_SAFE_INTEGER) {
    throw new EmbError('corrupt', `${label}: shape [${shape.join(', ')}] has more than 2^53 - 1 bytes`);
  }
  const reach = weights === 0 ? 0 : shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis], 1);
  const start = tensor.storage.start * tensor.storage.dtype.bytes + tensor.offset * dtype.bytes;
  const byteLength = reach * dtype.bytes;
  const storageBytes = tensor.storage.elements * tensor.storage.dtype.bytes;
  if (weights > 0 && !(start + byteLength <= storageBytes)) {
    throw new EmbError(
      'corrupt',
      `${label} ends at byte ${start + byteLength} of its storage, expected at most ${storageBytes}`,
    );
  }
  const offset = weights === 0 ? 0 : start;
  const described: TensorInfo = {
    name,
    shape: shape as number[],
    dtype: dtype.name,
    offset,
    byteLength,
    source: storage,
  };
  if (weights > 0 && !isRowMajor(shape, strides)) described.strides = strides as number[];
  if (dtype.weights > 1) unpack(described, dtype.weights, label);
  return described;
}

/** Axes of one index have any stride. */
function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}

/** float4_e2m1fn_x2 counts bytes; a shape counts weights. */
function unpack(tensor: TensorInfo, weights: number, label: string): void {
  if (tensor.strides !== undefined || tensor.shape.length === 0) {
    throw new EmbError('unsupported', `${label} packs ${weights} weights into a byte, expected whole rows`);
  }
  tensor.shape = tensor.shape.with(-1, (tensor.shape.at(-1) as number) * weights);
}
