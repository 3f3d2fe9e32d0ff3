import type { DotKernel } from '../kernels/dots.ts';
import type { Metric } from '../kernels/nearness.ts';
import type { EmbeddingTable } from '../types.ts';
import type { Components } from './components.ts';
import { compareExactly } from './nearness.ts';

/** Bytes of rows that are gathered at a time, one row at least. */
const gatherBytes = 1 << 20;

/** Rows beyond those that are asked for, that may be kept before the others are let go. */
const keptRows = 1024;

export interface Neighbor {
  row: number;
  /** Units: cosine -1..1, dot, or L2 distance; in float64. */
  score: number;
  /** L2 norm of the row as it is compared: of what is left of it after centering and removing components. */
  norm: number;
}

/** How rows are compared with a query. */
export interface Ranking {
  k: number;
  metric: Metric;
  /** Cosine and dot at least, l2 at most this. */
  threshold?: number;
  kernel: DotKernel;
  removed?: Components;
  /** Where rows are gathered: fresh memory for every query is let go too late. See gatherMemory. */
  gathered: Float32Array;
}

/** Memory for some rows of a table. */
export function gatherMemory(dim: number): Float32Array {
  return new Float32Array(Math.max(1, Math.floor(gatherBytes / 4 / dim)) * dim);
}

/** The k of some rows that are nearest to a query by float64, best first. Ties: lower row first. Rows without a score are no answers. */
export async function rankExactly(
  table: EmbeddingTable,
  ids: Uint32Array,
  query: Float32Array,
  { k, metric, threshold, kernel, removed, gathered }: Ranking,
): Promise<Neighbor[]> {
  const nearer = metric === 'l2' ? 1 : -1;
  const isFar = (score: number, bound: number) => nearer * (score - bound) > 0;
  let found: Neighbor[] = [];
  // The score of the last that may be among the best, once there are as many.
  let bound: number | undefined;
  const keepBest = () => {
    found = found.sort((a, b) => nearer * (a.score - b.score) || a.row - b.row).slice(0, k);
    if (found.length === k) bound = found[k - 1].score;
  };
  const step = gathered.length / table.dim;
  for (let start = 0; start < ids.length; start += step) {
    const part = ids.subarray(start, start + step);
    const { data } = await table.gather(part, gathered);
    const { scores, norms } = compareExactly(data, query, metric, kernel, removed);
    for (const [index, row] of part.entries()) {
      const score = scores[index];
      if (!Number.isFinite(score) || (threshold !== undefined && isFar(score, threshold))) continue;
      if (bound === undefined || !isFar(score, bound)) found.push({ row, score, norm: norms[index] });
    }
    if (found.length > keptRows + 2 * k) keepBest();
  }
  keepBest();
  return found;
}
