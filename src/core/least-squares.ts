/** A column is dependent on those before it when less than this of its length is left without them. */
const dependent = 1e-10;

/** Rounds of Lawson and Hanson's method per column, far above what it takes. */
const roundsPerColumn = 10;

/**
 * Coefficients of the sum of columns that is nearest to a target; 0 for a column that depends on those before it.
 *
 * By orthogonal columns (Gram-Schmidt, each taken out twice), not by the Gram matrix, which would square the error.
 * Shape: columns k x [dim], target [dim] → [k]
 */
export function leastSquares(columns: readonly Float64Array[], target: Float64Array): Float64Array {
  const units: Float64Array[] = [];
  const used: number[] = [];
  // triangle[i][j]: how much of unit j is in the i-th used column.
  const triangle: number[][] = [];
  for (const [index, column] of columns.entries()) {
    const left = column.slice();
    const parts = units.map(() => 0);
    for (let round = 0; round < 2; round++)
      for (const [at, unit] of units.entries()) {
        const part = product(left, unit);
        parts[at] += part;
        addMultiple(left, unit, -part);
      }
    const length = Math.sqrt(product(left, left));
    if (!(length > dependent * Math.sqrt(product(column, column)))) continue;
    units.push(left.map((value) => value / length));
    used.push(index);
    triangle.push([...parts, length]);
  }
  const coefficients = new Float64Array(columns.length);
  const rest = target.slice();
  const sums = units.map((unit) => {
    const part = product(rest, unit);
    addMultiple(rest, unit, -part);
    return part;
  });
  for (let at = used.length - 1; at >= 0; at--) {
    let sum = sums[at];
    for (let later = at + 1; later < used.length; later++)
      sum -= triangle[later][at] * coefficients[used[later]];
    coefficients[used[at]] = sum / triangle[at][at];
  }
  return coefficients;
}

/**
 * The same with no coefficient below 0.
 *
 * Source: Lawson & Hanson, Solving Least Squares Problems (1974), algorithm NNLS.
 * Shape: columns k x [dim], target [dim] → [k]
 */
export function nonNegativeLeastSquares(
  columns: readonly Float64Array[],
  target: Float64Array,
): Float64Array {
  const lengths = columns.map((column) => Math.sqrt(product(column, column)));
  const scale = Math.sqrt(product(target, target));
  let coefficients = new Float64Array(columns.length);
  const free = new Set<number>();
  for (let round = 0; round < roundsPerColumn * columns.length; round++) {
    const rest = residualOf(columns, coefficients, target);
    const gains = columns.map((column, i) => (free.has(i) ? 0 : product(column, rest) / lengths[i]));
    const best = gains.reduce((top, gain, i) => (gain > gains[top] ? i : top), 0);
    if (!(gains[best] > 1e-12 * scale)) break;
    free.add(best);
    coefficients = solveFree(columns, target, free, coefficients);
  }
  return coefficients;
}

/** Solves for the free columns, and binds those that would go below 0, until none does. */
function solveFree(
  columns: readonly Float64Array[],
  target: Float64Array,
  free: Set<number>,
  start: Float64Array<ArrayBuffer>,
): Float64Array<ArrayBuffer> {
  const current = start.slice();
  while (free.size > 0) {
    const list = [...free].sort((a, b) => a - b);
    const solved = leastSquares(
      list.map((i) => columns[i]),
      target,
    );
    let step = 1;
    list.forEach((i, at) => {
      if (solved[at] <= 0) step = Math.min(step, current[i] / (current[i] - solved[at]));
    });
    if (Number.isNaN(step)) step = 0;
    list.forEach((i, at) => {
      const bound = solved[at] <= 0 && current[i] + step * (solved[at] - current[i]) <= 1e-15;
      current[i] = bound ? 0 : current[i] + step * (solved[at] - current[i]);
      if (bound) free.delete(i);
    });
    if (step === 1) break;
  }
  return current;
}

/** What columns times coefficients leave of a target. Shape: → [dim] */
export function residualOf(
  columns: readonly Float64Array[],
  coefficients: Float64Array,
  target: Float64Array,
): Float64Array {
  const rest = target.slice();
  for (const [i, column] of columns.entries()) addMultiple(rest, column, -coefficients[i]);
  return rest;
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function addMultiple(to: Float64Array, values: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i] += factor * values[i];
}
