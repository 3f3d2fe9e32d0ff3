import { claimFloats, releaseBytes } from '../kernels/arena.ts';
import { CandidateRows, halvesLines, type StoredRows } from '../kernels/candidate-rows.ts';
import type { DotKernel } from '../kernels/dots.ts';
import { isMeasured, type Metric, nearness } from '../kernels/nearness.ts';
import type { HalfRows, RowBlock } from '../types.ts';
import type { Components } from './components.ts';
import { type Contended, Contenders } from './contenders.ts';
import { EqualRuns } from './equal-runs.ts';
import { ExactRows } from './exact-rows.ts';
import { Margins } from './margins.ts';
import { reduced } from './nearness.ts';
import type { Neighbor } from './ranking.ts';

/**
 * What is left of a row is computed again when its square is less than this of the one it may come from: float32 has lost it.
 *
 * The norm that it may come from is that of the row and that of the mean.
 */
const lostToRemoval = 2 ** -8;

/** A query of which less is left, as part of the norms that it comes from, is compared in float64 alone. */
const leastLeft = 2 ** -20;

/** Nor is the square of the row itself less than this of it. */
const leastShare = 2 ** -16;

/** Rows of all queries that are kept between two float64 passes over what float32 leaves open. */
const mostOpen = 1 << 18;

/** How many of one query at least. */
const leastOpen = 1024;

/**
 * Where more rows of a part are found, beside four for each that is asked for, float64 compares them at once, and of equal ones only as many
 * as may be answers.
 */
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
  readonly #exact: ExactRows;
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
    this.#exact = new ExactRows(given, { dim, lines: this.#lines, metric: options.metric, removed });
    this.#queries = claimFloats(this.#lines * dim);
    this.#bounds = new Float64Array(this.#count);
    this.#norms = new Float64Array(this.#count);
    const origins = removed && { directions: removed.count, least: lostToRemoval };
    this.#margins = new Margins(dim, options.metric, this.#norms, origins);
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
    const norm = normOf(vector);
    const isCosine = this.#options.metric === 'cosine';
    const { removed } = this.#options;
    if (removed !== undefined) {
      const origin = normOf(given) + normOf(removed.mean);
      // What is left is rounding as well, and no longer at right angles to the directions.
      if (norm < leastLeft * origin) this.#margins.compareExactly(query);
    }
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

  /**
   * Compares the rows of a block, which come in ascending order.
   *
   * @param rank is asked for the best rows of a query of which very many are kept
   */
  async compare(
    block: RowBlock | HalfRows,
    rank?: (query: number, rows: Uint32Array) => Promise<Neighbor[]>,
  ): Promise<void> {
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
      this.#exact.begin();
      this.#partRuns = undefined;
      for (let query = 0; query < this.#count; query++) {
        this.#offer(query, part, block.start + row);
        if (rank !== undefined && this.#open[query].length > this.#mostOpen) await this.#settle(query, rank);
      }
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
      const id = start + row;
      if ((among !== undefined && among[id] === 0) || excluded?.has(id)) continue;
      const square = squares[row];
      if (isSummed && isMeasured(square)) {
        const score = nearness(metric, dots[first + row], square);
        const origin = removed === undefined ? square : this.#origins[row];
        const margin = this.#margins.of(query, score, square, origin);
        // A NaN enters nowhere.
        if (!(score + margin > open.bound)) continue;
        if (!isFull) {
          open.meet(id, score - margin, score + margin);
          continue;
        }
      }
      // What float32 does not hold; and where it tells few rows apart, all that it leaves open.
      const exact = this.#exact.score(query, part, row);
      const score = this.#nearnessOf(query, exact);
      const margin = this.#marginOf(query, exact);
      if (!(score + margin > open.bound) || !Number.isFinite(score)) {
        // Nor do the others of its run.
        ofRun = this.#options.k;
        continue;
      }
      open.meet(id, score - margin, score + margin);
      ofRun++;
    }
    // Rows that were met without looking at runs are of none that is known.
    if (runs !== undefined) this.#lastRuns[query] = [run, ofRun];
  }

  /** A score of float64 as nearness. */
  #nearnessOf(query: number, score: number): number {
    return this.#options.metric === 'l2' ? this.#norms[query] ** 2 - score ** 2 : score;
  }

  /** How far that may be off the order of scores: only where they are distances. */
  #marginOf(query: number, score: number): number {
    return this.#options.metric === 'l2' ? this.#margins.ofDistance(query, score) : 0;
  }

  /** Lets only the k best of the rows of a query that are kept go on. */
  async #settle(
    query: number,
    rank: (query: number, rows: Uint32Array) => Promise<Neighbor[]>,
  ): Promise<void> {
    const open = this.#open[query];
    const rows = open.rows();
    if (rows.length <= this.#mostOpen) return;
    const best = (await rank(query, rows)).sort((a, b) => a.row - b.row);
    const bounds = (side: number) =>
      Float64Array.from(
        best,
        ({ score }) => this.#nearnessOf(query, score) + side * this.#marginOf(query, score),
      );
    open.settle({ rows: Uint32Array.from(best, ({ row }) => row), least: bounds(-1), most: bounds(1) });
  }

  /** The rows that may be the nearest, for every query. */
  found(): Contended[] {
    return this.#open.map((open) => open.open());
  }
}

function normOf(values: Float32Array | Float64Array): number {
  let square = 0;
  for (const value of values) square += value * value;
  return Math.sqrt(square);
}
