/**
 * The `count` rows of the largest scores.
 *
 * Ties: the row that was offered first. Rows must be offered in ascending order.
 * Cost: O(log count) per row that enters; compare with `bound` first, so that the others cost one comparison.
 */
export class TopRows {
  /** Only scores above it enter. */
  bound = Number.NEGATIVE_INFINITY;
  readonly #count: number;
  /** A heap with the worst on top: the smallest score, of equal ones the highest row. */
  readonly #rows: number[] = [];
  readonly #scores: number[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  offer(row: number, score: number): void {
    if (!(score > this.bound)) return;
    if (this.#rows.length < this.#count) {
      this.#rows.push(row);
      this.#scores.push(score);
      this.#rise(this.#rows.length - 1);
    } else {
      this.#rows[0] = row;
      this.#scores[0] = score;
      this.#sink();
    }
    if (this.#rows.length === this.#count) this.bound = this.#scores[0];
  }

  /** Best first. */
  rows(): number[] {
    return [...this.best().rows];
  }

  /** Best first, with their scores. */
  best(): { rows: Uint32Array; scores: Float64Array } {
    const order = this.#rows.map((_, index) => index);
    order.sort((a, b) => this.#scores[b] - this.#scores[a] || this.#rows[a] - this.#rows[b]);
    return {
      rows: Uint32Array.from(order, (index) => this.#rows[index]),
      scores: Float64Array.from(order, (index) => this.#scores[index]),
    };
  }

  #isWorse(a: number, b: number): boolean {
    const difference = this.#scores[a] - this.#scores[b];
    return difference < 0 || (difference === 0 && this.#rows[a] > this.#rows[b]);
  }

  #swap(a: number, b: number): void {
    [this.#rows[a], this.#rows[b]] = [this.#rows[b], this.#rows[a]];
    [this.#scores[a], this.#scores[b]] = [this.#scores[b], this.#scores[a]];
  }

  #rise(index: number): void {
    for (let at = index; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isWorse(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Lean: it runs some hundred times, in code that V8 has not compiled yet. */
  #sink(): void {
    const [rows, scores, length] = [this.#rows, this.#scores, this.#rows.length];
    const [row, score] = [rows[0], scores[0]];
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      const right = child + 1;
      if (
        right < length &&
        (scores[right] < scores[child] || (scores[right] === scores[child] && rows[right] > rows[child]))
      )
        child = right;
      if (!(scores[child] < score || (scores[child] === score && rows[child] > row))) break;
      rows[at] = rows[child];
      scores[at] = scores[child];
      at = child;
    }
    rows[at] = row;
    scores[at] = score;
  }
}
