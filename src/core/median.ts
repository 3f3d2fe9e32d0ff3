/** What a median absolute deviation is multiplied with to be the standard deviation of a normal distribution. */
export const normalScale = 1.4826;

/** The middle value, or the mean of the two in the middle; NaN when there are none. Cost: sorts a copy. */
export function medianOf(values: Float64Array): number {
  const sorted = values.slice().sort();
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
