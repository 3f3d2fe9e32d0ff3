/** A row and what it was ranked by. */
export interface RankedRow {
  row: number;
  value: number;
}

/**
 * The `count` rows with the smallest (direction -1) or largest (1) values, most extreme first; ties: lower row first.
 *
 * Cost: O(1) per row that does not enter, O(count) per row that does. Rows must be offered in ascending order.
 */
export class ExtremeRows {
  readonly #count: number;
  readonly #direction: 1 | -1;
  readonly #kept: RankedRow[] = [];

  constructor(count: number, direction: 1 | -1) {
    this.#count = count;
    this.#direction = direction;
  }

  offer(row: number, value: number): void {
    const kept = this.#kept;
    if (kept.length === this.#count && !this.#precedes(value, kept[kept.length - 1].value)) return;
    let at = kept.length;
    while (at > 0 && this.#precedes(value, kept[at - 1].value)) at--;
    kept.splice(at, 0, { row, value });
    if (kept.length > this.#count) kept.pop();
  }

  rows(): RankedRow[] {
    return this.#kept;
  }

  #precedes(a: number, b: number): boolean {
    return this.#direction > 0 ? a > b : a < b;
  }
}
