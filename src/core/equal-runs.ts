import type { StoredRows } from '../kernels/candidate-rows.ts';

/** Rows that hold the same bytes as the row before them, in the parts of a scan. */
export class EqualRuns {
  readonly #dim: number;
  /** The row behind the part that was asked for last, and that part's last row with the run that it is in. */
  #end = -1;
  #last: Uint32Array | Uint16Array = new Uint32Array(0);
  #lastRun = 0;

  constructor(dim: number) {
    this.#dim = dim;
  }

  /**
   * For every row of a part the first of the rows without a gap before it that are equal to it; as far as the parts before, without a gap,
   * were asked for, too.
   *
   * Shape: → [rows], numbers of rows of the table
   */
  of({ data, rows }: StoredRows, start: number): Uint32Array {
    const bits = bitsOf(data);
    const dim = this.#dim;
    const runs = new Uint32Array(rows);
    const isNext = this.#end === start && isSame(this.#last, 0, bits, 0, dim);
    runs[0] = isNext ? this.#lastRun : start;
    for (let row = 1; row < rows; row++)
      runs[row] = isSame(bits, (row - 1) * dim, bits, row * dim, dim) ? runs[row - 1] : start + row;
    this.#end = start + rows;
    this.#last = bits.slice((rows - 1) * dim, rows * dim);
    this.#lastRun = runs[rows - 1];
    return runs;
  }
}

/** Bits of values: where numbers are compared, a NaN is not equal to itself. */
function bitsOf(data: StoredRows['data']): Uint32Array | Uint16Array {
  return data instanceof Uint16Array ? data : new Uint32Array(data.buffer, data.byteOffset, data.length);
}

function isSame(
  a: Uint32Array | Uint16Array,
  aStart: number,
  b: Uint32Array | Uint16Array,
  bStart: number,
  length: number,
): boolean {
  let i = 0;
  while (i < length && a[aStart + i] === b[bStart + i]) i++;
  return i === length;
}
