import { largestFinite, numberStyle } from '../text/numbers.ts';
import type { Matrix } from '../types.ts';
import type { Paint } from './colors.ts';

/** NumPy's edgeitems: at least that many numbers are kept of either end of a row that is too long. */
const edge = 3;
/** Columns that a number takes beside its decimals: a digit, the point and the gap to the next. */
const besideDecimals = 4;
const gap = '...';

/** How many of the first and the last dimensions are shown; tail 0 and head = dim shows all. */
interface Ends {
  head: number;
  tail: number;
}

/**
 * The vectors of a table as its last column: all numbers when they fit, else as many of the first and the last as do.
 *
 * Numbers of one column of dimensions stand under each other, in one notation for all rows that are drawn together.
 */
export class VectorColumn {
  private readonly dim: number;
  private readonly precision: number;
  private readonly paint: Paint;
  /** Numbers kept of each row: all, or those of either end that there may be room for. */
  private readonly kept: Ends;
  private ends: Ends | undefined;
  private numberWidth = 0;
  private format: (value: number) => string = String;

  /** Shape: rows [dim]. `room`: columns of the terminal, Infinity to show all. */
  constructor(dim: number, precision: number, room: number, paint: Paint) {
    this.dim = dim;
    this.precision = precision;
    this.paint = paint;
    const most = Math.max(edge, Math.ceil(room / (precision + besideDecimals) / 2));
    const fitsMaybe = dim * (precision + 3) <= room || dim <= 2 * most;
    this.kept = fitsMaybe ? { head: dim, tail: 0 } : { head: most, tail: most };
  }

  /** Copies what may be shown of a row: the matrix is reused. */
  take(matrix: Matrix, row: number): Float32Array {
    const start = matrix.offset + row * this.dim;
    const values = matrix.data.subarray(start, start + this.dim);
    const { head, tail } = this.kept;
    if (head === this.dim) return values.slice();
    const ends = new Float32Array(head + tail);
    ends.set(values.subarray(0, head));
    ends.set(values.subarray(this.dim - tail), head);
    return ends;
  }

  /** Chooses notation and width for these rows, and how many dimensions to show within `room` columns (once: the heading names them). */
  fit(rows: readonly Float32Array[], room: number): void {
    let largest = 0;
    for (const row of rows) largest = Math.max(largest, largestFinite(row));
    this.format = numberStyle(largest, this.precision);
    let widest = Math.max(this.numberWidth, `d${this.dim - 1}`.length);
    for (const row of rows) for (const value of row) widest = Math.max(widest, this.format(value).length);
    this.numberWidth = widest;
    this.ends ??= this.choices().find((ends) => this.widthOf(ends) <= room) ?? { head: 0, tail: 0 };
  }

  /** From all that is kept down to the first number alone; where that is too wide, the sign of the gap is left. */
  private choices(): Ends[] {
    const choices: Ends[] = [this.kept];
    const { head, tail } = this.kept;
    for (let shown = Math.min(head + tail, this.dim - 1); shown > 0; shown--) {
      choices.push({ head: Math.ceil(shown / 2), tail: Math.floor(shown / 2) });
    }
    return choices;
  }

  private widthOf({ head, tail }: Ends): number {
    const numbers = head + tail;
    if (numbers === 0) return this.dim === 0 ? 0 : gap.length;
    const separators = 2 * (numbers - 1);
    return numbers * this.numberWidth + separators + (numbers < this.dim ? 2 + gap.length : 0);
  }

  get width(): number {
    return this.widthOf(this.ends ?? this.kept);
  }

  title(): string {
    const { head, tail } = this.ends ?? this.kept;
    const name = (i: number): string => `d${i}`.padStart(this.numberWidth);
    return this.join(
      Array.from({ length: head }, (_, i) => name(i)),
      Array.from({ length: tail }, (_, i) => name(this.dim - tail + i)),
    );
  }

  text(row: Float32Array): string {
    const { head, tail } = this.ends ?? this.kept;
    const show = (value: number): string => {
      const text = this.format(value).padStart(this.numberWidth);
      return Number.isFinite(value) ? text : this.paint.alarm(text);
    };
    return this.join(
      Array.from(row.subarray(0, head), show),
      Array.from(row.subarray(row.length - tail), show),
    );
  }

  private join(head: string[], tail: string[]): string {
    return (head.length + tail.length < this.dim ? [...head, gap, ...tail] : head).join('  ');
  }
}
