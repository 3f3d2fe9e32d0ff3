import { isMeasured, type Metric } from '../kernels/nearness.ts';
import type { QueryLines } from '../kernels/rounded.ts';

/** Part of the square of a query that rounding a distance in float64 may be, and much more. */
const distanceSlack = 2 ** -40;

/**
 * Part of the product of two norms that a sum of products in float32 may be off, in any order of additions that kernels have: dim / 4 in a
 * row and some more, each rounded to 24 bits.
 */
const slackOf = (dim: number): number => (dim / 4 + 32) * 2 ** -24;

/** How far the cosine of a row and a vector of length 1 by float32 sums may be off. */
export const cosineSlack = (dim: number): number => 3 * slackOf(dim);

/** Rows of which something is removed: how many directions, and the least square that is not computed again, as part of its origin's. */
export interface Removal {
  directions: number;
  least: number;
}

/**
 * How far the nearness that sums give may be off: of rows, or of what is left of them, and queries of these norms.
 *
 * Bounds, not estimates: rows that float32 cannot tell apart are left to float64.
 * Units: as nearness has them.
 */
export class Margins {
  readonly #metric: Metric;
  readonly #norms: Float64Array;
  /** Part of the norms of a row's origin and a query that their product may be off. */
  readonly #slack: number;
  /** Part of the square of a row's origin that the row's may be off: its own sum, that of products with the mean, and those with directions. */
  readonly #squareSlack: number;
  readonly #removal: Removal | undefined;
  /** Queries that are compared in float64 alone. */
  readonly #exact = new Set<number>();

  /** @param norms of the queries as they are compared. Shape: [count] */
  constructor(dim: number, metric: Metric, norms: Float64Array, removal: Removal | undefined) {
    this.#metric = metric;
    this.#norms = norms;
    this.#removal = removal;
    this.#slack = slackOf(dim);
    this.#squareSlack = this.#slack * (removal === undefined ? 1 : 3 + 2 * Math.sqrt(removal.directions));
  }

  /** From now on a query is compared in float64 alone. */
  compareExactly(query: number): void {
    this.#exact.add(query);
  }

  /** Whether float32 holds the sums of products with a query. */
  isSummed(query: number): boolean {
    if (this.#exact.has(query)) return false;
    const norm = this.#norms[query];
    return this.#metric === 'cosine' || norm === 0 || isMeasured(norm * norm);
  }

  /** Of float32 sums. square: of the row as it is compared; origin: what that may come from, the square where nothing is removed. */
  of(query: number, score: number, square: number, origin: number): number {
    if (this.#metric === 'cosine') {
      const part = origin / square;
      return (
        2 * this.#slack * Math.sqrt(part) + (this.#squareSlack / 2) * part * Math.min(1, Math.abs(score))
      );
    }
    const product = 2 * this.#slack * Math.sqrt(origin) * this.#norms[query];
    if (this.#metric === 'dot') return product;
    return 2 * product + this.#squareSlack * origin + this.#distanceMargin(query);
  }

  /** Of a nearness that comes from a distance in float64. */
  ofDistance(query: number, distance: number): number {
    return this.#distanceMargin(query) + distanceSlack * distance ** 2;
  }

  /** What rounding a distance is, of which the square of the query is a part that nearness lacks. */
  #distanceMargin(query: number): number {
    return distanceSlack * this.#norms[query] ** 2;
  }

  /** For the kernels, which know no origins: at the most of it that is not computed again. */
  ofKernel(): Pick<QueryLines, 'reaches' | 'slack'> {
    const part = this.#removal === undefined ? 1 : 1 / this.#removal.least;
    const reaches = this.#norms.map((norm, query) =>
      this.#metric === 'cosine' || !this.isSummed(query) ? 0 : 2 * this.#slack * Math.sqrt(part) * norm,
    );
    return { reaches, slack: this.#metric === 'l2' ? this.#squareSlack * part : 0 };
  }

  /** As the kernels take a bound: with what is the same for all rows, which for the cosine is the whole margin. */
  boundOf(query: number, bound: number): number {
    // Of such a query nothing that the kernels find is of use.
    if (Number.isNaN(this.#norms[query]) || !this.isSummed(query)) return Number.POSITIVE_INFINITY;
    if (this.#metric === 'l2') return bound - this.#distanceMargin(query);
    if (this.#metric === 'dot') return bound;
    return bound - this.of(query, 1, this.#removal?.least ?? 1, 1);
  }
}
