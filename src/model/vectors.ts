import { MemorySource } from '../bytes/memory.ts';
import type { VectorInput } from '../command.ts';
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

/** Forms in which vectors come. */
export type VectorKind = 'npy' | 'jsonl' | 'f32';

/**
 * Vectors that came as a whole: npy, or raw little endian float32.
 *
 * Shape: → [rows, dim]. A one-dimensional npy is one row.
 * @param dim width that is expected; needed for f32, which does not say its own
 * @throws EmbError "range" for another width, "usage" for f32 without one, "corrupt" for bytes that are no whole rows
 */
export async function readVectors(
  kind: 'npy' | 'f32',
  bytes: Uint8Array,
  dim: number | undefined,
): Promise<Vectors> {
  const vectors = kind === 'f32' ? readFloats(bytes, dim) : await readNpy(bytes);
  if (dim !== undefined && vectors.dim !== dim) throw otherWidth(vectors.dim, dim);
  return vectors;
}

function otherWidth(found: number, expected: number): EmbError {
  return new EmbError('range', `input: vectors have ${found} columns, expected ${expected}`);
}

/** What else bytes may be that were taken for raw float32. */
const otherForms = '--input npy or jsonl, if it is one of them';

function readFloats(bytes: Uint8Array, dim: number | undefined): Vectors {
  if (dim === undefined)
    throw new EmbError('usage', 'raw float32 does not say how wide its rows are', `--dim N; ${otherForms}`);
  if (bytes.length % (dim * 4) !== 0) {
    throw new EmbError(
      'corrupt',
      `input: ${bytes.length} bytes are no whole rows of ${dim} float32 (${dim * 4} bytes)`,
      otherForms,
    );
  }
  const data = new Float32Array(bytes.length / 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < data.length; i++) data[i] = view.getFloat32(i * 4, true);
  return { data, rows: data.length / dim, dim };
}

async function readNpy(bytes: Uint8Array): Promise<Vectors> {
  if (bytes.length === 0)
    throw new EmbError('corrupt', 'input: is empty, expected a npy file', 'what writes it may have failed');
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

/** What bytes that begin so are: npy by its magic; JSON is text that opens a bracket, without control characters; else raw float32. */
export function kindOfVectors(head: Uint8Array): VectorKind {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes.subarray(0, 6).toString('latin1') === '\x93NUMPY') return 'npy';
  return /^\ufeff?\s*[{[]/.test(bytes.subarray(0, 64).toString('utf8')) && isText(bytes) ? 'jsonl' : 'f32';
}

/** Whether bytes are UTF-8, but for a last character that is cut, and hold no control character but white space. */
function isText(bytes: Buffer): boolean {
  if (bytes.some((byte) => byte < 0x20 && (byte < 9 || byte > 13))) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    // The one error of a fatal decoder.
    return false;
  }
}

/** Keys that hold a vector, as `emb embed`, `llm embed` and OpenAI's answers call it. */
const vectorKeys = ['vector', 'embedding', 'values'];

/**
 * One vector per line: an array of numbers, or an object that has one. null within a vector reads back as NaN. Objects name theirs by
 * "token", else by "text".
 *
 * @param dim width that is expected; default: the first vector's
 * @param skip says which line (from 1) is passed over, and why
 * @param keys of objects that may hold the vector: the first that is there
 * @throws EmbError "range" when the first vector has another width: the input is for another model
 */
export async function* readJsonVectors(
  records: AsyncIterable<string>,
  dim: number | undefined,
  skip: (line: number, message: string) => void,
  keys: readonly string[] = vectorKeys,
): AsyncGenerator<VectorInput> {
  let [line, width] = [0, 0];
  for await (const raw of records) {
    // A byte order mark is no part of JSON.
    const record = line++ === 0 ? raw.replace(/^\ufeff/, '') : raw;
    if (record.trim() === '') continue;
    const found = readJsonVector(record, keys);
    if (typeof found === 'string') {
      skip(line, found);
      continue;
    }
    const { length } = found.vector;
    if (width === 0 && dim !== undefined && length !== dim) throw otherWidth(length, dim);
    if (width === 0) width = length;
    if (length === width) yield { ...found, row: line - 1, line };
    else skip(line, `has a vector of ${length} values, expected ${width}`);
  }
}

/** A vector and its name, or what is wrong with the line. */
function readJsonVector(
  line: string,
  keys: readonly string[],
): { vector: Float32Array; text: string | null } | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The one error of JSON.parse: the caller says which line it was.
    return 'is no valid JSON';
  }
  const record = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const list = Array.isArray(value)
    ? value
    : keys.map((key) => record[key]).find((found) => found !== undefined);
  const isNumbers =
    Array.isArray(list) && list.length > 0 && list.every((item) => item === null || typeof item === 'number');
  if (!isNumbers) return `has no vector, expected an array of numbers as ${keys.join(', ')}`;
  const text = [record.token, record.text].find((name) => typeof name === 'string') as string | undefined;
  return { vector: Float32Array.from(list, (item) => item ?? Number.NaN), text: text ?? null };
}
