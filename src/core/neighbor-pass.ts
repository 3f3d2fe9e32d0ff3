import { claimFloats, releaseBytes } from '../kernels/arena.ts';
import { CandidateRows, halvesLines, type StoredRows } from '../kernels/candidate-rows.ts';
import { type DotKernel, decodeHalves } from '../kernels/dots.ts';
import { isMeasured, type Metric, nearness } from '../kernels/nearness.ts';
import type { HalfRows, RowBlock } from '../types.ts';
import type { Components } from './components.ts';
import { type Contended, Contenders } from './contenders.ts';
import { EqualRuns } from './equal-runs.ts';
import { Margins } from './margins.ts';
import { reduced } from './nearness.ts';
import type { Neighbor } from './ranking.ts';

/**
 * What is left of a row is computed again when its square is less than this of the one it may come from: float32 has lost it.
 *
 * The norm that it may come from is that of the row and that of the mean.
 */
const lostToRemoval = 2 ** -8;

/** Nor is the square of the row itself less than this of it. */
const leastShare = 2 ** -16;

/** Rows of all queries that are kept between two float64 passes over what float32 leaves open. */
const mostOpen = 1 << 18;

/** How many of one query at least. */
const leastOpen = 1024;

/** Where so many rows of a part are found, beside four for each that is asked for, equal ones among them are passed over. */
const manyFound = 64;

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

/**
 * One scan, or a part of it, with some queries: which rows may be among the k nearest.
 *
 * Sums are float32, and how far they may be off is known: rows are kept while they may win, so that the float64 pass after it decides, not
 * rounding.
 */
export class NeighborPass {
  readonly #dim: number;
  readonly #options: PassOptions;
  readonly #count: number;
  readonly #open: Contenders[];
  /** How many rows of a query may be kept. */
  readonly #mostOpen: number;
  /** Queries as they are multiplied; then the center and the directions as queries more. Shape: [lines, dim] */
  readonly #queries: Float32Array;
  /** How many: what every row is multiplied with. */
  readonly #lines: number;
  readonly #candidates: CandidateRows;
  /** What the kernel's sums must exceed. Shape: [count] */
  readonly #bounds: Float64Array;
  /** Norms of the queries as they are compared; NaN for one that no row is near to. Shape: [count] */
  readonly #norms: Float64Array;
  readonly #margins: Margins;
  /** Squares of the norms that what is left of rows may come from; only where something is removed. Shape: [rows of a part] */
  readonly #origins: Float64Array;
  readonly #equalRuns: EqualRuns;
  /** Those of the part that is compared, once they are asked for. */
  #partRuns: Uint32Array | undefined;
  /** The run that was met last, and how many of its rows were. Shape: [count] */
  readonly #lastRuns: [run: number, rows: number][];
  readonly #centerSquare: number;
  /** Products of the center with every line. Shape: [lines] */
  readonly #shifts: Float64Array;

  /** @param given queries as they came. Shape: [count, dim] */
  constructor(dim: number, given: Float32Array, options: PassOptions, kernel: DotKernel) {
    this.#dim = dim;
    this.#options = options;
    this.#count = given.length / dim;
    this.#equalRuns = new EqualRuns(dim);
    this.#lastRuns = Array.from({ length: this.#count }, () => [-1, 0]);
    this.#open = Array.from({ length: this.#count }, () => new Contenders(options.k));
    this.#mostOpen = Math.max(leastOpen, 4 * options.k, Math.floor(mostOpen / this.#count));
    const { removed } = options;
    this.#lines = this.#count + (removed === undefined ? 0 : 1 + removed.count);
    this.#queries = claimFloats(this.#lines * dim);
    this.#bounds = new Float64Array(this.#count);
    this.#norms = new Float64Array(this.#count);
    for (let query = 0; query < this.#count; query++)
      this.#prepare(query, given.subarray(query * dim, (query + 1) * dim));
    const origins = removed && { directions: removed.count, least: lostToRemoval };
    this.#margins = new Margins(dim, options.metric, this.#norms, origins);
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
      ...this.#margins.ofKernel(),
    });
    this.#origins = new Float64Array(removed === undefined ? 0 : this.#candidates.mostRows);
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
    const isCosine = this.#options.metric === 'cosine';
    const norm = Math.sqrt(square);
    // Of length 0 and not finite: such a query has no cosine, or none that is finite.
    this.#norms[query] = norm < Number.POSITIVE_INFINITY && (norm > 0 || !isCosine) ? norm : Number.NaN;
    const divisor = isCosine ? norm : 1;
    for (let i = 0; i < this.#dim; i++)
      this.#queries[query * this.#dim + i] = divisor > 0 ? vector[i] / divisor : 0;
  }

