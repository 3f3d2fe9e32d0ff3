import { claimDoubles, releaseBytes } from '../kernels/arena.ts';
import type { DotKernel } from '../kernels/dots.ts';
import type { Metric } from '../kernels/nearness.ts';
import { type Components, removeComponents } from './components.ts';

/** Bytes of float64 rows that are compared at a time, one row at least. */
const chunkBytes = 1 << 20;

/** How near rows are to a query, all without what is removed from them. Shape: [rows] each */
export interface ExactNearness {
  /** Units: cosine -1..1, dot, or L2 distance. NaN for a row without a direction. */
  scores: Float64Array;
  /** L2 norms of the rows. */
  norms: Float64Array;
}

/**
 * Compares rows with a query in float64, sums taken from first to last.
 *
 * Shape: rows float32 [n, dim], query [dim] → [n]
 */
export function compareExactly(
  rows: Float32Array,
  query: Float32Array,
  metric: Metric,
  kernel: DotKernel,
  removed: Components | undefined,
): ExactNearness {
  const dim = query.length;
  const most = Math.max(1, Math.min(rows.length / dim, Math.floor(chunkBytes / (dim * 8))));
  const [data, exact, sums, own] = [most * dim, dim, 3 * most, 3].map(claimDoubles);
  const scores = new Float64Array(rows.length / dim);
  const norms = new Float64Array(rows.length / dim);
  try {
    exact.set(reduced(query, removed));
    kernel.sumExactly({ data: exact, rows: 1, query: exact, sums: own });
    const queryNorm = Math.sqrt(own[1]);
    for (let first = 0; first < rows.length; first += most * dim) {
      const part = rows.subarray(first, first + most * dim);
      data.set(part);
      const count = part.length / dim;
      if (removed !== undefined)
        for (let row = 0; row < count; row++)
          removeComponents(data.subarray(row * dim, (row + 1) * dim), removed);
      kernel.sumExactly({ data, rows: count, query: exact, sums });
      for (let row = 0, at = first / dim; row < count; row++, at++) {
        norms[at] = Math.sqrt(sums[3 * row + 1]);
        scores[at] = scoreOf(metric, sums[3 * row], norms[at], sums[3 * row + 2], queryNorm);
      }
    }
    return { scores, norms };
  } finally {
    for (const part of [data, exact, sums, own]) releaseBytes(part);
  }
}

/** Cosine, dot or L2 distance, of sums in float64. */
export function scoreOf(
  metric: Metric,
  dot: number,
  norm: number,
  distance: number,
  queryNorm: number,
): number {
  if (metric === 'dot') return dot;
  if (metric === 'l2') return Math.sqrt(distance);
  return Math.max(-1, Math.min(1, dot / norm / queryNorm));
}

/** A row without what is removed from it, in float64. */
export function reduced(row: Float32Array, removed: Components | undefined): Float64Array {
  const exact = new Float64Array(row);
  if (removed !== undefined) removeComponents(exact, removed);
  return exact;
}
