import { claimDoubles, claimFloats, releaseBytes } from '../kernels/arena.ts';
import { loadDifferenceKernel, sumsOfPair } from '../kernels/differences.ts';
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
 * Pairs rows of the same token: the same bytes, special on both sides or on neither. Of bytes that stand several times the first goes with the first, and so on.
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

/** What all pairs lose together: of rows whose values are finite on both sides. */
export interface DiffTotals {
  rows: number;
  /** Sum of squares of the rows before. */
  signal: number;
  /** Sum of squares of the differences. */
  noise: number;
}

export interface CompareOptions {
  kernel?: 'ts' | 'simd';
  /** Added up over all pairs. */
  totals?: DiffTotals;
  /** Told how many pairs were compared. */
  advance?(rows: number): void;
}

/**
 * Compares the rows of pairs, as float32, and keeps those that differ in a value; NaN is equal to NaN, 0 to -0.
 *
 * Sums are float64, the same in both kernels.
 * Cost: both tables' rows once, in blocks; 40 bytes for each row that differs.
 */
export async function compareRows(
  before: EmbeddingTable,
  after: EmbeddingTable,
  pairs: RowPairs,
  { kernel: name = 'simd', totals, advance }: CompareOptions = {},
): Promise<ChangedRows> {
  const { dim } = after;
  const kernel = await loadDifferenceKernel(name);
  const step = Math.max(1, Math.floor(blockValues / dim));
  const [left, right] = [claimFloats(step * dim), claimFloats(step * dim)];
  const sums = claimDoubles(step * sumsOfPair);
  const found = new ChangedColumns();
  try {
    for (let at = 0; at < pairs.after.length; at += step) {
      const from = pairs.before.subarray(at, at + step);
      const to = pairs.after.subarray(at, at + step);
      const a = (await before.gather(from, left)).data;
      const b = (await after.gather(to, right)).data;
      kernel.sumRows(a, b, to.length, dim, sums);
      for (let row = 0; row < to.length; row++) {
        const place = row * sumsOfPair;
        const difference = sums[place + 2];
        if (totals !== undefined && Number.isFinite(sums[place] + difference)) {
          totals.rows++;
          totals.signal += sums[place];
          totals.noise += difference;
        }
        if (difference === 0) continue;
        // Values that are not finite have no difference that tells.
        if (!(difference > 0) && !isDifferent(a, b, row * dim, dim)) continue;
        const product = isOneSided(sums, place) ? productOf(a, b, row * dim, dim) : undefined;
        found.add(from[row], to[row], sums, place, product);
      }
      advance?.(to.length);
    }
  } finally {
    for (const part of [left, right, sums]) releaseBytes(part);
  }
  return found.columns();
}

/** The columns of rows that differ, as they are found. */
class ChangedColumns {
  #length = 0;
  #ids = [new Uint32Array(1024), new Uint32Array(1024)];
  #numbers = Array.from({ length: 4 }, () => new Float64Array(1024));

  /** Takes the sums of squares that lie at `place`: of a, of b, and of the difference; and the product of a and b where these don't tell it. */
  add(before: number, after: number, sums: Float64Array, place: number, product?: number): void {
    const at = this.#length++;
    if (at === this.#ids[0].length) this.#grow();
    const [a, b, difference] = [sums[place], sums[place + 1], sums[place + 2]];
    const [normA, normB] = [Math.sqrt(a), Math.sqrt(b)];
    // (|a|² + |b|² - |b - a|²) / 2 is the product: one sum less, and off by the rounding of the squares only.
    const cosine = (product ?? (a + b - difference) / 2) / normA / normB;
    this.#ids[0][at] = before;
    this.#ids[1][at] = after;
    this.#numbers[0][at] = Math.max(-1, Math.min(1, cosine));
    this.#numbers[1][at] = Math.sqrt(difference) / normA;
    this.#numbers[2][at] = normA;
    this.#numbers[3][at] = normB;
  }

  #grow(): void {
    const length = this.#ids[0].length * 2;
    this.#ids = this.#ids.map((ids) => {
      const larger = new Uint32Array(length);
      larger.set(ids);
      return larger;
    });
    this.#numbers = this.#numbers.map((numbers) => {
      const larger = new Float64Array(length);
      larger.set(numbers);
      return larger;
    });
  }

  columns(): ChangedRows {
    const [before, after] = this.#ids.map((ids) => ids.subarray(0, this.#length));
    const [cosine, relativeL2, normBefore, normAfter] = this.#numbers.map((numbers) =>
      numbers.subarray(0, this.#length),
    );
    return { before, after, cosine, relativeL2, normBefore, normAfter };
  }
}

/** Whether one square is so much larger than the other that the rounding of it is much of the product: from norms of 1 to 256 on. */
function isOneSided(sums: Float64Array, place: number): boolean {
  const [a, b] = [sums[place], sums[place + 1]];
  return Math.max(a, b) > 2 ** 16 * Math.min(a, b);
}

function productOf(a: Float32Array, b: Float32Array, start: number, dim: number): number {
  let sum = 0;
  for (let at = start; at < start + dim; at++) sum += a[at] * b[at];
  return sum;
}

function isDifferent(a: Float32Array, b: Float32Array, start: number, dim: number): boolean {
  let at = start;
  const end = start + dim;
  while (at < end && (a[at] === b[at] || (Number.isNaN(a[at]) && Number.isNaN(b[at])))) at++;
  return at < end;
}

/** The `most` rows that changed most, in order: those without a relative distance lead. */
export function mostChanged(
  { relativeL2, after }: ChangedRows,
  most = Number.POSITIVE_INFINITY,
): Uint32Array {
  const weights = relativeL2.map((value) => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value));
  // Numbers alone are sorted much faster than rows by their numbers: few rows reach the last weight that is wanted.
  const least = most < weights.length ? weights.toSorted()[weights.length - Math.max(1, most)] : 0;
  const order = Uint32Array.from(after, (_, i) => i).filter((i) => weights[i] >= least);
  order.sort((i, j) => (weights[i] === weights[j] ? i - j : weights[j] - weights[i]));
  return order.subarray(0, Math.min(most, order.length));
}
