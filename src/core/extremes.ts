/** A row and what it was ranked by. */
export interface RankedRow {
  row: number;
  value: number;
}

/**
 * The `count` rows with the smallest (direction -1) or largest (1) values, most extreme first; ties: lower row first.
 *
 * Cost: O(count) per row that enters; compare with `bound` first, so that the others cost one comparison. Rows must be offered
 * in ascending order.
 */
export class ExtremeRows {
  /** Only values beyond it enter: below it for the smallest, above it for the largest. */
  bound: number;
  readonly #count: number;
  readonly #direction: 1 | -1;
  readonly #kept: RankedRow[] = [];

  constructor(count: number, direction: 1 | -1) {
    this.#count = count;
    this.#direction = direction;
    this.bound = -direction * Number.POSITIVE_INFINITY;
  }

  offer(row: number, value: number): void {
    if (!this.#precedes(value, this.bound)) return;
    const kept = this.#kept;
    let at = kept.length;
    while (at > 0 && this.#precedes(value, kept[at - 1].value)) at--;
    kept.splice(at, 0, { row, value });
    if (kept.length > this.#count) kept.pop();
    if (kept.length === this.#count) this.bound = kept[kept.length - 1].value;
  }

  rows(): RankedRow[] {
    return this.#kept;
  }

  #precedes(a: number, b: number): boolean {
    return this.#direction > 0 ? a > b : a < b;
  }
}
