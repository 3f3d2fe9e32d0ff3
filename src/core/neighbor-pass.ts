import { claimBytes, releaseBytes } from '../kernels/arena.ts';
import { type DotKernel, decodeHalves } from '../kernels/dots.ts';
import { isMeasured, type Metric, nearness } from '../kernels/nearness.ts';
import type { HalfRows, RowBlock } from '../types.ts';
import type { Components } from './components.ts';
import { reduced } from './nearness.ts';
import { TopRows } from './top-rows.ts';

/** Candidates beyond k that the float32 pass keeps, so that the float64 pass decides what enters. */
const spareCandidates = 32;

/** Rows of a block that one call of the kernel takes: its sums stay small. */
const kernelRows = 4096;

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
  /** Queries that the kernel multiplies every row with. */
  readonly lines: number;
  readonly #dots: Float32Array;
  readonly #rowSquares: Float32Array;
  /** Numbers of the rows that a query's heap may take. */
  readonly #found: Uint32Array;
  readonly #centerSquare: number;
  /** Products of the center with every line. Shape: [lines] */
  readonly #shifts: Float64Array;

  /** @param given queries as they came. Shape: [count, dim] */
  constructor(dim: number, given: Float32Array, options: PassOptions) {
    this.#dim = dim;
    this.#options = options;
    this.#count = given.length / dim;
    this.#top = Array.from({ length: this.#count }, () => new TopRows(options.k + spareCandidates));
    const { removed } = options;
    this.lines = linesOf(this.#count, removed);
    this.#queries = claimFloats(this.lines * dim);
    this.#dots = claimFloats((this.lines + 1) * kernelRows);
    this.#rowSquares = claimFloats(kernelRows);
    const found = claimBytes(kernelRows * 4);
    this.#found = new Uint32Array(found.buffer, found.byteOffset, kernelRows);
    for (let query = 0; query < this.#count; query++)
      this.#prepare(query, given.subarray(query * dim, (query + 1) * dim));
    if (removed !== undefined) {
      this.#queries.set(removed.mean, this.#count * dim);
      this.#queries.set(removed.directions, (this.#count + 1) * dim);
    }
    this.#centerSquare = removed?.mean.reduce((sum, value) => sum + value * value, 0) ?? 0;
    this.#shifts = this.#productsWithCenter();
  }

  release(): void {
    for (const part of [this.#queries, this.#dots, this.#rowSquares, this.#found])
      releaseBytes(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
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
    const shifts = new Float64Array(this.lines);
    if (this.#options.removed === undefined) return shifts;
    const center = this.#count * this.#dim;
    for (let line = 0; line < this.lines; line++)
      for (let i = 0; i < this.#dim; i++)
        shifts[line] += this.#queries[line * this.#dim + i] * this.#queries[center + i];
    return shifts;
  }

  compare(block: RowBlock | HalfRows, kernel: DotKernel): void {
    const dim = this.#dim;
    for (let row = 0; row < block.rows; row += kernelRows) {
      const rows = Math.min(kernelRows, block.rows - row);
      const [first, end] = [row * dim, (row + rows) * dim];
      const sums = {
        rows,
        dim,
        queries: this.#queries,
        count: this.lines,
        dots: this.#dots,
        stride: kernelRows,
        squares: this.#rowSquares,
      };
      const part = 'halves' in block ? block.halves.subarray(first, end) : block.data.subarray(first, end);
      if (part instanceof Float32Array) kernel.dotRows({ ...sums, data: part });
      else kernel.dotHalves({ ...sums, data: part, type: (block as HalfRows).type });
      if (this.#options.removed !== undefined) this.#removeFromSums(rows);
      const rowAt = (index: number) => {
        const values = part.subarray(index * dim, (index + 1) * dim);
        return values instanceof Float32Array ? values : decodeHalves(values, (block as HalfRows).type);
      };
      for (let query = 0; query < this.#count; query++) {
        const dots = this.#dots.subarray(query * kernelRows, query * kernelRows + rows);
        const count = kernel.candidates({
          dots,
          squares: this.#rowSquares,
          rows,
          metric: this.#options.metric,
          bound: this.#top[query].bound,
          found: this.#found,
        });
        if (count > 0) this.#offer(query, dots, this.#found.subarray(0, count), block.start + row, rowAt);
      }
    }
  }

  /** Turns the sums of rows into those of what is left of the rows: queries are reduced already. */
  #removeFromSums(rows: number): void {
    const center = this.#count * kernelRows;
    const squares = this.#rowSquares;
    for (let row = 0; row < rows; row++) {
      const whole = squares[row] - 2 * this.#dots[center + row] + this.#centerSquare;
      let left = whole;
      for (let line = this.#count + 1; line < this.lines; line++)
        left -= (this.#dots[line * kernelRows + row] - this.#shifts[line]) ** 2;
      squares[row] = left > lostToRemoval * Math.max(whole, this.#centerSquare) ? left : 0;
    }
    for (let query = 0; query < this.#count; query++) {
      const base = query * kernelRows;
      const shift = this.#shifts[query];
      for (let row = 0; row < rows; row++) this.#dots[base + row] -= shift;
    }
  }

  #offer(
    query: number,
    dots: Float32Array,
    candidates: Uint32Array,
    start: number,
    rowAt: (index: number) => Float32Array,
  ): void {
    const { metric, among, exclude } = this.#options;
    const top = this.#top[query];
    const excluded = exclude?.[query];
    for (const row of candidates) {
      const square = this.#rowSquares[row];
      // Larger is nearer. A NaN enters nowhere.
      const score = isMeasured(square)
        ? nearness(metric, dots[row], square)
        : this.#nearnessOf(query, rowAt(row));
      if (!(score > top.bound)) continue;
      const id = start + row;
      if (among !== undefined && among[id] === 0) continue;
      if (excluded?.has(id)) continue;
      top.offer(id, score);
    }
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

/** Lines that the kernel multiplies for so many queries. */
function linesOf(count: number, removed: Components | undefined): number {
  return count + (removed === undefined ? 0 : 1 + removed.count);
}

/** The best of what parts of one scan found. Ties: lower row first, whichever part found it. */
export function mergeCandidates(parts: readonly Candidates[], k: number): number[] {
  const all = parts.flatMap(({ rows, scores }) => Array.from(rows, (row, i) => ({ row, score: scores[i] })));
  all.sort((a, b) => b.score - a.score || a.row - b.row);
  return all.slice(0, k + spareCandidates).map(({ row }) => row);
}

function claimFloats(length: number): Float32Array {
  const bytes = claimBytes(length * 4);
  return new Float32Array(bytes.buffer, bytes.byteOffset, length);
}
