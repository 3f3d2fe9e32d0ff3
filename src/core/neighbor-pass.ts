import { claimFloats, releaseBytes } from '../kernels/arena.ts';
import { CandidateRows, halvesLines, type StoredRows } from '../kernels/candidate-rows.ts';
import { type DotKernel, decodeHalves } from '../kernels/dots.ts';
import { isMeasured, type Metric, nearness } from '../kernels/nearness.ts';
import type { HalfRows, RowBlock } from '../types.ts';
import type { Components } from './components.ts';
import { reduced } from './nearness.ts';
import { TopRows } from './top-rows.ts';

/** Candidates beyond k that the float32 pass keeps, so that the float64 pass decides what enters. */
const spareCandidates = 32;

/** What is left of a row is computed again when its square is less than this of the squares it comes from: float32 has lost it. */
const lostToRemoval = 2 ** -16;

/** What a pass needs to know. All of it can be sent to another thread. */
export interface PassOptions {
  k: number;
  metric: Metric;
  /** Rows that may not be answers, by query of the pass. */
  exclude?: readonly ReadonlySet<number>[];
  /** 1 for rows that may be answers; all when absent. Shape: [rows] */
  among?: Uint8Array;
  /** Taken out of rows and queries before they are compared. */
  removed?: Components;
}

/** Rows with the score that the float32 pass gave them. */
export interface Candidates {
  rows: Uint32Array;
  scores: Float64Array;
}

/** One scan, or a part of it, with some queries: which rows may be among the k nearest. */
export class NeighborPass {
  readonly #dim: number;
  readonly #options: PassOptions;
  readonly #count: number;
  readonly #top: TopRows[];
  /** Queries as they are multiplied; then the center and the directions as queries more. Shape: [lines, dim] */
  readonly #queries: Float32Array;
  /** How many: what every row is multiplied with. */
  readonly #lines: number;
  readonly #candidates: CandidateRows;
  /** The worst score that each query's heap holds. Shape: [count] */
  readonly #bounds: Float64Array;
  readonly #centerSquare: number;
  /** Products of the center with every line. Shape: [lines] */
  readonly #shifts: Float64Array;

