import { exponentialText, fixedText } from '../text/half-even.ts';
import { longestShortest, shortestText, writeShortest } from '../text/shortest.ts';
import { roundValue, type VectorDtype } from './narrow.ts';
import { type PrintedArray, shownValues } from './printed-arrays.ts';

/** From here on NumPy writes exponents: 10 to the number of decimal digits that the dtype holds, at most 8. */
const exponentFrom: Readonly<Record<Exclude<VectorDtype, 'bfloat16'>, number>> = {
  float16: 1e3,
  float32: 1e6,
  float64: 1e8,
};

/** What the first pass over the values found. */
interface Widths {
  /** Digits before the point, sign included. */
  left: number;
  /** Digits after it. */
  right: number;
  /** All that follows the point: digits, and the exponent if there is one. */
  afterPoint: number;
  finite: number;
  nonFinite: number;
  negativeInfinity: boolean;
}

/**
 * How NumPy prints each element of an array: the shortest decimal of its dtype, cut at `precision`; one notation for all, points under
 * each other.
 *
 * Source: numpy/_core/arrayprint.py 2.4, FloatingFormat with floatmode maxprec; dragon4.c.
 */
export function elementText(
  array: PrintedArray,
  dtype: Exclude<VectorDtype, 'bfloat16'>,
  precision: number,
): (value: number) => string {
  const scientific = needsExponent(array, dtype);
  const shorten = scientific
    ? (value: number) => scientificText(value, dtype, precision)
    : (value: number) => positionalText(value, dtype, precision);
  const widths = measure(array, shorten, scientific);
  // NaN and inf ask for room too, when the numbers beside them leave too little.
  if (widths.nonFinite > 0) {
    const offset = widths.afterPoint + 1;
    widths.left = Math.max(widths.left, 3 - offset, 3 + Number(widths.negativeInfinity) - offset);
  }
  const whole = widths.left + widths.afterPoint + 1;
  return (value) => {
    if (!Number.isFinite(value)) return fixedText(value, 0).padStart(whole);
    const text = scientific ? paddedScientific(value, dtype, widths.right) : shorten(value);
    const point = text.indexOf('.');
    const aligned = ' '.repeat(Math.max(0, widths.left - point)) + text;
    return scientific ? aligned : aligned.padEnd(whole);
  };
}

function measure(array: PrintedArray, shorten: (value: number) => string, scientific: boolean): Widths {
  const widths = { left: 0, right: 0, afterPoint: 0, finite: 0, nonFinite: 0, negativeInfinity: false };
  forEachShown(array, (value) => {
    if (!Number.isFinite(value)) {
      widths.nonFinite++;
      widths.negativeInfinity ||= value < 0;
      return;
    }
    const text = shorten(value);
    const point = text.indexOf('.');
    const end = scientific ? text.indexOf('e') : text.length;
    widths.finite++;
    widths.left = Math.max(widths.left, point);
    widths.right = Math.max(widths.right, end - point - 1);
  });
  // An exponent is always e, a sign and two digits for values of a float32.
  widths.afterPoint = widths.right + (scientific ? 4 : 0);
  return widths;
}

function needsExponent(array: PrintedArray, dtype: Exclude<VectorDtype, 'bfloat16'>): boolean {
  let largest = 0;
  let smallest = Number.POSITIVE_INFINITY;
  forEachShown(array, (value) => {
    if (value === 0 || !Number.isFinite(value)) return;
    largest = Math.max(largest, Math.abs(value));
    smallest = Math.min(smallest, Math.abs(value));
  });
  if (largest === 0) return false;
  // The limit and the ratio are computed in the dtype of the array.
  return (
    largest >= exponentFrom[dtype] ||
    smallest < roundValue(0.0001, dtype) ||
    roundValue(largest / smallest, dtype) > 1000
  );
}

function forEachShown(array: PrintedArray, visit: (value: number) => void): void {
  for (const rows of array.sequences) {
    for (const row of rows) for (const value of shownValues(row, array.summarized)) visit(value);
  }
}

const scratch = Buffer.alloc(longestShortest);

/** The shortest decimal that reads back in the dtype, as JavaScript spells it. */
function uniqueText(value: number, dtype: VectorDtype): string {
  if (dtype === 'float32') return scratch.toString('latin1', 0, writeShortest(value, scratch, 0, 'plain'));
  if (dtype === 'float16') return shortestText(value, (near) => roundValue(near, 'float16'));
  return Object.is(value, -0) ? '-0' : String(value);
}

/** At most `precision` decimals, no zeros at the end, always a point. */
function positionalText(value: number, dtype: VectorDtype, precision: number): string {
  const unique = uniqueText(value, dtype);
  const point = unique.indexOf('.');
  if (point < 0) return `${unique}.`;
  if (unique.length - point - 1 <= precision) return unique;
  return trimZeros(precision === 0 ? `${fixedText(value, 0)}.` : fixedText(value, precision));
}

/** At most `precision` decimals, no zeros before the exponent, always a point. */
function scientificText(value: number, dtype: VectorDtype, precision: number): string {
  const shortest = uniqueScientific(value, dtype);
  if (decimalsOf(shortest) <= precision) return shortest;
  const text = withPoint(exponentialText(value, precision));
  const mark = text.indexOf('e');
  return trimZeros(text.slice(0, mark)) + text.slice(mark);
}

/** Exactly `decimals` of them: beyond the shortest NumPy prints digits of the value, not zeros. */
function paddedScientific(value: number, dtype: VectorDtype, decimals: number): string {
  const shortest = uniqueScientific(value, dtype);
  return decimalsOf(shortest) === decimals ? shortest : withPoint(exponentialText(value, decimals));
}

/** The shortest decimal as d.ddde-05, the point always there. */
function uniqueScientific(value: number, dtype: VectorDtype): string {
  const size = Math.abs(Number(uniqueText(value, dtype)));
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  return sign + withPoint(size.toExponential().replace(/(?<=e[+-])(?=\d$)/, '0'));
}

function withPoint(text: string): string {
  return text.includes('.') ? text : text.replace('e', '.e');
}

function decimalsOf(text: string): number {
  return text.indexOf('e') - text.indexOf('.') - 1;
}

function trimZeros(text: string): string {
  return text.replace(/0+$/, '');
}
