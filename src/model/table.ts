import ndarray from 'ndarray';
import { Breath } from '../bytes/breath.ts';
import { EmbError } from '../errors.ts';
import { rowsOf } from '../formats/rows.ts';
import type {
  EmbeddingTable,
  HalfRows,
  Matrix,
  RowBlock,
  RowReader,
  ScanParts,
  TableOrigin,
  TensorInfo,
} from '../types.ts';

/** Values of one gathered matrix: 4 GiB, below every engine's limit on an array. */
const gatherLimit = 2 ** 30;

/** Bytes compared at a time. */
const compareBytes = 1 << 20;

/**
 * A 2-D tensor as an embedding table.
 *
 * @throws EmbError "unsupported" when it has no rows and columns or its dtype is not decoded
 */
export function tableOf(tensor: TensorInfo): EmbeddingTable {
  return new TensorTable(tensor, rowsOf(tensor));
}

class TensorTable implements EmbeddingTable {
  readonly tensorName: string;
  readonly dtype: string;
  readonly rows: number;
  readonly dim: number;
  readonly byteLength: number;
  readonly rounds: boolean;
  readonly scanParts?: (parts: ScanParts) => AsyncIterable<RowBlock | HalfRows>;
  readonly origin?: TableOrigin;
  readonly #reader: RowReader;

  constructor(tensor: TensorInfo, reader: RowReader) {
    this.tensorName = tensor.name;
    this.dtype = tensor.dtype;
    this.byteLength = tensor.byteLength;
    this.rows = reader.rows;
    this.dim = reader.dim;
    this.rounds = reader.rounds;
    this.#reader = reader;
    const { scanParts } = reader;
    if (scanParts !== undefined) {
      this.scanParts = scanParts.bind(reader);
      this.origin = originOf(tensor);
    }
  }

  async gather(ids: Uint32Array, into?: Float32Array): Promise<Matrix> {
    for (const id of ids) {
      if (id >= this.rows && this.#reader.composes?.(id) !== true) {
        throw new EmbError(
          'range',
          `"id" is ${id}, expected at most ${this.rows - 1}: ${this.tensorName} has ${this.rows} rows`,
          'check that the ids come from the tokenizer of this model',
        );
      }
    }
    if (ids.length * this.dim > gatherLimit) {
      throw new EmbError(
        'range',
        `"ids" are ${ids.length} rows of ${this.dim} values, expected at most ${gatherLimit} values at once`,
        'ask for fewer ids at once',
      );
    }
    const length = ids.length * this.dim;
    // Fresh memory costs more than the read: the kernel clears every page of it.
    const data =
      into !== undefined && into.length >= length ? into.subarray(0, length) : new Float32Array(length);
    await this.#reader.gather(ids, data);
    return ndarray(data, [ids.length, this.dim]);
  }

  scan(): AsyncIterable<RowBlock> {
    return this.#reader.scan();
  }
}

function originOf({ source, reader, vocabulary, ...tensor }: TensorInfo): TableOrigin | undefined {
  if (source.path === undefined || reader !== undefined) return undefined;
  return { path: source.path, fileBytes: source.byteLength, tensor };
}

/**
 * Whether two tensors hold the same bytes, which is what tied means in a file, whatever the config's flag says.
 *
 * Cost: reads both up to the first difference, 1 MiB at a time; nothing when they are one tensor or differ in form.
 */
export async function isTied(a: TensorInfo, b: TensorInfo): Promise<boolean> {
  const isSame = (key: 'shape' | 'strides') => String(a[key] ?? '') === String(b[key] ?? '');
  if (a.dtype !== b.dtype || a.bigEndian !== b.bigEndian || !isSame('shape') || !isSame('strides'))
    return false;
  if (a.byteLength !== b.byteLength) return false;
  if (a.source === b.source && a.offset === b.offset) return true;
  const left = new Uint8Array(Math.min(compareBytes, a.byteLength));
  const right = new Uint8Array(left.length);
  const breath = new Breath();
  for (let start = 0; start < a.byteLength; start += compareBytes) {
    if (breath.due) await breath.take();
    const length = Math.min(compareBytes, a.byteLength - start);
    const one = await a.source.read(a.offset + start, a.offset + start + length, left);
    const other = await b.source.read(b.offset + start, b.offset + start + length, right);
    if (Buffer.compare(one, other) !== 0) return false;
  }
  return true;
}
