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
 * Vectors that came as a whole: npy, JSON lines, or raw little endian float32.
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
  const vectors =
    kind === 'f32'
      ? readFloats(bytes, dim)
      : kind === 'jsonl'
        ? readJsonVectors(bytes)
        : await readNpy(bytes);
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

/** What bytes that hold vectors are: npy and JSON by their beginning, raw float32 otherwise. */
export function kindOfVectors(bytes: Uint8Array): 'npy' | 'jsonl' | 'f32' {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 64)).toString('latin1');
  if (head.startsWith('\x93NUMPY')) return 'npy';
  return /^(\xef\xbb\xbf)?\s*[{[]/.test(head) ? 'jsonl' : 'f32';
}

/** Keys that hold a vector, as `emb embed`, `llm embed` and OpenAI's answers call it. */
const vectorKeys = ['vector', 'embedding', 'values'];

/** One vector per line: an array of numbers, or an object that has one. null within a vector reads back as NaN. */
function readJsonVectors(bytes: Uint8Array): Vectors {
  const rows: Float32Array[] = [];
  const text = new TextDecoder().decode(bytes);
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    rows.push(readJsonVector(line, `input line ${index + 1}`));
    if (rows[rows.length - 1].length !== rows[0].length) {
      throw new EmbError(
        'corrupt',
        `input line ${index + 1}: vector has ${rows[rows.length - 1].length} values, expected ${rows[0].length}`,
      );
    }
  }
  const dim = rows[0]?.length ?? 0;
  const data = new Float32Array(rows.length * dim);
  for (const [index, row] of rows.entries()) data.set(row, index * dim);
  return { data, rows: rows.length, dim };
}

function readJsonVector(line: string, name: string): Float32Array {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new EmbError('corrupt', `${name}: is no valid JSON`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const record = value as Record<string, unknown>;
    value = vectorKeys.map((key) => record[key]).find((found) => found !== undefined);
  }
  if (!Array.isArray(value) || !value.every((item) => item === null || typeof item === 'number')) {
    throw new EmbError(
      'corrupt',
      `${name}: has no vector, expected an array of numbers as ${vectorKeys.join(', ')}`,
    );
  }
  return Float32Array.from(value, (item) => item ?? Number.NaN);
}
