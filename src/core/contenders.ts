import { TopRows } from './top-rows.ts';

/** Rows with the least and the most that their scores may be. */
export interface Contended {
  rows: Uint32Array;
  least: Float64Array;
  most: Float64Array;
}

/** Rows that are kept before those that have lost meanwhile are let go. */
const firstLimit = 256;

/**
 * Rows that may be among the `count` of the largest scores, of which only bounds are known.
 *
 * A row has lost when the most that its score may be is below the least of `count` others; so the best are among what is kept, however close
 * they are. Ties: rows must be met in ascending order; one whose most is no more than the least of `count` before it has lost to these.
 * Cost: O(log count) per row that may enter; compare with `bound` first. Memory: as many rows as the bounds leave open.
 */
export class Contenders {
  readonly #count: number;
  /** Whose least is the largest. */
  #top: TopRows;
  #rows: number[] = [];
  #least: number[] = [];
  #most: number[] = [];
  #limit: number;

  constructor(count: number) {
    this.#count = count;
    this.#top = new TopRows(count);
    this.#limit = firstLimit + 2 * count;
  }

  /** A row can only win with a score above it. */
  get bound(): number {
    return this.#top.bound;
  }

  /** How many rows are kept. */
  get length(): number {
    return this.#rows.length;
  }

  meet(row: number, least: number, most: number): void {
    if (!(most > this.#top.bound)) return;
    this.#top.offer(row, least);
    this.#rows.push(row);
    this.#least.push(least);
    this.#most.push(most);
    if (this.#rows.length > this.#limit) {
      this.#sieve();
      this.#limit = Math.max(this.#limit, 2 * this.#rows.length);
    }
  }

  /** Lets rows go that have lost. */
  #sieve(): void {
    const { bound } = this.#top;
    let kept = 0;
    for (let i = 0; i < this.#rows.length; i++) {
      if (this.#most[i] < bound) continue;
      this.#rows[kept] = this.#rows[i];
      this.#least[kept] = this.#least[i];
      this.#most[kept++] = this.#most[i];
    }
    for (const list of [this.#rows, this.#least, this.#most]) list.length = kept;
  }

  /** Those that have not lost. */
  rows(): Uint32Array {
    this.#sieve();
    return Uint32Array.from(this.#rows);
  }

  /** The same, with their bounds. */
  open(): Contended {
    return {
      rows: this.rows(),
      least: Float64Array.from(this.#least),
      most: Float64Array.from(this.#most),
    };
  }

  /** Puts the best of the rows that are open in place of all: found by their scores, ascending by row. */
  settle({ rows, least, most }: Contended): void {
    this.#top = new TopRows(this.#count);
    for (const [i, row] of rows.entries()) this.#top.offer(row, least[i]);
    [this.#rows, this.#least, this.#most] = [rows, least, most].map((list) => Array.from(list));
    this.#limit = firstLimit + 2 * this.#count;
  }
}

/** The rows that may be among the `count` best of all parts of one scan. */
export function openOfAll(parts: readonly Contended[], count: number): Uint32Array {
  if (parts.length === 1) return parts[0].rows;
  const least = Float64Array.from(parts.flatMap((part) => Array.from(part.least))).sort();
  const bound = least.length < count ? Number.NEGATIVE_INFINITY : least[least.length - count];
  return Uint32Array.from(
    parts.flatMap(({ rows, most }) => Array.from(rows).filter((_, i) => most[i] >= bound)),
  );
}
