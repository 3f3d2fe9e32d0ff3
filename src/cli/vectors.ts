import { recordsOf } from '../bytes/input.ts';
import type { VectorInput } from '../command.ts';
import {
  kindOfVectors,
  readJsonVectors,
  readVectors,
  type VectorKind,
  type Vectors,
} from '../model/vectors.ts';
import type { Inputs } from './inputs.ts';

/** Bytes by which the form of vectors is told: a whole line of JSON, or enough that raw float32 cannot pass for text. */
const headBytes = 4096;

/** What reading vectors needs from the run that it belongs to. */
export interface VectorHost {
  inputs: Inputs;
  note(message: string): void;
  passOver(line: number, message: string): void;
}

/** The vectors that --vectors or --input names, one by one: JSON lines as they arrive. */
export async function* vectorRows(
  host: VectorHost,
  path: string | undefined,
  dim: number | undefined,
): AsyncGenerator<VectorInput> {
  const { kind, stream, keys } = await open(host, path);
  if (kind === 'jsonl') {
    yield* readJsonVectors(stream.records(), dim, host.passOver, keys);
    return;
  }
  const vectors = await readWhole(host, kind, await stream.bytes(), dim);
  for (let row = 0; row < vectors.rows; row++) {
    const vector = vectors.data.subarray(row * vectors.dim, (row + 1) * vectors.dim);
    yield { row, text: null, vector };
  }
}

/** The same at once. Shape: data [rows, dim] */
export async function wholeVectors(
  host: VectorHost,
  path: string | undefined,
  dim: number | undefined,
): Promise<Vectors> {
  const { kind, stream, keys } = await open(host, path);
  if (kind !== 'jsonl') return readWhole(host, kind, await stream.bytes(), dim);
  const rows: Float32Array[] = [];
  const read = readJsonVectors(stream.records(), dim, host.passOver, keys);
  for await (const { vector } of read) rows.push(vector);
  const width = rows[0]?.length ?? 0;
  const data = new Float32Array(rows.length * width);
  for (const [index, row] of rows.entries()) data.set(row, index * width);
  return { data, rows: rows.length, dim: width };
}

async function open({ inputs, note }: VectorHost, path: string | undefined) {
  const { kind, stream, keys } = inputs.vectors(path);
  if (kind !== undefined) return { kind, stream, keys };
  const head = await stream.peek(headBytes);
  const found = kindOfVectors(head);
  if (found === 'jsonl' && !beginsWithJson(head)) {
    note(
      'the vectors are taken for JSON lines, as they begin like them: --input f32 or npy, if they are not',
    );
  }
  return { kind: found, stream, keys };
}

/** Whether the first line is JSON, or longer than what was looked at. */
function beginsWithJson(head: Buffer): boolean {
  if (!head.includes(10) && head.byteLength >= headBytes) return true;
  const [first = ''] = recordsOf(head, { separator: 10, note: () => {} });
  try {
    JSON.parse(first.replace(/^\ufeff/, ''));
    return true;
  } catch {
    // The one error of JSON.parse: it is no JSON, then.
    return false;
  }
}

async function readWhole(
  { note }: VectorHost,
  kind: Exclude<VectorKind, 'jsonl'>,
  bytes: Uint8Array,
  dim: number | undefined,
): Promise<Vectors> {
  const vectors = await readVectors(kind, bytes, dim);
  if (vectors.rounded) note(`${vectors.rounded} values are no float32: each is rounded once`);
  return vectors;
}
