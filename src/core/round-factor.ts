/** Bits of the significand after the leading one. */
const fractionBits: Readonly<Record<string, number>> = { F32: 23, F16: 10, BF16: 7 };

/**
 * A factor as a model keeps it: rounded to nearest even in the dtype of its weights.
 *
 * For factors in the normal range of the dtype; other dtypes leave it as it is.
 */
export function roundFactor(factor: number, dtype: string): number {
  const bits = fractionBits[dtype];
  if (bits === undefined || factor === 0 || !Number.isFinite(factor)) return factor;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(factor))) - bits);
  const scaled = factor / unit;
  const low = Math.floor(scaled);
  const rest = scaled - low;
  const rounded = rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
  return rounded * unit;
}
