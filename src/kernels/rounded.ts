import { arenaOffset, claimBytes, claimFloats, releaseBytes } from './arena.ts';
import type { Metric } from './nearness.ts';

/** Length of a rounded row; assembly/dots-rounded.ts knows it too. */
const roundedLength = 32_000;

/** Products of two vectors of that length. */
const unit = roundedLength ** 2;

/** Wider rows come out too short to be told apart, and float32 sums of their squares too far off. */
const widestRounded = 65_536;

/** Part of a number that float32 arithmetic of what a near row needs may be off, and much more. */
const slack = 2 ** -19;

/** Queries that the kernel multiplies at a time. */
const groupQueries = 4;

/** Numbers that say what a row needs to be near to a query. */
const needNumbers = 3;

/** Bytes of rounded rows: with as many of queries they should stay in the second cache. */
const panelBytes = 192 * 1024;

/** Most rows of a panel. */
const panelRows = 1024;

/** Queries that rows are compared with. */
export interface QueryLines {
  dim: number;
  /** Shape: [lines, dim]; the queries first, then what else the rows are multiplied with. */
  queries: Float32Array;
  count: number;
  lines: number;
  metric: Metric;
  /** Subtracted from the products of rows with each query. Shape: [lines] */
  shifts: Float64Array;
  /** How far sums may be off, as CandidateBlock has it. Shape: [count] */
  reaches: Float64Array;
  slack: number;
}

/** Rows, and which of them are near. */
export interface FoundRows {
  /** Shape: [rows, dim] */
  data: Float32Array;
  rows: number;
  /** Shape: [rows]; as float32 sums them. */
  squares: Float32Array;
  /** Rows of this nearness and less are not near. Shape: [count] */
  bounds: Float64Array;
  /** Rows of each query, ascending. Shape: [count, stride] */
  found: Uint32Array;
  /** How many there are. Shape: [count] */
  counts: Uint32Array;
  /** Shape: [count, stride] */
  dots: Float32Array;
  stride: number;
}

/** Exports of assembly/dots.ts. */
export interface RoundedExports {
  roundRows: Round;
  roundQueries: Round;
  findFactors(squares: number, inverses: number, rows: number, metric: number, factors: number): void;
  selectRounded: (
    ...[rounded, rows, dim, queries, count, factors, needs, found, stride, counts]: [
      ...[number, number, number, number, number, number, number, number, number, number],
    ]
  ) => void;
  dotFound: (
    ...[data, dim, even, queries, count, tiled, found, stride, counts, dots, spare]: [
      ...[number, number, number, number, number, number, number, number, number, number, number],
    ]
  ) => void;
}

type Round = (
  ...[data, rows, dim, squares, inverses, rounded]: [number, number, number, number, number, number]
) => void;

/** Numbers of metrics, as the kernels take them. */
export const metricNumbers = { cosine: 0, dot: 1, l2: 2 };

/** Rows of a panel: an even number, so that rows are summed in the pairs that they are summed in without. */
export function rowsOfPanel(dim: number): number {
  return Math.max(2, Math.min(panelRows, Math.floor(panelBytes / (paddedDim(dim) * 2))) & ~1);
}

function paddedDim(dim: number): number {
  return (dim + 15) & ~15;
}

/**
 * Finds rows near many queries by products of 16-bit integers, which take half as long as those of float32.
 *
 * Rows and queries are rounded to integers at a length of 32,000. What rounding changed is at most half a unit in each dimension; so the
 * product of the rounded ones bounds that of the rows (Cauchy and Schwarz), whatever their values are. Rows that may be near are multiplied
 * again in float32, with the bits that the other kernels give.
 */
export class RoundedQueries {
  readonly #wasm: RoundedExports;
  readonly #lines: QueryLines;
  readonly #claims: ArrayBufferView[] = [];
  readonly #rounded: Uint8Array;
  readonly #panel: Uint8Array;
  readonly #inverses: Float32Array;
  readonly #factors: Uint8Array;
  /** What a row needs, four queries beside each other. Shape: [count / 4, 3, 4] */
  readonly #needs: Float32Array;
  /** 1 / norm of each query, NaN for one that float32 does not measure. Shape: [count] */
  readonly #scales: Float32Array;
  /** What the nearest rows may be nearer than rounded ones, in products of unit vectors. */
  readonly #error: number;

