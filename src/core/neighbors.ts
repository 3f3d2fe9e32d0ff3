import { claimBytes, releaseBytes } from '../kernels/arena.ts';
import { type DotKernel, loadDotKernel } from '../kernels/dots.ts';
import type { EmbeddingTable, RowBlock } from '../types.ts';
import { TopRows } from './top-rows.ts';

/** How near two rows are: cosine and dot are similarities, l2 is a distance. */
export type Metric = 'cosine' | 'dot' | 'l2';

/** Candidates beyond k that the float32 pass keeps, so that the float64 pass decides what enters. */
const spareCandidates = 32;

/** Bytes of queries that one pass over the table carries. */
const queryBytes = 4 << 20;

/** Most queries of one pass: their sums and candidates stay in the caches. */
const passQueries = 256;

/** Rows of a block that one call of the kernel takes: its sums stay small. */
const kernelRows = 4096;

/** Squares of rows that float32 sums hold without under- or overflow. */
const squareRange = [2 ** -90, 2 ** 100] as const;

/** A centered row is too near to the center when its square is less than this of the center's: float32 has lost it. */
const lostToCentering = 2 ** -16;

export interface Neighbor {
  row: number;
  /** Units: cosine -1..1, dot, or L2 distance; in float64. */
  score: number;
  /** L2 norm of the row as it is compared: of what is left of it after centering. */
  norm: number;
}

export interface NeighborOptions {
  k: number;
  metric: Metric;
  kernel?: 'ts' | 'simd';
  /** Rows that may not be answers, by query. */
  exclude?: readonly ReadonlySet<number>[];
  /** 1 for rows that may be answers; all when absent. Shape: [rows] */
  among?: Uint8Array;
  /** Subtracted from rows and queries before they are compared. Shape: [dim] */
  center?: Float64Array;
  /** Cosine and dot at least, l2 at most this. */
  threshold?: number;
  /** Told how many rows a pass went through. */
  advance?(rows: number): void;
}

/**
 * The k rows nearest to each query, best first.
 *
 * Shape: table [rows, dim], queries [n * dim] → n lists of at most k
 * Rows of norm 0 have no cosine and rows with a value that is not finite no score: they are no answers. Ties: lower row first.
 * Cost: one scan for every 256 queries, O(rows · dim · n) time, O(n · k) memory; the answers are gathered and compared again in float64.
 */
export async function findNeighbors(
  table: EmbeddingTable,
  queries: Float32Array,
  options: NeighborOptions,
): Promise<Neighbor[][]> {
  const { dim } = table;
  const total = queries.length / dim;
  const most = Math.max(1, Math.min(passQueries, Math.floor(queryBytes / (dim * 4))));
  const kernel = await loadDotKernel(options.kernel ?? 'simd');
  const answers: Neighbor[][] = [];
  for (let first = 0; first < total; first += most) {
    const count = Math.min(most, total - first);
    const pass = new Pass(table, queries.subarray(first * dim, (first + count) * dim), first, options);
    try {
      for await (const block of table.scan()) {
        pass.compare(block, kernel);
        options.advance?.(block.rows);
      }
    } finally {
      pass.release();
    }
    for (let query = 0; query < count; query++) answers.push(await pass.answer(query));
  }
  return answers;
}

/** One scan with some of the queries. */
class Pass {
  readonly #table: EmbeddingTable;
  readonly #options: NeighborOptions;
  /** Number of the first query. */
  readonly #first: number;
  /** Shape: [count, dim], as they came. */
  readonly #given: Float32Array;
  readonly #count: number;
  readonly #top: TopRows[];
  readonly #squares: Float64Array;
  /** Centered, and for the cosine normalized, and the center as one query more. */
  readonly #queries: Float32Array;
  readonly #dots: Float32Array;
  readonly #rowSquares: Float32Array;
  readonly #centerSquare: number;

  constructor(table: EmbeddingTable, given: Float32Array, first: number, options: NeighborOptions) {
    const { dim } = table;
    this.#table = table;
    this.#options = options;
    this.#given = given;
    this.#first = first;
    this.#count = given.length / dim;
    this.#top = Array.from({ length: this.#count }, () => new TopRows(options.k + spareCandidates));
    const lines = this.#count + (options.center === undefined ? 0 : 1);
    this.#queries = claimFloats(lines * dim);
    this.#dots = claimFloats((lines + 1) * kernelRows);
    this.#rowSquares = claimFloats(kernelRows);
    this.#squares = new Float64Array(this.#count);
    for (let query = 0; query < this.#count; query++) this.#prepare(query);
    if (options.center !== undefined) this.#queries.set(options.center, this.#count * dim);
    this.#centerSquare = options.center?.reduce((sum, value) => sum + value * value, 0) ?? 0;
  }

  release(): void {
    for (const floats of [this.#queries, this.#dots, this.#rowSquares])
      releaseBytes(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength));
  }

  /** The query as it is multiplied: centered, and of length 1 for the cosine. */
  #prepare(query: number): void {
    const { dim } = this.#table;
    const vector = this.#exactQuery(query);
    let square = 0;
    for (const value of vector) square += value * value;
    this.#squares[query] = square;
    const norm = this.#options.metric === 'cosine' ? Math.sqrt(square) : 1;
    for (let i = 0; i < dim; i++) this.#queries[query * dim + i] = norm > 0 ? vector[i] / norm : 0;
  }

  #exactQuery(query: number): Float64Array {
    const { dim } = this.#table;
    return this.#centered(this.#given.subarray(query * dim, (query + 1) * dim));
  }