  /** @param given queries as they came. Shape: [count, dim] */
  constructor(dim: number, given: Float32Array, options: PassOptions, kernel: DotKernel) {
    this.#dim = dim;
    this.#options = options;
    this.#count = given.length / dim;
    this.#top = Array.from({ length: this.#count }, () => new TopRows(options.k + spareCandidates));
    const { removed } = options;
    this.#lines = this.#count + (removed === undefined ? 0 : 1 + removed.count);
    this.#queries = claimFloats(this.#lines * dim);
    this.#bounds = new Float64Array(this.#count);
    for (let query = 0; query < this.#count; query++)
      this.#prepare(query, given.subarray(query * dim, (query + 1) * dim));
    if (removed !== undefined) {
      this.#queries.set(removed.mean, this.#count * dim);
      this.#queries.set(removed.directions, (this.#count + 1) * dim);
    }
    this.#centerSquare = removed?.mean.reduce((sum, value) => sum + value * value, 0) ?? 0;
    this.#shifts = this.#productsWithCenter();
    this.#candidates = new CandidateRows(kernel, {
      dim,
      queries: this.#queries,
      count: this.#count,
      lines: this.#lines,
      metric: options.metric,
      shifts: this.#shifts,
    });
  }

  /** Whether it rather takes 16-bit rows as they are stored. */
  get prefersHalves(): boolean {
    return this.#lines <= halvesLines;
  }

  release(): void {
    releaseBytes(this.#queries);
    this.#candidates.release();
  }

  /** The query as it is multiplied: without what is removed, and of length 1 for the cosine. */
  #prepare(query: number, given: Float32Array): void {
    const vector = reduced(given, this.#options.removed);
    let square = 0;
    for (const value of vector) square += value * value;
    const norm = this.#options.metric === 'cosine' ? Math.sqrt(square) : 1;
    for (let i = 0; i < this.#dim; i++)
      this.#queries[query * this.#dim + i] = norm > 0 ? vector[i] / norm : 0;
  }

  #productsWithCenter(): Float64Array {
    const shifts = new Float64Array(this.#lines);
    if (this.#options.removed === undefined) return shifts;
    const center = this.#count * this.#dim;
    for (let line = 0; line < this.#lines; line++)
      for (let i = 0; i < this.#dim; i++)
        shifts[line] += this.#queries[line * this.#dim + i] * this.#queries[center + i];
    return shifts;
  }

  compare(block: RowBlock | HalfRows): void {
    const dim = this.#dim;
    const most = this.#candidates.mostRows;
    for (let row = 0; row < block.rows; row += most) {
      const rows = Math.min(most, block.rows - row);
      const [first, end] = [row * dim, (row + rows) * dim];
      const part: StoredRows =
        'halves' in block
          ? { data: block.halves.subarray(first, end), type: block.type, rows }
          : { data: block.data.subarray(first, end), rows };
      for (let query = 0; query < this.#count; query++) this.#bounds[query] = this.#top[query].bound;
      const review = this.#options.removed && (() => this.#removeFromSquares(rows));
      this.#candidates.find(part, this.#bounds, review);
      for (let query = 0; query < this.#count; query++) this.#offer(query, part, block.start + row);
    }
  }

  /** Turns the squares of rows into those of what is left of the rows. */
  #removeFromSquares(rows: number): void {
    const { dots, squares, mostRows } = this.#candidates;
    const center = this.#count * mostRows;
    for (let row = 0; row < rows; row++) {
      const whole = squares[row] - 2 * dots[center + row] + this.#centerSquare;
      let left = whole;
      for (let line = this.#count + 1; line < this.#lines; line++)
        left -= (dots[line * mostRows + row] - this.#shifts[line]) ** 2;
      squares[row] = left > lostToRemoval * Math.max(whole, this.#centerSquare) ? left : 0;
    }
  }

  /** Offers the rows that were found for a query. */
  #offer(query: number, part: StoredRows, start: number): void {
    const { counts, found, dots, squares, mostRows } = this.#candidates;
    const count = counts[query];
    if (count === 0) return;
    const { metric, among, exclude } = this.#options;
    const top = this.#top[query];
    const excluded = exclude?.[query];
    const first = query * mostRows;
    for (const row of found.subarray(first, first + count)) {
      const square = squares[row];
      // Larger is nearer. A NaN enters nowhere.
      const score = isMeasured(square)
        ? nearness(metric, dots[first + row], square)
        : this.#nearnessOf(query, this.#rowOf(part, row));
      if (!(score > top.bound)) continue;
      const id = start + row;
      if (among !== undefined && among[id] === 0) continue;
      if (excluded?.has(id)) continue;
      top.offer(id, score);
    }
  }

  #rowOf({ data, type }: StoredRows, row: number): Float32Array {
    const [first, end] = [row * this.#dim, (row + 1) * this.#dim];
    return type === undefined ? data.subarray(first, end) : decodeHalves(data.subarray(first, end), type);
  }

  /** In float64, for rows whose square float32 cannot hold. */
  #nearnessOf(query: number, row: Float32Array): number {
    const values = reduced(row, this.#options.removed);
    const first = query * values.length;
    let dot = 0;
    let square = 0;
    for (let i = 0; i < values.length; i++) {
      dot += values[i] * this.#queries[first + i];
      square += values[i] * values[i];
    }
    return nearness(this.#options.metric, dot, square);
  }

  /** What was found for every query, best first. */
  found(): Candidates[] {
    return this.#top.map((top) => top.best());
  }
}

/** The best of what parts of one scan found. Ties: lower row first, whichever part found it. */
export function mergeCandidates(parts: readonly Candidates[], k: number): number[] {
  const all = parts.flatMap(({ rows, scores }) => Array.from(rows, (row, i) => ({ row, score: scores[i] })));
  all.sort((a, b) => b.score - a.score || a.row - b.row);
  return all.slice(0, k + spareCandidates).map(({ row }) => row);
}
