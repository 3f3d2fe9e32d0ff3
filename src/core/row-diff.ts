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

/**
 * Compares the rows of pairs, as float32, and keeps those that differ in a value; NaN is equal to NaN, 0 to -0.
 *
 * Sums are float64.
 * Cost: both tables' rows once, in blocks; 40 bytes for each row that differs. With totals every row is measured.
 */
export async function compareRows(
  before: EmbeddingTable,
  after: EmbeddingTable,
  pairs: RowPairs,
  advance: (rows: number) => void,
  totals?: DiffTotals,
): Promise<ChangedRows> {
  const { dim } = after;
  const step = Math.max(1, Math.floor(blockValues / dim));
  const [left, right] = [new Float32Array(step * dim), new Float32Array(step * dim)];
  const found = new ChangedColumns();
  const sums: RowSums = { a: 0, b: 0, difference: 0 };
  for (let at = 0; at < pairs.after.length; at += step) {
    const from = pairs.before.subarray(at, at + step);
    const to = pairs.after.subarray(at, at + step);
    const a = (await before.gather(from, left)).data;
    const b = (await after.gather(to, right)).data;
    for (let row = 0; row < to.length; row++) {
      const differs = isDifferent(a, b, row * dim, dim);
      if (differs || totals !== undefined) sumRow(a, b, row * dim, dim, sums);
      if (totals !== undefined && Number.isFinite(sums.a + sums.difference)) {
        totals.rows++;
        totals.signal += sums.a;
        totals.noise += sums.difference;
      }
      if (differs) found.add(from[row], to[row], sums);
    }
    advance(to.length);
  }
  return found.columns();
}

/** Sums of squares of a row on either side and of the difference. */
interface RowSums {
  a: number;
  b: number;
  difference: number;
}

/** The columns of rows that differ, as they are found. */
class ChangedColumns {
  #length = 0;
  #ids = [new Uint32Array(1024), new Uint32Array(1024)];
  #numbers = Array.from({ length: 4 }, () => new Float64Array(1024));

  add(before: number, after: number, { a, b, difference }: RowSums): void {
    const at = this.#length++;
    if (at === this.#ids[0].length) this.#grow();
    const [normA, normB] = [Math.sqrt(a), Math.sqrt(b)];
    // (|a|² + |b|² - |b - a|²) / 2 is the product: one sum less, and off by the rounding of the squares only.
    const cosine = (a + b - difference) / 2 / normA / normB;
    const row = [Math.max(-1, Math.min(1, cosine)), Math.sqrt(difference) / normA, normA, normB];
    [this.#ids[0][at], this.#ids[1][at]] = [before, after];
    for (let i = 0; i < row.length; i++) this.#numbers[i][at] = row[i];
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

function isDifferent(a: Float32Array, b: Float32Array, start: number, dim: number): boolean {
  let at = start;
  const end = start + dim;
  while (at < end && (a[at] === b[at] || (Number.isNaN(a[at]) && Number.isNaN(b[at])))) at++;
  return at < end;
}

/** Two sums of each in turn: one would wait for its own additions. */
function sumRow(a: Float32Array, b: Float32Array, start: number, dim: number, into: RowSums): void {
  let [a0, a1, b0, b1, d0, d1] = [0, 0, 0, 0, 0, 0];
  const end = start + dim;
  let i = start;
  for (; i + 1 < end; i += 2) {
    const [x0, y0, x1, y1] = [a[i], b[i], a[i + 1], b[i + 1]];
    a0 += x0 * x0;
    b0 += y0 * y0;
    d0 += (y0 - x0) * (y0 - x0);
    a1 += x1 * x1;
    b1 += y1 * y1;
    d1 += (y1 - x1) * (y1 - x1);
  }
  if (i < end) {
    a0 += a[i] * a[i];
    b0 += b[i] * b[i];
    d0 += (b[i] - a[i]) * (b[i] - a[i]);
  }
  into.a = a0 + a1;
  into.b = b0 + b1;
  into.difference = d0 + d1;
}

/** The order of rows, most changed first: those without a relative distance lead. */
export function mostChanged({ relativeL2, after }: ChangedRows): Uint32Array {
  const order = Uint32Array.from(after, (_, i) => i);
  const weight = (i: number) => (Number.isNaN(relativeL2[i]) ? Number.POSITIVE_INFINITY : relativeL2[i]);
  return order.sort((i, j) => (weight(i) === weight(j) ? i - j : weight(j) - weight(i)));
}
