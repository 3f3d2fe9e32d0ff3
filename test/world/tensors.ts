import { loadDType } from '../../src/dtypes/index.ts';
import type { TensorInfo } from '../../src/types.ts';

/** Tensor as an oracle has it; numbers that JSON lacks are text. */
export interface OracleTensor {
  dtype: string;
  shape: number[];
  first: (number | boolean | string)[];
  last: (number | boolean | string)[];
  sha256_c_order_le: string;
}

/** The bytes of a tensor in row-major order, little endian, whatever order the file has. */
export async function rowMajorBytes(tensor: TensorInfo, width: number): Promise<Uint8Array> {
  const bytes = (await tensor.source.read(tensor.offset, tensor.offset + tensor.byteLength)).slice();
  const { shape } = tensor;
  const strides = tensor.strides ?? shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const out = new Uint8Array(bytes.length);
  const index = shape.map(() => 0);
  for (let place = 0; place < bytes.length / width; place++) {
    const from = index.reduce((sum, value, axis) => sum + value * strides[axis], 0) * width;
    const item = bytes.subarray(from, from + width);
    // A complex number is two numbers, each with its own byte order.
    const part = tensor.dtype.startsWith('C') ? width / 2 : width;
    for (let at = 0; at < width; at += part) if (tensor.bigEndian) item.subarray(at, at + part).reverse();
    out.set(item, place * width);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return out;
}

/** Values as float32 through the dtype's own decoder. */
export async function decoded(bytes: Uint8Array, dtype: string): Promise<Float32Array> {
  const { blockBytes, decode } = await loadDType(dtype);
  const out = new Float32Array(bytes.length / blockBytes);
  decode(bytes, out);
  return out;
}

/** An oracle's number as float32: NaN and Infinity are written as text, booleans count 0 and 1. */
export function asFloat32(value: number | boolean | string): number {
  return Math.fround(
    typeof value === 'string' ? Number(value.replace(/^([-+]?)inf(inity)?$/i, '$1Infinity')) : Number(value),
  );
}
