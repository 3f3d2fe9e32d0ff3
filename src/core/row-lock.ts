import { createHash } from 'node:crypto';
import { EmbError } from '../errors.ts';
import { layers } from '../layout.ts';
import type { Layer, RowBlock, Tokenizer } from '../types.ts';

/** Bytes that a row leaves in a lock. */
export const rowHashBytes = 8;

/** Hashes of a line of a lock: 64 characters of base64. */
const lineBytes = 48;

const firstLine = 'emb lock 1';

/** A lock of more rows than ids have is none; each row takes more than ten characters of the file. */
const mostRows = 2 ** 32 - 1;

/** What a lock says of a table. */
export interface RowLock {
  tensor: string;
  /** The role that the table was chosen by; null where the tensor was named. */
  layer: Layer | null;
  rows: number;
  dim: number;
  /** As it was stored; other dtypes of the same values have the same hashes. */
  dtype: string;
  /** Hash of ids and bytes of all tokens; null where the model brought no tokenizer. */
  vocabulary: string | null;
  /** Shape: [rows * 8]; the first bytes of the SHA-256 of each row. */
  hashes: Uint8Array;
}

/**
 * The hash of every row: the first 8 bytes of the SHA-256 of its values as little endian float32, bit for bit.
 *
 * Shape: blocks of [rows, dim] → [all rows * 8]
 * Cost: 8 bytes per row.
 */
export async function hashRows(
  blocks: AsyncIterable<RowBlock> | Iterable<RowBlock>,
  rows: number,
  dim: number,
): Promise<Uint8Array> {
  const hashes = new Uint8Array(rows * rowHashBytes);
  for await (const { start, rows: count, data } of blocks) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (let row = 0; row < count; row++) {
      const digest = createHash('sha256')
        .update(bytes.subarray(row * dim * 4, (row + 1) * dim * 4))
        .digest();
      hashes.set(digest.subarray(0, rowHashBytes), (start + row) * rowHashBytes);
    }
  }
  return hashes;
}

/** The first 16 hexadecimal digits of the SHA-256 of every token: id and length as u32, little endian, then its bytes. */
export function hashVocabulary(tokenizer: Tokenizer): string {
  const hash = createHash('sha256');
  const head = Buffer.alloc(8);
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const bytes = tokenizer.bytesOf(id);
    if (bytes === undefined) continue;
    head.writeUInt32LE(id);
    head.writeUInt32LE(bytes.length, 4);
    hash.update(head).update(bytes);
  }
  return hash.digest('hex').slice(0, 2 * rowHashBytes);
}

/** The lines of a lock file: what it is, what it is of, the hashes in base64, and their SHA-256. */
export function* writeLock({ hashes, ...about }: RowLock): Generator<string> {
  yield firstLine;
  yield JSON.stringify(about);
  for (let at = 0; at < hashes.length; at += lineBytes) {
    yield Buffer.from(hashes.subarray(at, at + lineBytes)).toString('base64');
  }
  yield `sha256 ${createHash('sha256').update(hashes).digest('hex')}`;
}

/**
 * Reads a lock file.
 *
 * @param name as errors call it
 * @throws EmbError "corrupt" for anything but a whole lock
 */
export async function readLock(
  name: string,
  lines: AsyncIterable<string> | Iterable<string>,
): Promise<RowLock> {
  let number = 0;
  let about: Omit<RowLock, 'hashes'> | undefined;
  const parts: Buffer[] = [];
  let bytes = 0;
  let sum: string | undefined;
  for await (const line of lines) {
    number++;
    if (number === 1) {
      if (line === firstLine) continue;
      throw broken(name, 1, line, JSON.stringify(firstLine));
    }
    if (about === undefined) {
      about = readAbout(name, line);
      continue;
    }
    if (sum !== undefined) throw broken(name, number, line, 'nothing after the sum');
    sum = /^sha256 ([0-9a-f]{64})$/.exec(line)?.[1];
    if (sum !== undefined) continue;
    if (!/^[A-Za-z0-9+/]{1,64}={0,2}$/.test(line) || line.length > 64) {
      throw broken(name, number, line, 'up to 64 characters of base64');
    }
    const part = Buffer.from(line, 'base64');
    bytes += part.length;
    if (bytes > about.rows * rowHashBytes) {
      throw new EmbError('corrupt', `${name}: has more than the ${about.rows} rows that it says`);
    }
    parts.push(part);
  }
  if (about === undefined) throw new EmbError('corrupt', `${name}: is no lock, expected ${firstLine}`);
  return whole(name, about, Buffer.concat(parts), sum);
}

function whole(
  name: string,
  about: Omit<RowLock, 'hashes'>,
  hashes: Uint8Array,
  sum: string | undefined,
): RowLock {
  const expected = about.rows * rowHashBytes;
  if (hashes.length !== expected || sum === undefined) {
    throw new EmbError(
      'corrupt',
      `${name}: ends after ${hashes.length} bytes of hashes, expected ${expected} and their sum`,
      'the file may be truncated',
    );
  }
  const found = createHash('sha256').update(hashes).digest('hex');
  if (found === sum) return { ...about, hashes };
  throw new EmbError(
    'corrupt',
    `${name}: "sha256" of its hashes is ${found.slice(0, 16)}..., expected ${sum.slice(0, 16)}...`,
  );
}

function readAbout(name: string, line: string): Omit<RowLock, 'hashes'> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw broken(name, 2, line, 'JSON');
  }
  const { tensor, layer, rows, dim, dtype, vocabulary } = (value ?? {}) as Record<string, unknown>;
  const isCount = (count: unknown, most: number): count is number =>
    Number.isSafeInteger(count) && (count as number) >= 0 && (count as number) <= most;
  const isHash = vocabulary === null || (typeof vocabulary === 'string' && /^[0-9a-f]{16}$/.test(vocabulary));
  if (
    typeof tensor === 'string' &&
    isLayer(layer) &&
    typeof dtype === 'string' &&
    isCount(rows, mostRows) &&
    isCount(dim, 2 ** 31) &&
    isHash
  ) {
    return { tensor, layer, rows, dim, dtype, vocabulary };
  }
  throw broken(name, 2, line, 'tensor, layer, rows, dim, dtype and vocabulary');
}

function isLayer(value: unknown): value is Layer | null {
  return value === null || layers.some((layer) => layer === value);
}

function broken(name: string, number: number, line: string, expected: string): EmbError {
  return new EmbError(
    'corrupt',
    `${name}: line ${number} is ${JSON.stringify(line.slice(0, 40))}, expected ${expected}`,
    'emb lock REF makes a lock',
  );
}

/** Rows that differ between a lock and a table, ascending; rows beyond the shorter one are none of them. */
export function changedRows(locked: Uint8Array, found: Uint8Array): number[] {
  const rows = Math.min(locked.length, found.length) / rowHashBytes;
  const changed: number[] = [];
  for (let row = 0; row < rows; row++) {
    const at = row * rowHashBytes;
    if (Buffer.compare(locked.subarray(at, at + rowHashBytes), found.subarray(at, at + rowHashBytes)) !== 0) {
      changed.push(row);
    }
  }
  return changed;
}