  constructor(wasm: RoundedExports, lines: QueryLines) {
    const { dim, count, queries } = lines;
    const groups = Math.ceil(count / groupQueries);
    const rows = rowsOfPanel(dim);
    this.#wasm = wasm;
    this.#lines = lines;
    this.#rounded = this.#keep(claimBytes(groups * groupQueries * paddedDim(dim) * 2)).fill(0);
    this.#panel = this.#keep(claimBytes(rows * paddedDim(dim) * 2));
    this.#inverses = this.#keep(claimFloats(rows));
    this.#factors = this.#keep(claimBytes(rows * 8));
    this.#needs = this.#keep(claimFloats(groups * needNumbers * groupQueries));
    this.#scales = this.#keep(claimFloats(count));
    // Half a unit in each dimension of both, and a twentieth for what float32 adds; then float32 sums of products, twice.
    this.#error = (1.05 * Math.sqrt(dim)) / roundedLength + (dim / 4 + 32) * 2 ** -23;
    const squares = this.#keep(claimFloats(count));
    if (this.isPlaced)
      wasm.roundQueries(
        arenaOffset(queries)!,
        count,
        dim,
        squares.byteOffset,
        this.#scales.byteOffset,
        this.#rounded.byteOffset,
      );
  }

  /** Whether it can be used: everything found room in the arena, and rows are not too wide. */
  get isPlaced(): boolean {
    const all = [...this.#claims, this.#lines.queries];
    return this.#lines.dim <= widestRounded && all.every((part) => arenaOffset(part) !== undefined);
  }

  #keep<View extends ArrayBufferView>(claim: View): View {
    this.#claims.push(claim);
    return claim;
  }

  release(): void {
    this.#claims.forEach(releaseBytes);
  }

  /** Measures and rounds the rows of a part. Shape: → squares [rows] */
  round({ data, rows, squares }: Pick<FoundRows, 'data' | 'rows' | 'squares'>): void {
    this.#wasm.roundRows(
      data.byteOffset,
      rows,
      this.#lines.dim,
      squares.byteOffset,
      this.#inverses.byteOffset,
      this.#panel.byteOffset,
    );
  }

  /**
   * Which rows of the part may be near, and those that float32 does not measure. Returns how many there are for all queries.
   *
   * squares: as rows are compared, which may be others than those of round.
   */
  find({ rows, squares, bounds, found, counts, stride }: Omit<FoundRows, 'dots'>): number {
    const { dim, count, metric } = this.#lines;
    for (let query = 0; query < count; query++) this.#setNeeds(query, bounds[query]);
    const factors = this.#factors.byteOffset;
    this.#wasm.findFactors(
      squares.byteOffset,
      this.#inverses.byteOffset,
      rows,
      metricNumbers[metric],
      factors,
    );
    counts.fill(0);
    this.#wasm.selectRounded(
      this.#panel.byteOffset,
      rows,
      dim,
      this.#rounded.byteOffset,
      count,
      factors,
      this.#needs.byteOffset,
      found.byteOffset,
      stride,
      counts.byteOffset,
    );
    let total = 0;
    for (let query = 0; query < count; query++) total += counts[query];
    return total;
  }

  /** What the product with a query of length 1 must exceed: a number for each of the two factors of a row, and one for all rows. */
  #setNeeds(query: number, bound: number): void {
    const { metric, shifts, slack: squareSlack } = this.#lines;
    const scale = unit * this.#scales[query];
    const shift = shifts[query];
    const half = metric === 'l2' ? 0.5 : 1;
    const first = (metric === 'cosine' ? bound : half * bound + shift) * scale;
    const square = half * (1 - squareSlack) * scale;
    const second = metric === 'cosine' ? shift * scale : metric === 'l2' ? square : 0;
    const at = (query - (query % groupQueries)) * needNumbers + (query % groupQueries);
    this.#needs[at] = first - slack * Math.abs(first);
    this.#needs[at + groupQueries] = second - slack * Math.abs(second);
    this.#needs[at + 2 * groupQueries] = scale > 0 ? -(this.#error + slack) * unit : Number.NaN;
  }

  /** The products of the rows that were found with their queries, shifted, to where they are in the table of all. */
  sumFound({ data, rows, found, counts, dots, stride }: Omit<FoundRows, 'bounds' | 'squares'>): void {
    const { dim, count, lines, queries, shifts } = this.#lines;
    const tiled = lines - (lines % groupQueries);
    this.#wasm.dotFound(
      data.byteOffset,
      dim,
      rows & ~1,
      queries.byteOffset,
      count,
      tiled,
      found.byteOffset,
      stride,
      counts.byteOffset,
      dots.byteOffset,
      this.#inverses.byteOffset,
    );
    for (let query = 0; query < count; query++) {
      if (shifts[query] === 0) continue;
      const end = query * stride + counts[query];
      for (let at = query * stride; at < end; at++) dots[query * stride + found[at]] -= shifts[query];
    }
  }
}
