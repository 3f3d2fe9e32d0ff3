import { exponentialText } from './half-even.ts';

/** Room that one float32 needs at most: a sign and 21 digits ("-340282350000000000000" is never longer). */
export const longestShortest = 24;

/**
 * 10^k and half an ulp for each biased exponent of a normal float32. k is chosen so that the scaled value lies in [1e8, 2e9): nine or
 * ten integer digits, and half an ulp in (2.9, 59.7), so that a nine-digit decimal always reads back.
 */
const scales = new Float64Array(255);
const halfUlps = new Float64Array(255);
const tens = new Int8Array(255);
for (let biased = 1; biased < 255; biased++) {
  const low = 2 ** (biased - 127);
  let k = 8 - Math.floor(Math.log10(low));
  while (low * Number(`1e${k}`) < 1e8) k++;
  while (low * Number(`1e${k}`) >= 1e9) k--;
  tens[biased] = k;
  scales[biased] = Number(`1e${k}`);
  halfUlps[biased] = 2 ** (biased - 127 - 24) * scales[biased];
}

const powersOfTen = new Int32Array(10).map((_, power) => 10 ** power);

/** "00" to "99", so that two digits cost one division. */
const pairs = new Uint8Array(200);
for (let pair = 0; pair < 100; pair++) {
  pairs[pair * 2] = 48 + Math.floor(pair / 10);
  pairs[pair * 2 + 1] = 48 + (pair % 10);
}

/** Scaling rounds at most twice, which moves a value below 2e9 by less than 1e-6. Whoever is nearer to a limit takes the exact path. */
const doubt = 1e-5;

const scratch = new Float32Array(1);
const scratchBits = new Int32Array(scratch.buffer);

/** What NaN and infinities become: `null` in JSON, nan, inf and -inf elsewhere. */
export type NonFiniteStyle = 'json' | 'plain';

/**
 * Writes the shortest decimal that reads back to the same float32, the closest one among the shortest; the number of bytes is at most
 * `longestShortest`. Exponents look as in JavaScript (1e-7, 1e+21), so the text is valid JSON and -0 stays -0.
 * What is in `out` behind the text may be overwritten, up to `longestShortest` bytes from `at`.
 *
 * @returns where the text ends in `out`
 */
export function writeShortest(value: number, out: Uint8Array, at: number, style: NonFiniteStyle): number {
  scratch[0] = value;
  return writeFloat(scratch[0], scratchBits[0], out, at, style);
}

/**
 * Writes values[start..end) as writeShortest does, with one separator byte between two of them.
 *
 * Cost: about 40 ns per value; out needs (longestShortest + 1) bytes per value.
 * @returns where the text ends in `out`
 */
export function writeShortestList(
  values: Float32Array,
  start: number,
  end: number,
  separator: number,
  out: Uint8Array,
  at: number,
  style: NonFiniteStyle,
): number {
  if (start >= end) return at;
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  let place = writeFloat(values[start], bits[start], out, at, style);
  for (let index = start + 1; index < end; index++) {
    out[place++] = separator;
    place = writeFloat(values[index], bits[index], out, place, style);
  }
  return place;
}

/**
 * The shortest decimal of a float32 as a string: 0.1, 1e-7, -0, NaN, Infinity; of a narrower dtype when `round` rounds to it.
 *
 * Cost: exact, and some 20 times slower than writeShortest.
 */
export function shortestText(value: number, round: (value: number) => number = Math.fround): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const size = Math.abs(value);
  const sign = value < 0 ? '-' : '';
  for (let precision = 1; precision <= 9; precision++) {
    // Ties to even: 2097152.25 is 2097152.2, as in NumPy.
    const nearest = Number(exponentialText(size, precision - 1));
    if (round(nearest) === size) return sign + nearest;
    // Above a power of two the gap is twice as wide as below: the farther neighbor may read back where the nearest does not.
    if (nearest < size) {
      const above = nextDecimal(size, precision);
      if (round(above) === size) return sign + above;
    }
  }
  return sign + size;
}

/** The decimal of `precision` digits that follows the nearest one. */
function nextDecimal(size: number, precision: number): number {
  const [digits, exponent] = exponentialText(size, precision - 1).split('e');
  return Number(`${Number(digits.replace('.', '')) + 1}e${Number(exponent) - precision + 1}`);
}

