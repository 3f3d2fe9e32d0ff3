import { arenaOffset, claimFloats, claimWords, releaseBytes } from './arena.ts';
import type { DotKernel, HalfType } from './dots.ts';
import { type QueryLines, type RoundedQueries, rowsOfPanel } from './rounded.ts';

/** Up to so many lines decoding 16-bit rows for each of them costs less than decoding them to memory once. */
export const halvesLines = 4;

/** Rows that one call takes for so few lines: its sums stay small. */
const fewLinesRows = 4096;

/** Fewer queries don't pay for rounding the rows. */
const leastRounded = 8;

/** Where more of the rows may be near, multiplying all of them in float32 takes no longer. */
const worthSelecting = 0.4;

/** Parts that go without rounded products at most before they are tried again. */
const longestPause = 1024;

/** Rows as they come from a scan. */
export type StoredRows =
  | { data: Float32Array; type?: undefined; rows: number }
  | { data: Uint16Array; type: HalfType; rows: number };

/**
 * Rows that may be near to queries, one part of a table after the other.
 *
 * Many queries and the rows are rounded to integers where the kernel can: these choose the rows whose products are summed in float32, with
 * the bits that they have without.
 */
export class CandidateRows {
  /** Rows of one part at most. All parts but the last of a block must have an even number. */
  readonly mostRows: number;
  /** Products of the found rows with their query, shifted; and of all rows with the lines behind the queries. Shape: [lines + 1, mostRows] */
  readonly dots: Float32Array;
  /** Shape: [mostRows] */
  readonly squares: Float32Array;
  /** For each query rows that may be nearer than its bound, and those that float32 does not measure; ascending. Shape: [count, mostRows] */
  readonly found: Uint32Array;
  /** How many were found. Shape: [count] */
  readonly counts: Uint32Array;
  readonly #kernel: DotKernel;
  readonly #lines: QueryLines;
  readonly #rounded: RoundedQueries | undefined;
  readonly #claims: readonly ArrayBufferView[];
  /** Parts that still go without rounded products, and how many will next time. */
  #waiting = 0;
  #pause = 1;

  constructor(kernel: DotKernel, lines: QueryLines) {
    this.#kernel = kernel;
    this.#lines = lines;
    this.mostRows = lines.lines > halvesLines ? rowsOfPanel(lines.dim) : fewLinesRows;
    this.dots = claimFloats((lines.lines + 1) * this.mostRows);
    this.squares = claimFloats(this.mostRows);
    this.found = claimWords(lines.count * this.mostRows);
    this.counts = claimWords(lines.count);
    this.#claims = [this.dots, this.squares, this.found, this.counts];
    const isPlaced = this.#claims.every((part) => arenaOffset(part) !== undefined);
    if (lines.count >= leastRounded && isPlaced) this.#rounded = kernel.roundQueries?.(lines);
  }

  release(): void {
    this.#rounded?.release();
    this.#claims.forEach(releaseBytes);
  }

  /**
   * Finds the candidates of a part.
   *
   * Shape: bounds [count]; rows of this nearness and less are no candidates, even at the most that their sums may be off
   * review: called when squares and the products with the lines behind the queries are known; it may change the squares
   */
  find(part: StoredRows, bounds: Float64Array, review?: () => void): void {
    const rounded = this.#rounded;
    if (this.#lines.lines === 1) this.#select(part, bounds[0]);
    else if (part.type === undefined && rounded !== undefined && this.#mayPay(part.data, bounds))
      this.#findByRounded(part, bounds, rounded, review);
    else this.#findByAll(part, bounds, review);
  }

  /** Whether most rows can be told to be too far. Rows outside of the arena cannot be rounded. */
  #mayPay(data: Float32Array, bounds: Float64Array): boolean {
    if (arenaOffset(data) === undefined) return false;
    if (this.#waiting > 0) {
      this.#waiting--;
      return false;
    }
    let open = 0;
    for (const bound of bounds) if (bound === Number.NEGATIVE_INFINITY) open++;
    return open <= worthSelecting * bounds.length;
  }

  #findByRounded(
    { data, rows }: { data: Float32Array; rows: number },
    bounds: Float64Array,
    rounded: RoundedQueries,
    review?: () => void,
  ): void {
    const { dim, count, lines, queries } = this.#lines;
    const { dots, squares, found, counts, mostRows: stride } = this;
    const part = { data, rows, squares, bounds, found, counts, dots, stride };
    if (lines > count) {
      // From the tile of four lines on that the first one is in: so sums have the bits that they have with all lines.
      const first = count & ~3;
      const rest = { queries: queries.subarray(first * dim), dots: dots.subarray(first * stride) };
      this.#kernel.dotRows({ ...part, ...rest, dim, count: lines - first });
    }
    rounded.round(part);
    review?.();
    if (rounded.find(part) > worthSelecting * rows * count) {
      this.#waiting = this.#pause;
      this.#pause = Math.min(longestPause, this.#pause * 2);
    } else this.#pause = 1;
    rounded.sumFound(part);
  }

  #findByAll(part: StoredRows, bounds: Float64Array, review?: () => void): void {
    const { dim, count, lines, queries, metric, shifts, reaches, slack } = this.#lines;
    const { squares, mostRows: stride } = this;
    const { rows } = part;
    const all = { rows, dim, queries, count: lines, dots: this.dots, stride, squares };
    if (part.type === undefined) this.#kernel.dotRows({ ...all, data: part.data });
    else this.#kernel.dotHalves({ ...all, data: part.data, type: part.type });
    review?.();
    for (let query = 0; query < count; query++) {
      const dots = this.dots.subarray(query * stride, (query + 1) * stride);
      const shift = shifts[query];
      if (shift !== 0) for (let row = 0; row < rows; row++) dots[row] -= shift;
      const found = this.found.subarray(query * stride, (query + 1) * stride);
      const bound = bounds[query];
      const reach = reaches[query];
      this.counts[query] = this.#kernel.candidates({
        ...{ dots, squares, rows, found },
        ...{ metric, bound, reach, slack },
      });
    }
  }

  #select(part: StoredRows, bound: number): void {
    const { dim, queries, metric, reaches, slack } = this.#lines;
    const { dots, squares, found } = this;
    const nearness = { metric, bound, reach: reaches[0], slack };
    this.counts[0] = this.#kernel.selectRows({ ...part, ...nearness, dim, queries, dots, squares, found });
  }
}
