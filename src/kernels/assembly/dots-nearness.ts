// The twin of ../nearness.ts: the same float64 arithmetic in the same order. Addresses are bytes in the arena.

/** Numbers of metrics, as ../dots.ts gives them. */
export const dotMetric: i32 = 1;
export const l2Metric: i32 = 2;

/** 2^-90 and 2^100: squares between them are what float32 sums hold. */
const leastSquare: f64 = 8.077935669463161e-28;
const mostSquare: f64 = 1.2676506002282294e30;

/** What float32 sums of thousands of values may be off, and much more. */
const partSlack: f64 = 1.0 / 8192;

/** Whether float32 sums say how near a row of this square is. */
// @ts-ignore: decorator
@inline
export function isMeasured(square: f64): bool {
  return square > leastSquare && square < mostSquare;
}

/** Whether a row may be nearer than the bound where products are off by `reach` times its norm and squares by `slack` times them, or is not measured. */
// @ts-ignore: decorator
@inline
export function isNear(metric: i32, dot: f64, square: f64, bound: f64, reach: f64, slack: f64): bool {
  if (!isMeasured(square)) return true;
  if (metric == dotMetric) return dot + reach * sqrt(square) > bound;
  if (metric == l2Metric) return 2 * (dot + reach * sqrt(square)) - (1 - slack) * square > bound;
  return dot / sqrt(square) > bound;
}

/**
 * Whether isNear may hold for a row of which a part has this square: not for dot, which needs all of it. What float32 did not hold may be
 * anything.
 */
// @ts-ignore: decorator
@inline
export function mayBeNear(metric: i32, dot: f64, part: f64, bound: f64, reach: f64, slack: f64): bool {
  if (!(part > leastSquare && part < mostSquare && abs(dot) < mostSquare)) return true;
  if (metric == dotMetric || slack >= 0.5) return true;
  const least = part * (1 - partSlack);
  if (metric == l2Metric) {
    // The nearness falls from the norm on where reach is what the square loses.
    const norm = max(sqrt(least), reach / (1 - slack));
    return 2 * (dot + reach * norm) - (1 - slack) * norm * norm > bound;
  }
  if (dot <= 0) return bound < 0;
  return bound < 0 || dot * dot > bound * bound * least;
}

/** Values at the start of a row that are squared before it may be near: a quarter, all of a short row. A multiple of 16. */
export function measuredDim(dim: i32): i32 {
  return dim < 256 ? dim & ~15 : (dim >> 2) & ~15;
}

/**
 * Writes the numbers of the rows that may be nearer than the bound, or whose square float32 cannot hold. Returns their count.
 *
 * Shape: dots, squares f32 [rows] → found u32 [rows]
 */
export function candidates(
  dots: usize,
  squares: usize,
  rows: i32,
  metric: i32,
  bound: f64,
  reach: f64,
  slack: f64,
  found: usize,
): i32 {
  let end = found;
  for (let row = 0; row < rows; row++) {
    const at = (<usize>row) << 2;
    if (isNear(metric, load<f32>(dots + at), load<f32>(squares + at), bound, reach, slack)) {
      store<u32>(end, row);
      end += 4;
    }
  }
  return <i32>((end - found) >> 2);
}

/**
 * Products, squares and squared distances of rows and one query.
 *
 * Shape: data f64 [rows, dim], query f64 [dim] → sums f64 [rows, 3]
 */
export function sumExactly(data: usize, rows: i32, dim: i32, query: usize, sums: usize): void {
  const bytes = (<usize>dim) << 3;
  for (let row = 0; row < rows; row++) {
    let dot: f64 = 0;
    let square: f64 = 0;
    let distance: f64 = 0;
    for (let at: usize = 0; at < bytes; at += 8) {
      const value = load<f64>(data + at);
      const other = load<f64>(query + at);
      const gap = value - other;
      dot += value * other;
      square += value * value;
      distance += gap * gap;
    }
    store<f64>(sums, dot);
    store<f64>(sums, square, 8);
    store<f64>(sums, distance, 16);
    data += bytes;
    sums += 24;
  }
}