function writeFloat(value: number, bits: number, out: Uint8Array, at: number, style: NonFiniteStyle): number {
  let size = value;
  let place = at;
  if (bits < 0) {
    size = -value;
    // -null and -nan are no numbers.
    if ((bits & 0x7fffffff) < 0x7f800000) out[place++] = 45;
  }
  const whole = size | 0;
  if (whole === size && whole < 0x1000000) return writeDigits(whole, digitCount(whole), out, place);
  const biased = (bits >>> 23) & 255;
  if (biased === 0 || biased === 255 || (bits & 0x7fffff) === 0) return writeRare(value, out, place, style);

  const scaled = size * scales[biased];
  const half = halfUlps[biased];
  let digits = (scaled * 0.001 + 0.5) | 0;
  let drop = 3;
  let distance = Math.abs(scaled - digits * 1000);
  if (distance >= half - doubt) {
    if (distance < half + doubt) return writeRare(value, out, place, style);
    digits = (scaled * 0.01 + 0.5) | 0;
    drop = 2;
    distance = Math.abs(scaled - digits * 100);
    if (distance >= half - doubt || distance > 50 - doubt) {
      if (distance < half + doubt) return writeRare(value, out, place, style);
      digits = (scaled * 0.1 + 0.5) | 0;
      drop = 1;
      distance = Math.abs(scaled - digits * 10);
      if (distance >= half - doubt || distance > 5 - doubt) {
        if (distance < half + doubt) return writeRare(value, out, place, style);
        digits = (scaled + 0.5) | 0;
        drop = 0;
        if (Math.abs(scaled - digits) > 0.5 - doubt) return writeRare(value, out, place, style);
      }
    }
  } else {
    // Only a multiple of 1000 can have more zeros: the other steps would have been taken by the one before.
    for (let tenth = (digits / 10) | 0; tenth * 10 === digits; tenth = (digits / 10) | 0) {
      digits = tenth;
      drop++;
    }
  }
  const k = tens[biased];
  const all = digits * powersOfTen[drop];
  if (k < 15 && (k > 9 || (k === 9 && all < 1_000_000_000))) return writeFraction(all, k, out, place) - drop;
  return writeDecimal(digits, drop - k, out, place);
}

/**
 * Writes whole / 10^k, below 1 and at least 1e-6, with k decimals; whole has nine or ten digits. Digits and zeros are written whether
 * they count or not, and what is too much is overwritten: that is faster than to decide.
 */
function writeFraction(whole: number, k: number, out: Uint8Array, at: number): number {
  out[at] = 48;
  out[at + 2] = 48;
  out[at + 3] = 48;
  out[at + 4] = 48;
  out[at + 5] = 48;
  const end = at + 2 + k;
  const top = (whole / 100_000_000) | 0;
  const rest = whole - top * 100_000_000;
  const upper = (rest / 10_000) | 0;
  const lower = rest - upper * 10_000;
  writePair(top, out, end - 10);
  const first = (upper / 100) | 0;
  writePair(first, out, end - 8);
  writePair(upper - first * 100, out, end - 6);
  const third = (lower / 100) | 0;
  writePair(third, out, end - 4);
  writePair(lower - third * 100, out, end - 2);
  out[at + 1] = 46;
  return end;
}

function writePair(pair: number, out: Uint8Array, at: number): void {
  out[at] = pairs[pair * 2];
  out[at + 1] = pairs[pair * 2 + 1];
}

/** Writes digits · 10^exponent as JavaScript does: positional from 1e-6 up to 1e21, with an exponent elsewhere. */
function writeDecimal(digits: number, exponent: number, out: Uint8Array, at: number): number {
  const count = digitCount(digits);
  const point = count + exponent;
  let place = at;
  if (point <= 0 && point > -6) {
    out[place++] = 48;
    out[place++] = 46;
    for (let zeros = point; zeros < 0; zeros++) out[place++] = 48;
    return writeDigits(digits, count, out, place);
  }
  if (point > 0 && point <= 21) {
    if (exponent >= 0) {
      place = writeDigits(digits, count, out, place);
      for (let zeros = exponent; zeros > 0; zeros--) out[place++] = 48;
      return place;
    }
    return writeSplit(digits, count, point, out, place);
  }
  place = count === 1 ? writeDigits(digits, 1, out, place) : writeSplit(digits, count, 1, out, place);
  out[place++] = 101;
  const power = point - 1;
  out[place++] = power < 0 ? 45 : 43;
  const powerSize = Math.abs(power);
  return writeDigits(powerSize, digitCount(powerSize), out, place);
}

/** Writes digits with a point after the first `point` of them. */
function writeSplit(digits: number, count: number, point: number, out: Uint8Array, at: number): number {
  const power = powersOfTen[count - point];
  const whole = (digits / power) | 0;
  const place = writeDigits(whole, point, out, at);
  out[place] = 46;
  return writeDigits(digits - whole * power, count - point, out, place + 1);
}

/** Writes exactly `count` digits, with leading zeros when there are fewer. */
function writeDigits(digits: number, count: number, out: Uint8Array, at: number): number {
  let rest = digits;
  let place = at + count;
  while (place - at >= 2) {
    const next = (rest / 100) | 0;
    const pair = (rest - next * 100) * 2;
    rest = next;
    place -= 2;
    out[place] = pairs[pair];
    out[place + 1] = pairs[pair + 1];
  }
  if (place > at) out[at] = 48 + rest;
  return at + count;
}

function digitCount(digits: number): number {
  if (digits < 10_000) return digits < 100 ? (digits < 10 ? 1 : 2) : digits < 1000 ? 3 : 4;
  if (digits < 1_000_000) return digits < 100_000 ? 5 : 6;
  if (digits < 100_000_000) return digits < 10_000_000 ? 7 : 8;
  return 9;
}

/** Powers of two, subnormals, values too near to a limit, NaN and infinities; the sign is written already. */
function writeRare(value: number, out: Uint8Array, at: number, style: NonFiniteStyle): number {
  let text: string;
  if (Number.isFinite(value)) text = shortestText(Math.abs(value));
  else if (style === 'json') text = 'null';
  else text = Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  let place = at;
  for (let index = 0; index < text.length; index++) out[place++] = text.charCodeAt(index);
  return place;
}
