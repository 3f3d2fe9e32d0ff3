/** Numbers from here on are written in scientific notation: before it, a column of them still lines up. */
const scientificFrom = 1e5;

const smallest = (precision: number): number => Math.min(1, 10 ** (1 - precision));

function formatSpecial(value: number): string {
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/**
 * A number for people: `precision` decimals, in scientific notation where they would say little or too much.
 *
 * Fixed decimals (0.1234, 12.3457) and not significant digits, as PyTorch and NumPy print: the points of a column stand under each
 * other, and the spread of an embedding row is seen by looking down it. Below 10^(1 - precision), where fewer than two digits
 * would be left, and from 1e5 on it is 1.2346e-5. NaN and infinities are nan, inf, -inf; zeros keep their sign.
 */
export function formatNumber(value: number, precision = 4): string {
  if (!Number.isFinite(value)) return formatSpecial(value);
  const size = Math.abs(value);
  if (size !== 0 && (size >= scientificFrom || size < smallest(precision)))
    return value.toExponential(precision);
  return Object.is(value, -0) ? `-${(0).toFixed(precision)}` : value.toFixed(precision);
}

/**
 * How to write the numbers of one matrix: one notation for all, chosen by the largest of them, as NumPy does.
 *
 * In a matrix whose numbers are around 0.1, a 0.00004 is 0.0000: what is near zero should look so.
 */
export function numberStyle(largest: number, precision = 4): (value: number) => string {
  const scientific = largest !== 0 && (largest >= scientificFrom || largest < smallest(precision));
  return (value) =>
    !Number.isFinite(value)
      ? formatSpecial(value)
      : scientific && value !== 0
        ? value.toExponential(precision)
        : Object.is(value, -0)
          ? `-${(0).toFixed(precision)}`
          : value.toFixed(precision);
}

/** The largest absolute value among the finite ones, 0 when there is none: what numberStyle and color scales go by. */
export function largestFinite(values: Iterable<number>): number {
  let largest = 0;
  for (const value of values) {
    const size = Math.abs(value);
    if (size > largest && size !== Number.POSITIVE_INFINITY) largest = size;
  }
  return largest;
}

/** A whole number with thousands separators: 38,400,000. A number that is not whole is written by formatNumber. */
export function formatCount(value: number | bigint): string {
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) return formatNumber(value);
    // String would write 1e+21; adding 0 drops the sign of zero.
    if (Math.abs(value) >= 1e21) return formatCount(BigInt(value));
    value += 0;
  }
  // Not toLocaleString and no regular expression: either takes milliseconds the first time.
  const digits = String(value);
  const sign = digits.startsWith('-') ? 1 : 0;
  let grouped = digits.slice(-3);
  let end = digits.length - 3;
  for (; end > sign; end -= 3) grouped = `${digits.slice(Math.max(sign, end - 3), end)},${grouped}`;
  return sign === 1 && digits.length > 3 ? `-${grouped}` : digits.length > 3 ? grouped : digits;
}

const shortUnits = ['', 'k', 'M', 'B', 'T'];

/** A count in at most four digits and a unit: 38.4M, 175.2B; k, M, B, T are powers of 1000. */
export function formatShort(value: number | bigint): string {
  let rest = Number(value);
  let unit = 0;
  // 999.95 and not 1000: one decimal must not round up to 1000.0.
  while (Math.abs(rest) >= (unit === 0 ? 1000 : 999.95) && unit < shortUnits.length - 1) {
    rest /= 1000;
    unit++;
  }
  const digits = unit === 0 ? formatCount(rest) : rest.toFixed(1).replace(/\.0$/, '');
  return digits + shortUnits[unit];
}

/** Exact and short: 38,400,000 (38.4M). Below a million the exact count alone can be read. */
export function formatCountWithShort(value: number | bigint): string {
  const size = typeof value === 'bigint' ? (value < 0n ? -value : value) : Math.abs(value);
  return size >= 1e6 && Number.isFinite(Number(value))
    ? `${formatCount(value)} (${formatShort(value)})`
    : formatCount(value);
}

const sizeUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** A byte count in binary units: 512 B, 146.5 MiB. */
export function formatSize(bytes: number | bigint): string {
  let rest = Number(bytes);
  if (!Number.isFinite(rest)) return formatSpecial(rest);
  let unit = 0;
  while (Math.abs(rest) >= (unit === 0 ? 1024 : 1023.95) && unit < sizeUnits.length - 1) {
    rest /= 1024;
    unit++;
  }
  return `${unit === 0 ? formatCount(rest) : rest.toFixed(1)} ${sizeUnits[unit]}`;
}

/** A share of 1 in per cent: 31.0%; below 1% with two significant digits: 0.043%. */
export function formatShare(share: number): string {
  if (!Number.isFinite(share)) return formatSpecial(share);
  const percent = share * 100;
  if (percent === 0) return '0%';
  return `${Math.abs(percent) >= 0.95 ? percent.toFixed(1) : shortest(percent)}%`;
}

function shortest(percent: number): string {
  return Math.abs(percent) >= 1e-4 ? String(Number(percent.toPrecision(2))) : percent.toExponential(1);
}