  #centered(row: Float32Array): Float64Array {
    const exact = Float64Array.from(row);
    const { center } = this.#options;
    if (center !== undefined) for (let i = 0; i < exact.length; i++) exact[i] -= center[i];
    return exact;
  }

  compare({ start, rows, data }: RowBlock, kernel: DotKernel): void {
    const { dim } = this.#table;
    const center = this.#options.center !== undefined;
    for (let row = 0; row < rows; row += kernelRows) {
      const count = Math.min(kernelRows, rows - row);
      const part = data.subarray(row * dim, (row + count) * dim);
      kernel.dotRows({
        data: part,
        rows: count,
        dim,
        queries: this.#queries,
        count: this.#count + (center ? 1 : 0),
        dots: this.#dots,
        stride: kernelRows,
        squares: this.#rowSquares,
      });
      if (center) this.#centerSums(count);
      for (let query = 0; query < this.#count; query++) this.#offer(query, start + row, part);
    }
  }

  /** Turns the sums of rows into those of centered rows: queries are centered already. */
  #centerSums(rows: number): void {
    const { dim } = this.#table;
    const last = this.#count * kernelRows;
    for (let row = 0; row < rows; row++) {
      const along = this.#dots[last + row];
      this.#rowSquares[row] = Math.max(0, this.#rowSquares[row] - 2 * along + this.#centerSquare);
    }
    for (let query = 0; query < this.#count; query++) {
      let shift = 0;
      for (let i = 0; i < dim; i++)
        shift += this.#queries[query * dim + i] * this.#queries[this.#count * dim + i];
      for (let row = 0; row < rows; row++) this.#dots[query * kernelRows + row] -= shift;
    }
  }

  #offer(query: number, start: number, data: Float32Array): void {
    const { metric, among, exclude } = this.#options;
    const { dim } = this.#table;
    const rows = data.length / dim;
    const low = Math.max(squareRange[0], this.#centerSquare * lostToCentering);
    const top = this.#top[query];
    const excluded = exclude?.[this.#first + query];
    const base = query * kernelRows;
    for (let row = 0; row < rows; row++) {
      const dot = this.#dots[base + row];
      const square = this.#rowSquares[row];
      const usable = square > low && square < squareRange[1];
      // Larger is nearer. A NaN enters nowhere.
      const score = usable
        ? nearness(metric, dot, square)
        : this.#nearnessOf(query, data.subarray(row * dim, (row + 1) * dim));
      if (!(score > top.bound)) continue;
      const id = start + row;
      if (among !== undefined && among[id] === 0) continue;
      if (excluded?.has(id)) continue;
      top.offer(id, score);
    }
  }

  /** In float64, for rows whose square float32 cannot hold. */
  #nearnessOf(query: number, row: Float32Array): number {
    const values = this.#centered(row);
    const first = query * values.length;
    let dot = 0;
    let square = 0;
    for (let i = 0; i < values.length; i++) {
      dot += values[i] * this.#queries[first + i];
      square += values[i] * values[i];
    }
    return nearness(this.#options.metric, dot, square);
  }

  /** Compares the candidates of a query again, in float64. */
  async answer(query: number): Promise<Neighbor[]> {
    const { dim } = this.#table;
    const { k, metric, threshold } = this.#options;
    const ids = Uint32Array.from(this.#top[query].rows());
    const { data } = await this.#table.gather(ids);
    const exact = this.#exactQuery(query);
    const queryNorm = Math.sqrt(this.#squares[query]);
    const found: Neighbor[] = [];
    for (const [index, row] of ids.entries()) {
      const values = this.#centered(data.subarray(index * dim, (index + 1) * dim));
      const { score, norm } = compareExactly(values, exact, queryNorm, metric);
      if (!Number.isFinite(score)) continue;
      const far = threshold !== undefined && (metric === 'l2' ? score > threshold : score < threshold);
      if (!far) found.push({ row, score, norm });
    }
    const nearer = metric === 'l2' ? 1 : -1;
    return found.sort((a, b) => nearer * (a.score - b.score) || a.row - b.row).slice(0, k);
  }
}

/** Larger is nearer; NaN for a row without a direction. For l2 what a smaller distance makes larger. */
function nearness(metric: Metric, dot: number, square: number): number {
  if (metric === 'dot') return dot;
  if (metric === 'l2') return 2 * dot - square;
  return square > 0 ? dot / Math.sqrt(square) : Number.NaN;
}

function compareExactly(
  row: Float64Array,
  query: Float64Array,
  queryNorm: number,
  metric: Metric,
): { score: number; norm: number } {
  let dot = 0;
  let square = 0;
  let distance = 0;
  for (let i = 0; i < row.length; i++) {
    dot += row[i] * query[i];
    square += row[i] * row[i];
    distance += (row[i] - query[i]) ** 2;
  }
  const norm = Math.sqrt(square);
  if (metric === 'dot') return { score: dot, norm };
  if (metric === 'l2') return { score: Math.sqrt(distance), norm };
  return { score: Math.max(-1, Math.min(1, dot / norm / queryNorm)), norm };
}

function claimFloats(length: number): Float32Array {
  const bytes = claimBytes(length * 4);
  return new Float32Array(bytes.buffer, bytes.byteOffset, length);
}