  /** Products with the mean, of which the kernel has none: in float64. */
  #productsWithCenter(): Float64Array {
    const shifts = new Float64Array(this.#lines);
    const mean = this.#options.removed?.mean;
    if (mean === undefined) return shifts;
    for (let line = 0; line < this.#lines; line++)
      for (let i = 0; i < this.#dim; i++) shifts[line] += this.#queries[line * this.#dim + i] * mean[i];
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
      for (let query = 0; query < this.#count; query++)
        this.#bounds[query] = this.#margins.boundOf(query, this.#open[query].bound);
      const review = this.#options.removed && (() => this.#removeFromSquares(rows));
      this.#candidates.find(part, this.#bounds, review);
      this.#partRuns = undefined;
      for (let query = 0; query < this.#count; query++) this.#offer(query, part, block.start + row);
    }
  }

  /** Turns the squares of rows into those of what is left of the rows. */
  #removeFromSquares(rows: number): void {
    const { dots, squares, mostRows } = this.#candidates;
    const center = this.#count * mostRows;
    const centerNorm = Math.sqrt(this.#centerSquare);
    for (let row = 0; row < rows; row++) {
      const square = squares[row];
      const origin = (Math.sqrt(square) + centerNorm) ** 2;
      let left = square - 2 * dots[center + row] + this.#centerSquare;
      for (let line = this.#count + 1; line < this.#lines; line++)
        left -= (dots[line * mostRows + row] - this.#shifts[line]) ** 2;
      this.#origins[row] = origin;
      // Of a row much shorter than the mean, products rounded to integers say too little.
      const isKept = left > lostToRemoval * origin && square > leastShare * origin;
      squares[row] = isKept ? left : 0;
    }
  }

  /** Offers the rows that were found for a query; all, where float32 does not hold sums of its products. */
  #offer(query: number, part: StoredRows, start: number): void {
    const { counts, found, dots, squares, mostRows } = this.#candidates;
    if (Number.isNaN(this.#norms[query])) return;
    const { metric, among, exclude, removed } = this.#options;
    const open = this.#open[query];
    const excluded = exclude?.[query];
    const isSummed = this.#margins.isSummed(query);
    const first = query * mostRows;
    const count = isSummed ? counts[query] : part.rows;
    const isFull = open.bound > Number.NEGATIVE_INFINITY && count > manyFound + 4 * this.#options.k;
    if (isFull) this.#partRuns ??= this.#equalRuns.of(part, start);
    const runs = isFull ? this.#partRuns : undefined;
    let [run, ofRun] = this.#lastRuns[query];
    for (let at = 0; at < count; at++) {
      const row = isSummed ? found[first + at] : at;
      if (runs !== undefined) {
        if (runs[row] !== run) [run, ofRun] = [runs[row], 0];
        // So many equal rows before it win over it.
        if (ofRun >= this.#options.k) continue;
      }
      const square = squares[row];
      let score: number;
      let margin: number;
      if (isSummed && isMeasured(square)) {
        score = nearness(metric, dots[first + row], square);
        const origin = removed === undefined ? square : this.#origins[row];
        margin = this.#margins.of(query, score, square, origin);
      } else [score, margin] = this.#nearnessOf(query, this.#rowOf(part, row));
      // A NaN enters nowhere.
      if (!(score + margin > open.bound) || !Number.isFinite(score)) continue;
      const id = start + row;
      if (among !== undefined && among[id] === 0) continue;
      if (excluded?.has(id)) continue;
      open.meet(id, score - margin, score + margin);
      ofRun++;
    }
    // Rows that were met without looking at runs are of none that is known.
    if (runs !== undefined) this.#lastRuns[query] = [run, ofRun];
  }

  #rowOf({ data, type }: StoredRows, row: number): Float32Array {
    const [first, end] = [row * this.#dim, (row + 1) * this.#dim];
    return type === undefined ? data.subarray(first, end) : decodeHalves(data.subarray(first, end), type);
  }

  /** In float64, for rows and queries of which float32 does not hold the sums; and how far it may be off. */
  #nearnessOf(query: number, row: Float32Array): [score: number, margin: number] {
    const { metric, removed } = this.#options;
    const values = reduced(row, removed);
    const first = query * values.length;
    let dot = 0;
    let square = 0;
    for (let i = 0; i < values.length; i++) {
      dot += values[i] * this.#queries[first + i];
      square += values[i] * values[i];
    }
    return [nearness(metric, dot, square), this.#margins.ofDoubles(query, square)];
  }

  /** Queries of which so many rows are kept that they should be settled. */
  get crowded(): number[] {
    const queries: number[] = [];
    for (const [query, open] of this.#open.entries()) if (open.length > this.#mostOpen) queries.push(query);
    return queries;
  }

  /** Lets only the k best of the rows of a query that are kept go on. */
  async settle(query: number, rank: (rows: Uint32Array) => Promise<Neighbor[]>): Promise<void> {
    const rows = this.#open[query].rows();
    if (rows.length <= this.#mostOpen) return;
    const best = (await rank(rows)).sort((a, b) => a.row - b.row);
    const square = this.#norms[query] ** 2;
    const scores = best.map(({ score }) => (this.#options.metric === 'l2' ? square - score ** 2 : score));
    const margins = best.map(({ norm }) => this.#margins.ofDoubles(query, norm ** 2));
    this.#open[query].settle({
      rows: Uint32Array.from(best, ({ row }) => row),
      least: Float64Array.from(scores, (score, i) => score - margins[i]),
      most: Float64Array.from(scores, (score, i) => score + margins[i]),
    });
  }

  /** The rows that may be the nearest, for every query. */
  found(): Contended[] {
    return this.#open.map((open) => open.open());
  }
}
