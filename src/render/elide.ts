import type { Block } from '../types.ts';

/** One sequence with vectors shows this many rows, a screenful: the first and the last half of them. --full shows all. */
export const shownRows = 40;

/** In place of rows that are not shown. */
export interface Gap {
  elided: number;
}

export const isGap = (row: unknown): row is Gap => typeof row === 'object' && row !== null && 'elided' in row;

/** How many of `count` things to show at the start and at the end when there is room for `room`, the sign for the gap not counted. */
export function splitEnds(count: number, room: number): { head: number; tail: number } {
  if (count <= room) return { head: count, tail: 0 };
  return { head: Math.ceil(room / 2), tail: Math.floor(room / 2) };
}

/**
 * Rows of blocks in order, with the middle of long sequences left out.
 *
 * Cost: holds at most 1.5 x limit rows; rows that will not be shown are never made. With limit Infinity it holds none.
 */
export class RowElision<Row extends object> {
  private readonly limit: number;
  private readonly half: number;
  private first: Row[] = [];
  private last: Row[] = [];
  private seen = 0;

  constructor(limit: number) {
    this.limit = limit;
    this.half = Math.floor(limit / 2);
  }

  /** True between the blocks of one sequence. */
  get holds(): boolean {
    return this.seen > 0;
  }

  /** Takes a block; `make` is called for rows that may be shown, in order. Gives the rows that are certain by now. */
  add(block: Block, make: (row: number) => Row): (Row | Gap)[] {
    const count = block.cells.length;
    if (this.limit === Number.POSITIVE_INFINITY) return Array.from({ length: count }, (_, row) => make(row));
    let row = 0;
    for (; row < count && this.first.length < this.limit; row++) this.first.push(make(row));
    for (row = Math.max(row, count - this.half); row < count; row++) this.last.push(make(row));
    this.last.splice(0, this.last.length - this.half);
    this.seen += count;
    return block.ends ? this.end() : [];
  }

  /** What is held of a sequence, at its end or when the input ends early. */
  end(): (Row | Gap)[] {
    const { first, last, seen } = this;
    this.first = [];
    this.last = [];
    this.seen = 0;
    if (seen <= this.limit) return first;
    const tail = [...first.slice(this.half), ...last].slice(-this.half);
    return [...first.slice(0, this.half), { elided: seen - 2 * this.half }, ...tail];
  }
}
