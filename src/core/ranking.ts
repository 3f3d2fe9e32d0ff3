import type { DotKernel } from '../kernels/dots.ts';
import type { Metric } from '../kernels/nearness.ts';
import type { EmbeddingTable } from '../types.ts';
import type { Components } from './components.ts';
import { compareExactly } from './nearness.ts';

/** Bytes of rows that are gathered at a time, one row at least. */
const gatherBytes = 1 << 20;

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
  const found: Neighbor[] = [];
  const most = gathered.length / table.dim;
  for (let start = 0; start < ids.length; start += most) {
    const part = ids.subarray(start, start + most);
    const { data } = await table.gather(part, gathered);
    for (const [index, nearness] of compareExactly(data, query, metric, kernel, removed).entries()) {
      const { score } = nearness;
      if (!Number.isFinite(score)) continue;
      const far = threshold !== undefined && (metric === 'l2' ? score > threshold : score < threshold);
      if (!far) found.push({ row: part[index], ...nearness });
    }
  }
  const nearer = metric === 'l2' ? 1 : -1;
  return found.sort((a, b) => nearer * (a.score - b.score) || a.row - b.row).slice(0, k);
}
