import { halvesLines, type StoredRows } from '../kernels/candidate-rows.ts';
import { decodeHalves } from '../kernels/dots.ts';
import type { Metric } from '../kernels/nearness.ts';
import { type Components, removeComponents } from './components.ts';
import { reduced, scoreOf } from './nearness.ts';

/** What rows of a scan are compared with. */
interface ExactOptions {
  dim: number;
  /** How many lines rows are multiplied with, which decides how large parts are. */
  lines: number;
  metric: Metric;
  removed?: Components;
}

/**
 * Compares rows of the part that a scan is at in float64: with the bits that compareExactly has.
 *
 * Of many queries the parts are small: their rows are widened, and what is removed taken out of them, once for all queries.
 */
export class ExactRows {
  readonly #options: ExactOptions;
  /** Shape: [count, dim], as they came */
  readonly #given: Float32Array;
  /** Queries without what is removed, and their norms, once they are asked for. */
  readonly #queries: (Float64Array | undefined)[];
  readonly #norms: Float64Array;
  /** Rows without what is removed: all of the part, or one. Shape: [rows, dim] */
  #rows = new Float64Array(0);
  /** Their squares. Shape: [rows] */
  #squares = new Float64Array(1);
  /** Whether these are the rows of the part. */
  #isWide = false;

  constructor(given: Float32Array, options: ExactOptions) {
    this.#given = given;
    this.#options = options;
    this.#queries = new Array(given.length / options.dim);
    this.#norms = new Float64Array(given.length / options.dim);
  }

  /** Another part is scanned. */
  begin(): void {
    this.#isWide = false;
  }

  /** The score of a row of the part with a query: cosine, dot or distance; NaN for a row without one. */
  score(query: number, part: StoredRows, row: number): number {
    const { dim, lines, metric } = this.#options;
    const wanted = this.#queryOf(query);
    const isTogether = lines > halvesLines;
    if (isTogether) this.#widenAll(part);
    else this.#widen(part, row, 1);
    const place = isTogether ? row : 0;
    const rows = this.#rows;
    let [dot, distance] = [0, 0];
    let at = place * dim;
    if (metric === 'l2')
      for (let i = 0; i < dim; i++) {
        const gap = rows[at++] - wanted[i];
        distance += gap * gap;
      }
    else for (let i = 0; i < dim; i++) dot += rows[at++] * wanted[i];
    return scoreOf(metric, dot, Math.sqrt(this.#squares[place]), distance, this.#norms[query]);
  }

  #queryOf(query: number): Float64Array {
    let wanted = this.#queries[query];
    if (wanted === undefined) {
      const { dim, removed } = this.#options;
      wanted = reduced(this.#given.subarray(query * dim, (query + 1) * dim), removed);
      this.#queries[query] = wanted;
      this.#norms[query] = Math.sqrt(squareOf(wanted, 0, dim));
    }
    return wanted;
  }

  #widenAll(part: StoredRows): void {
    if (this.#isWide) return;
    this.#widen(part, 0, part.rows);
    this.#isWide = true;
  }

  #widen({ data, type }: StoredRows, row: number, rows: number): void {
    const { dim, removed } = this.#options;
    if (this.#rows.length < rows * dim) {
      this.#rows = new Float64Array(rows * dim);
      this.#squares = new Float64Array(rows);
    }
    const [first, end] = [row * dim, (row + rows) * dim];
    this.#rows.set(
      type === undefined ? data.subarray(first, end) : decodeHalves(data.subarray(first, end), type),
    );
    for (let place = 0; place < rows; place++) {
      if (removed !== undefined)
        removeComponents(this.#rows.subarray(place * dim, (place + 1) * dim), removed);
      this.#squares[place] = squareOf(this.#rows, place * dim, dim);
    }
  }
}

function squareOf(values: Float64Array, start: number, length: number): number {
  let square = 0;
  for (let i = start; i < start + length; i++) square += values[i] * values[i];
  return square;
}
