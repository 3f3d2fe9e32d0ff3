/**
 * A float32 with exactly `digits` decimals, ties to even, as C's and Python's `%.4f` round. JavaScript's toFixed is exact too, but
 * sends ties away from zero, loses the sign of -0 and gives up at 1e21.
 *
 * Shape: digits 0 to 99. NaN is "nan", infinities are "inf" and "-inf".
 */
export function fixedText(value: number, digits: number): string {
  if (!Number.isFinite(value)) return nonFiniteText(value);
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (size >= 1e21) return `${sign}${BigInt(size)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`;
  const text = size.toFixed(digits);
  // On a tie JavaScript took the upper of two candidates; the double just below gives the lower one.
  return (
    sign + (isTie(size, digits) && isOddDigit(text, text.length - 1) ? below(size).toFixed(digits) : text)
  );
}

/**
 * A float32 as d.ddde-05 with exactly `digits` decimals, ties to even, as C's and Python's `%.4e`: at least two digits of exponent.
 *
 * Shape: digits 0 to 99. NaN is "nan", infinities are "inf" and "-inf".
 */
export function exponentialText(value: number, digits: number): string {
  if (!Number.isFinite(value)) return nonFiniteText(value);
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  let text = size.toExponential(digits);
  let mark = text.indexOf('e');
  if (isTie(size, digits - exponentOf(size)) && isOddDigit(text, mark - 1)) {
    text = below(size).toExponential(digits);
    mark = text.indexOf('e');
  }
  const power = text.slice(mark + 2);
  return `${sign}${text.slice(0, mark + 2)}${power.length < 2 ? '0' : ''}${power}`;
}

/** nan, inf or -inf. */
export function nonFiniteText(value: number): string {
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/**
 * True when value · 10^decimals ends in exactly one half. Then value · 2^(decimals + 1) · 5^decimals is odd, and as value is an
 * integer times a power of two, value · 2^(decimals + 1) is an odd integer; that product is exact in a double.
 */
function isTie(size: number, decimals: number): boolean {
  if (decimals >= 0) return (size * 2 ** (decimals + 1)) % 2 === 1;
  if (!Number.isInteger(size)) return false;
  const halfStep = 5n * 10n ** BigInt(-decimals - 1);
  const whole = BigInt(size);
  return whole % halfStep === 0n && (whole / halfStep) % 2n === 1n;
}

function exponentOf(size: number): number {
  const text = size.toExponential();
  return Number(text.slice(text.indexOf('e') + 1));
}

function isOddDigit(text: string, index: number): boolean {
  const code = text.charCodeAt(text[index] === '.' ? index - 1 : index);
  return (code & 1) === 1;
}

function below(size: number): number {
  return size * (1 - 2 ** -53);
}
