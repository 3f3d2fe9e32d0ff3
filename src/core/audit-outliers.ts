import { normalScale } from './median.ts';

/** Robust deviations of the logarithm below the median at which a row counts as under-trained. */
export const suspiciousDeviations = 5;

/** The share of tokens with the lowest indicators that is worth trying out. Source: Land & Bartolo 2024, section 3.3 */
export const candidateShare = 0.02;

/** Where the low values of an indicator begin. */
export interface LowValues {
  /** Values at or below it are candidates; null without values. */
  candidateBound: number | null;
  /** Values at or below it are under-trained; null when the values do not differ. */
  bound: number | null;
  median: number | null;
  /** Median absolute deviation x 1.4826 of the natural logarithms. */
  deviation: number | null;
}

/**
 * Where the low tail of some values begins: the lowest 2 per cent, and 5 robust deviations below the median.
 *
 * Deviations are those of logarithms: norms and distances are at least 0, so a plain one may reach below what a value can be.
 * Percentiles are interpolated as NumPy does. Values that are not finite are left out, those that are not above 0 have no logarithm.
 * Cost: sorts three copies.
 */
export function lowValues(values: Float64Array): LowValues {
  const sorted = values.filter((value) => Number.isFinite(value)).sort();
  const candidateBound = sorted.length === 0 ? null : quantile(sorted, candidateShare);
  const logs = sorted.filter((value) => value > 0).map(Math.log);
  if (logs.length === 0) return { candidateBound, bound: null, median: null, deviation: null };
  const middle = quantile(logs, 0.5);
  const deviation = quantile(logs.map((value) => Math.abs(value - middle)).sort(), 0.5) * normalScale;
  const bound = deviation > 0 ? Math.exp(middle - suspiciousDeviations * deviation) : null;
  return { candidateBound, bound, median: Math.exp(middle), deviation };
}

/** How many robust deviations of the logarithm a value lies from the median; null where it has none. */
export function deviationsOf(value: number | null, { median, deviation }: LowValues): number | null {
  if (value === null || !(value > 0) || median === null || !deviation) return null;
  return Math.log(value / median) / deviation;
}

/** Shape: sorted, at least one value. */
function quantile(sorted: Float64Array, share: number): number {
  const place = (sorted.length - 1) * share;
  const low = Math.floor(place);
  const high = Math.min(sorted.length - 1, low + 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
}
