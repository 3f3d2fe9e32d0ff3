/** How near two rows are: cosine and dot are similarities, l2 is a distance. */
export type Metric = 'cosine' | 'dot' | 'l2';

/** Squares of rows that float32 sums hold without under- or overflow. */
const squareRange = [2 ** -90, 2 ** 100] as const;

/** Larger is nearer; NaN for a row without a direction. For l2 what a smaller distance makes larger. */
export function nearness(metric: Metric, dot: number, square: number): number {
  if (metric === 'dot') return dot;
  if (metric === 'l2') return 2 * dot - square;
  return square > 0 ? dot / Math.sqrt(square) : Number.NaN;
}

/** Whether float32 sums say how near a row is. */
export function isMeasured(square: number): boolean {
  return square > squareRange[0] && square < squareRange[1];
}

/** The most that the nearness of a row may be, where products are off by reach times its norm and squares by a part of them. */
export function mostNearness(
  metric: Metric,
  dot: number,
  square: number,
  reach: number,
  slack: number,
): number {
  if (metric === 'dot') return dot + reach * Math.sqrt(square);
  if (metric === 'l2') return 2 * (dot + reach * Math.sqrt(square)) - (1 - slack) * square;
  return nearness(metric, dot, square);
}

/** What products and squares say about the rows of a block. */
export interface CandidateBlock {
  /** Shape: [rows] each, float32 sums of one query. */
  dots: Float32Array;
  squares: Float32Array;
  rows: number;
  metric: Metric;
  /** Rows of this nearness and less are no candidates, even at the most that their sums may be off. */
  bound: number;
  /** That is for dot `reach` times the norm of the row; for l2 twice that, and `slack` times its square. The cosine's is in the bound. */
  reach: number;
  slack: number;
  /** Shape: [rows]. Where the numbers of the candidates go, in ascending order. */
  found: Uint32Array;
}

/** What is summed up over rows and one query, in float64 from first to last. */
export interface ExactBlock {
  /** Shape: [rows, dim] */
  data: Float64Array;
  rows: number;
  /** Shape: [dim] */
  query: Float64Array;
  /** Shape: [rows, 3]. The dot product, the square of the row, the square of the distance. */
  sums: Float64Array;
}

/** Selecting rows and comparing the chosen ones: run once, in code that V8 has not compiled yet, these loops took longer than the products. */
export interface NearnessKernel {
  /** How many rows are nearer than the bound or not measured by float32 sums; their numbers are in `found`. */
  candidates(block: CandidateBlock): number;
  sumExactly(block: ExactBlock): void;
}

/** The reference. */
export const plainNearness: NearnessKernel = {
  candidates({ dots, squares, rows, metric, bound, reach, slack, found }) {
    let count = 0;
    for (let row = 0; row < rows; row++) {
      const square = squares[row];
      if (!isMeasured(square) || mostNearness(metric, dots[row], square, reach, slack) > bound)
        found[count++] = row;
    }
    return count;
  },
  sumExactly({ data, rows, query, sums }) {
    const dim = query.length;
    for (let row = 0; row < rows; row++) {
      let [dot, square, distance] = [0, 0, 0];
      for (let i = 0; i < dim; i++) {
        const value = data[row * dim + i];
        const gap = value - query[i];
        dot += value * query[i];
        square += value * value;
        distance += gap * gap;
      }
      sums.set([dot, square, distance], row * 3);
    }
  },
};
