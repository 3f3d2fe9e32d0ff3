/** A correlation and the chance of one as strong between unrelated lists (two-sided); null where it is not defined. */
export interface Correlation {
  r: number | null;
  p: number | null;
}

/**
 * Pearson's correlation of two lists.
 *
 * Shape: x [n], y [n]. r is null for less than two values and where one list is constant.
 * Source: scipy.stats.pearsonr; its p is the same for the exact distribution and for Student's t.
 */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): Correlation {
  const r = correlate(x, y);
  if (r === null) return { r, p: null };
  return { r, p: x.length === 2 ? 1 : chance(r, x.length) };
}

/**
 * Spearman's correlation: Pearson's of the ranks, equal values sharing the mean of theirs.
 *
 * Source: scipy.stats.spearmanr. p is null for two values.
 */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): Correlation {
  const r = correlate(ranksOf(x), ranksOf(y));
  return { r, p: r === null || x.length === 2 ? null : chance(r, x.length) };
}

function correlate(x: ArrayLike<number>, y: ArrayLike<number>): number | null {
  if (x.length < 2 || isConstant(x) || isConstant(y)) return null;
  const [a, b] = [centered(x), centered(y)];
  // In this form equal lists have r = 1 exactly.
  const r = dotOf(a, b) / Math.sqrt(dotOf(a, a) * dotOf(b, b));
  return Number.isFinite(r) ? Math.max(-1, Math.min(1, r)) : null;
}

function dotOf(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

function isConstant(values: ArrayLike<number>): boolean {
  return Array.prototype.every.call(values, (value) => value === values[0]);
}

/** Without its mean, divided by the largest size: squares of it neither over- nor underflow. */
function centered(values: ArrayLike<number>): Float64Array {
  const data = Float64Array.from(values);
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const shifted = data.map((value) => value - mean);
  const largest = shifted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return shifted.map((value) => value / largest);
}

/** Ranks from 1; NaN for all where one value is NaN. Shape: [n] → [n] */
export function ranksOf(values: ArrayLike<number>): Float64Array {
  if (Array.prototype.some.call(values, Number.isNaN))
    return new Float64Array(values.length).fill(Number.NaN);
  const order = Array.from({ length: values.length }, (_, index) => index);
  order.sort((a, b) => values[a] - values[b]);
  const ranks = new Float64Array(values.length);
  for (let first = 0; first < order.length; ) {
    let end = first + 1;
    while (end < order.length && values[order[end]] === values[order[first]]) end++;
    for (let at = first; at < end; at++) ranks[order[at]] = (first + 1 + end) / 2;
    first = end;
  }
  return ranks;
}

/** P(|t| at least that of r) for n - 2 degrees of freedom. */
function chance(r: number, n: number): number {
  return incompleteBeta((1 - r) * (1 + r), (n - 2) / 2, 0.5);
}

/** Steps of the continued fraction: it needs about sqrt(max(a, b)). */
const mostSteps = 10_000;
const enough = 1e-16;
/** In place of a 0 that would be divided by. */
const tiny = 1e-300;

/**
 * The regularized incomplete beta function I_x(a, b).
 *
 * Source: NIST Digital Library of Mathematical Functions, 8.17.22 (evaluated by Lentz's method) and 8.17.4.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b));
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= mostSteps; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const coefficient of [even, odd]) {
      d = 1 / nonZero(1 + coefficient * d);
      c = nonZero(1 + coefficient / c);
      fraction *= d * c;
      change = d * c;
    }
    if (Math.abs(change - 1) < enough) break;
  }
  return (front * fraction) / a;
}

function nonZero(value: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

/** Coefficients for g = 7 and nine terms, good to 15 digits. Source: Lanczos 1964; Godfrey's table. */
const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** ln Γ(x) for x > 0. */
function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const z = x - 1;
  const t = z + 7.5;
  const series = lanczos.reduce((sum, term, i) => (i === 0 ? term : sum + term / (z + i)), 0);
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(series);
}
