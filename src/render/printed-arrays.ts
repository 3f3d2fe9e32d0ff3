import type { Report } from '../types.ts';
import { blockValues } from './machine-rows.ts';

/** Arrays with more elements are summarized, in PyTorch and in NumPy. */
const threshold = 1000;
/** How many items at each end of an axis a summary shows, in both. */
export const edgeItems = 3;

/** An array [batch, seq, dim] of which only what is printed is kept. */
export interface PrintedArray {
  shape: readonly [number, number, number];
  /** Axes longer than 2 * edgeItems are shown by their ends. */
  summarized: boolean;
  /** Sequences, their rows, whole; when summarized at most the first and last three of each. */
  sequences: Float32Array[][];
}

/**
 * The arrays of a report in the order they are printed: [1, seq, dim] per sequence, or one [batch, seq, dim] when padded.
 *
 * Cost: memory for what is printed, not for what goes by; `full` keeps everything.
 */
export async function* printedArrays(report: Report, full: boolean): AsyncGenerator<PrintedArray> {
  const { dim, padded } = report.vectors!;
  let kept = new KeptRows(dim, full);
  for await (const block of report.blocks) {
    const values = blockValues(block, report);
    for (let row = 0; values && row < block.cells.length; row++) {
      kept.add(values.subarray(row * dim, (row + 1) * dim));
    }
    if (!block.ends) continue;
    kept.endSequence();
    if (padded) continue;
    yield kept.array();
    kept = new KeptRows(dim, full);
  }
  if (padded) yield kept.array();
}

/** Gathers rows into sequences, and lets the middle go once there are too many elements to show. */
class KeptRows {
  readonly #dim: number;
  readonly #limit: number;
  #sequences: Float32Array[][] = [];
  #current: Float32Array[] = [];
  #rows = 0;
  #sequenceCount = 0;
  #sequenceLength = 0;

  constructor(dim: number, full: boolean) {
    this.#dim = dim;
    this.#limit = full ? Number.POSITIVE_INFINITY : threshold;
  }

  get #summarized(): boolean {
    return this.#rows * this.#dim > this.#limit;
  }

  add(row: Float32Array): void {
    this.#rows++;
    this.#current.push(row.slice());
    if (this.#summarized) dropMiddle(this.#current);
  }

  endSequence(): void {
    this.#sequences.push(this.#current);
    this.#sequenceCount++;
    if (this.#summarized) dropMiddle(this.#sequences);
    this.#current = [];
  }

  array(): PrintedArray {
    this.#sequenceLength = this.#sequenceCount === 0 ? 0 : this.#rows / this.#sequenceCount;
    const summarized = this.#summarized;
    if (summarized) for (const rows of this.#sequences) dropMiddle(rows);
    return {
      shape: [this.#sequenceCount, this.#sequenceLength, this.#dim],
      summarized,
      sequences: this.#sequences,
    };
  }
}

function dropMiddle(items: unknown[]): void {
  if (items.length > 2 * edgeItems) items.splice(edgeItems, items.length - 2 * edgeItems);
}

/** The values of a row that are printed. */
export function shownValues(row: Float32Array, summarized: boolean): Float32Array {
  if (!summarized || row.length <= 2 * edgeItems) return row;
  const shown = new Float32Array(2 * edgeItems);
  shown.set(row.subarray(0, edgeItems));
  shown.set(row.subarray(row.length - edgeItems), edgeItems);
  return shown;
}

/** True when an axis of this length is shown by its ends. */
export function isElided(length: number, summarized: boolean): boolean {
  return summarized && length > 2 * edgeItems;
}
