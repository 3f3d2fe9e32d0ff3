import type { EmbeddingTable, Tokenizer } from '../types.ts';

/** Values of one block of rows, on either side. */
const blockValues = 1 << 18;

/** Rows of two tables that are one and the same token, and those that only one table has. */
export interface RowPairs {
  /** Shape: [n] each, ascending in `after`. */
  before: Uint32Array;
  after: Uint32Array;
  removed: number[];
  added: number[];
}

/** The rows that differ, as columns. Shape: [n] each. */
export interface ChangedRows {
  before: Uint32Array;
  after: Uint32Array;
  /** NaN where a row has no direction or a value that is not finite. */
  cosine: Float64Array;
  /** |after - before| / |before|; NaN or Infinity where that is none. */
  relativeL2: Float64Array;
  normBefore: Float64Array;
  normAfter: Float64Array;
}

/** Pairs rows of equal number. */
export function pairByRow(rowsBefore: number, rowsAfter: number): RowPairs {
  const shared = Math.min(rowsBefore, rowsAfter);
  const ids = Uint32Array.from({ length: shared }, (_, id) => id);
  const rest = (rows: number) => Array.from({ length: rows - shared }, (_, i) => shared + i);
  return { before: ids, after: ids, removed: rest(rowsBefore), added: rest(rowsAfter) };
}

/**
 * Pairs rows of the same token: the same bytes, special or not. Of bytes that stand several times the first goes with the first, and so on.
 * Rows without a token go by their number.
 */
export function pairByToken(
  before: { rows: number; tokenizer: Tokenizer },
  after: { rows: number; tokenizer: Tokenizer },
): RowPairs {
  const ids = new Map<string, number>();
  eachKey(before, (key, id) => ids.set(key, id));
  const pairs: number[] = [];
  const places: number[] = [];
  const added: number[] = [];
  eachKey(after, (key, id) => {
    const found = ids.get(key);
    if (found === undefined) {
      added.push(id);
      return;
    }
    ids.delete(key);
    pairs.push(found);
    places.push(id);
  });
  const removed = [...ids.values()].sort((a, b) => a - b);
  return { before: Uint32Array.from(pairs), after: Uint32Array.from(places), removed, added };
}

function eachKey(
  { rows, tokenizer }: { rows: number; tokenizer: Tokenizer },
  take: (key: string, id: number) => void,
): void {
  const seen = new Map<string, number>();
  for (let id = 0; id < rows; id++) {
    const bytes = id < tokenizer.vocabSize ? tokenizer.bytesOf(id) : undefined;
    if (bytes === undefined) {
      take(`row ${id}`, id);
      continue;
    }
    const kind = tokenizer.isSpecial(id) ? 'special' : 'plain';
    const key = `${kind} ${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')}`;
    const times = seen.get(key) ?? 0;
    seen.set(key, times + 1);
    take(`${times} ${key}`, id);
  }
}

/**
 * Compares the rows of pairs, as float32, and keeps those that differ in a value; NaN is equal to NaN, 0 to -0.
 *
 * Sums are float64.
 * Cost: both tables' rows once, in blocks; 40 bytes for each row that differs.
 */
export async function compareRows(
  before: EmbeddingTable,
  after: EmbeddingTable,
  pairs: RowPairs,
  advance: (rows: number) => void,
): Promise<ChangedRows> {
  const { dim } = after;
  const step = Math.max(1, Math.floor(blockValues / dim));
  const [left, right] = [new Float32Array(step * dim), new Float32Array(step * dim)];
  const found: number[][] = [];
  for (let at = 0; at < pairs.after.length; at += step) {
    const from = pairs.before.subarray(at, at + step);
    const to = pairs.after.subarray(at, at + step);
    const a = (await before.gather(from, left)).data;
    const b = (await after.gather(to, right)).data;
    for (let row = 0; row < to.length; row++) {
      const one = compareRow(a, b, row * dim, dim);
      if (one !== undefined) found.push([from[row], to[row], ...one]);
    }
    advance(to.length);
  }
  const column = (index: number) => Float64Array.from(found, (one) => one[index]);
  return {
    before: Uint32Array.from(found, (one) => one[0]),
    after: Uint32Array.from(found, (one) => one[1]),
    cosine: column(2),
    relativeL2: column(3),
    normBefore: column(4),
    normAfter: column(5),
  };
}

/** Cosine, relative L2 and both norms of a row that differs. */
function compareRow(
  a: Float32Array,
  b: Float32Array,
  start: number,
  dim: number,
): [number, number, number, number] | undefined {
  let at = start;
  const end = start + dim;
  while (at < end && (a[at] === b[at] || (Number.isNaN(a[at]) && Number.isNaN(b[at])))) at++;
  if (at === end) return undefined;
  let [dot, squareA, squareB, distance] = [0, 0, 0, 0];
  for (let i = start; i < end; i++) {
    const [x, y] = [a[i], b[i]];
    dot += x * y;
    squareA += x * x;
    squareB += y * y;
    distance += (y - x) * (y - x);
  }
  const [normA, normB] = [Math.sqrt(squareA), Math.sqrt(squareB)];
  const cosine = Math.max(-1, Math.min(1, dot / normA / normB));
  return [cosine, Math.sqrt(distance) / normA, normA, normB];
}

/** The order of rows, most changed first: those without a relative distance lead. */
export function mostChanged({ relativeL2, after }: ChangedRows): Uint32Array {
  const order = Uint32Array.from(after, (_, i) => i);
  const weight = (i: number) => (Number.isNaN(relativeL2[i]) ? Number.POSITIVE_INFINITY : relativeL2[i]);
  return order.sort((i, j) => (weight(i) === weight(j) ? i - j : weight(j) - weight(i)));
}
