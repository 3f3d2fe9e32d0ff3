/** How near two rows are: cosine and dot are similarities, l2 is a distance. */
export type Metric = 'cosine' | 'dot' | 'l2';

/** Larger is nearer; NaN for a row without a direction. For l2 what a smaller distance makes larger. */
export function nearness(metric: Metric, dot: number, square: number): number {
  if (metric === 'dot') return dot;
  if (metric === 'l2') return 2 * dot - square;
  return square > 0 ? dot / Math.sqrt(square) : Number.NaN;
}

/** The score of a row in float64, and its norm. Shape: row [dim], query [dim] */
export function compareExactly(
  row: Float64Array,
  query: Float64Array,
  queryNorm: number,
  metric: Metric,
): { score: number; norm: number } {
  let dot = 0;
  let square = 0;
  let distance = 0;
  for (let i = 0; i < row.length; i++) {
    dot += row[i] * query[i];
    square += row[i] * row[i];
    distance += (row[i] - query[i]) ** 2;
  }
  const norm = Math.sqrt(square);
  if (metric === 'dot') return { score: dot, norm };
  if (metric === 'l2') return { score: Math.sqrt(distance), norm };
  return { score: Math.max(-1, Math.min(1, dot / norm / queryNorm)), norm };
}
