import { JsonCursor } from '../bytes/json-cursor.ts';
import { dtypeNamed } from '../dtypes/index.ts';
import { EmbError } from '../errors.ts';
import type { ByteSource, TensorFile, TensorInfo } from '../types.ts';

/** MAX_HEADER_SIZE of the reference crate. */
const longestHeader = 100_000_000;

/** Bytes of the header's length, a little endian u64 that the file begins with. */
const lengthBytes = 8;

/** True when the first bytes of a file may be the beginning of a safetensors file. */
export function looksLikeSafetensors(head: Uint8Array): boolean {
  let at = lengthBytes;
  while (head[at] === 0x20 || head[at] === 0x0a || head[at] === 0x0d || head[at] === 0x09) at++;
  return head[at] === 0x7b;
}

/**
 * Reads the header of a safetensors file; no weights.
 *
 * Source: https://github.com/huggingface/safetensors, format and src/tensor.rs. As the crate does, refuses a header over
 * 100,000,000 bytes and tensors that do not cover the data exactly, one after the other; unlike it, a name that stands twice.
 * Cost: two reads, O(header).
 * @throws EmbError "corrupt" naming the fact that does not hold
 */
export async function openSafetensors(source: ByteSource): Promise<TensorFile> {
  const end = headerEnd(await source.read(0, Math.min(lengthBytes, source.byteLength)), source);
  return readHeader(await source.read(lengthBytes, end), source);
}

/** Where the header ends and the data begins, from the first 8 bytes of the file. */
export function headerEnd(first: Uint8Array, source: ByteSource): number {
  const { name, byteLength } = source;
  if (first.length < lengthBytes) {
    throw new EmbError('corrupt', `${name}: is ${byteLength} bytes, expected at least ${lengthBytes}`);
  }
  const view = new DataView(first.buffer, first.byteOffset, lengthBytes);
  const exact = view.getBigUint64(0, true);
  if (exact > longestHeader) {
    throw new EmbError('corrupt', `${name}: "header length" is ${exact}, expected at most ${longestHeader}`);
  }
  const length = Number(exact);
  if (lengthBytes + length > byteLength) {
    throw new EmbError(
      'corrupt',
      `${name}: "header length" is ${length}, expected at most ${byteLength - lengthBytes}, the rest of the file`,
      'the file may be truncated: compare its size with the published one',
    );
  }
  return lengthBytes + length;
}

/** The tensors that a header lists, in the order of their data. header: the bytes between the length and the data. */
export function readHeader(header: Uint8Array, source: ByteSource): TensorFile {
  const { name } = source;
  const dataStart = lengthBytes + header.length;
  const metadata = new Map<string, unknown>();
  const tensors: TensorInfo[] = [];
  const cursor = new JsonCursor(header, `${name}: header`);
  cursor.members((key) => {
    if (key === '__metadata__') {
      if (cursor.isAt('n')) cursor.skip();
      else cursor.members((entry) => metadata.set(entry, cursor.string()));
    } else {
      tensors.push(readTensor(cursor, key, dataStart, source));
    }
  });
  cursor.end();
  checkCover(tensors, dataStart, source);
  return { format: 'safetensors', name, tensors, metadata, close: () => source.close() };
}

function readTensor(cursor: JsonCursor, name: string, dataStart: number, source: ByteSource): TensorInfo {
  const label = `${source.name}: tensor ${JSON.stringify(name)}`;
  let dtype: string | undefined;
  let shape: number[] | undefined;
  const offsets: number[] = [];
  cursor.members((key) => {
    if (key === 'dtype') dtype = cursor.string();
    else if (key === 'shape') shape = readIntegers(cursor);
    else if (key === 'data_offsets') offsets.push(...readIntegers(cursor, 2));
    else cursor.skip();
  });
  if (dtype === undefined) throw new EmbError('corrupt', `${label} has no "dtype"`);
  if (shape === undefined) throw new EmbError('corrupt', `${label} has no "shape"`);
  if (offsets.length !== 2) {
    throw new EmbError('corrupt', `${label}: "data_offsets" has ${offsets.length} numbers, expected 2`);
  }
  const [start, end] = offsets;
  const bytes = byteLengthOf(label, dtype, shape);
  if (end - start !== bytes) {
    throw new EmbError(
      'corrupt',
      `${label}: "data_offsets" hold ${end - start} bytes, expected ${bytes} for ${dtype} [${shape.join(', ')}]`,
    );
  }
  return { name, shape, dtype, offset: dataStart + start, byteLength: bytes, source };
}

/** An array of whole numbers; longer ones than any tensor's rank are refused before they cost memory. */
function readIntegers(cursor: JsonCursor, most = 64): number[] {
  const values: number[] = [];
  cursor.elements(() => {
    if (values.length === most) cursor.fail(`an array has more than ${most} numbers`);
    values.push(cursor.integer());
  });
  return values;
}

/** Bytes that a shape takes in a dtype. @throws EmbError "corrupt" beyond 2^53 or for a part of a byte */
function byteLengthOf(label: string, dtypeName: string, shape: readonly number[]): number {
  const dtype = dtypeNamed(dtypeName);
  if (dtype === undefined) {
    throw new EmbError(
      'corrupt',
      `${label}: "dtype" is ${JSON.stringify(dtypeName)}, which the format does not have`,
    );
  }
  // A zero anywhere makes the product 0, whatever stands beside it.
  const weights = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  const bytes = (weights / dtype.blockWeights) * dtype.blockBytes;
  if (weights > Number.MAX_SAFE_INTEGER || bytes > Number.MAX_SAFE_INTEGER) {
    throw new EmbError(
      'corrupt',
      `${label}: shape [${shape.join(', ')}] has more than 2^53 - 1 weights or bytes`,
    );
  }
  if (!Number.isInteger(bytes)) {
    throw new EmbError(
      'corrupt',
      `${label}: ${weights} weights of ${dtypeName} are ${bytes} bytes, expected whole bytes`,
    );
  }
  return bytes;
}

/** Every byte of the data belongs to exactly one tensor. Sorts the tensors by offset. */
function checkCover(tensors: TensorInfo[], dataStart: number, source: ByteSource): void {
  tensors.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  let end = dataStart;
  for (const { name, offset, byteLength } of tensors) {
    const label = `${source.name}: tensor ${JSON.stringify(name)}`;
    if (offset !== end) {
      const what = offset < end ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw new EmbError('corrupt', `${label} begins at byte ${offset}, expected ${end}: it ${what}`);
    }
    end += byteLength;
    if (end > source.byteLength) {
      throw new EmbError(
        'corrupt',
        `${label} ends at byte ${end}, expected at most ${source.byteLength}, the size of the file`,
        'the file may be truncated: compare its size with the published one',
      );
    }
  }
  if (end !== source.byteLength) {
    throw new EmbError(
      'corrupt',
      `${source.name}: tensors end at byte ${end}, expected ${source.byteLength}, the size of the file`,
    );
  }
}
