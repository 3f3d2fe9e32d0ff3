/** Ways to make one row of many. */
export const poolings = ['mean', 'max', 'sum', 'first', 'last'] as const;
export type Pooling = (typeof poolings)[number];

/** A pooling under way: rows come in pieces, so that a long text need not lie in memory at once. */
export interface Pool {
  /** Shape: rows [n, dim], n >= 0 */
  add(rows: Float32Array): void;
  /** Shape: → [dim] */
  result(): Float32Array;
}

/**
 * Starts pooling rows to one row.
 *
 * Sums are taken in float64 and rounded once. A NaN stays a NaN, as in torch. Of no rows the sum is zeros; mean, max, first
 * and last are unknown: NaN.
 */
export function startPool(pooling: Pooling, dim: number): Pool {
  switch (pooling) {
    case 'mean':
      return poolSums(dim, (sum, rows) => sum / rows);
    case 'sum':
      return poolSums(dim, (sum) => sum);
    case 'max':
      return poolLargest(dim);
    case 'first':
      return poolOne(dim, (rows, result, seen) => {
        if (!seen) result.set(rows.subarray(0, dim));
      });
    case 'last':
      return poolOne(dim, (rows, result) => result.set(rows.subarray(rows.length - dim)));
  }
}

function poolSums(dim: number, finish: (sum: number, rows: number) => number): Pool {
  const sums = new Float64Array(dim);
  let count = 0;
  return {
    add(rows) {
      for (let start = 0; start < rows.length; start += dim) {
        for (let d = 0; d < dim; d++) sums[d] += rows[start + d];
        count++;
      }
    },
    result: () => Float32Array.from(sums, (sum) => finish(sum, count)),
  };
}

function poolLargest(dim: number): Pool {
  return poolOne(dim, (rows, result, seen) => {
    if (!seen) result.set(rows.subarray(0, dim));
    for (let start = seen ? 0 : dim; start < rows.length; start += dim) {
      for (let d = 0; d < dim; d++) {
        const x = rows[start + d];
        if (x > result[d] || Number.isNaN(x)) result[d] = x;
      }
    }
  });
}

function poolOne(dim: number, take: (rows: Float32Array, result: Float32Array, seen: boolean) => void): Pool {
  const result = new Float32Array(dim).fill(Number.NaN);
  let seen = false;
  return {
    add(rows) {
      if (rows.length === 0) return;
      take(rows, result, seen);
      seen = true;
    },
    result: () => result,
  };
}
