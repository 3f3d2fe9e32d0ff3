/** Largest whole number of 64 bits. */
const mostSignificand = 2n ** 64n - 1n;

/** The numbers that begin at places of a JSON, which were checked. */
export function readScores(bytes: Uint8Array, places: Uint32Array): Float64Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const scores = new Float64Array(places.length);
  for (let i = 0; i < places.length; i++) {
    const at = places[i];
    let end = at;
    while (bytes[end] > 0x2c && bytes[end] < 0x3a) end++;
    // Digits and a point, few enough for 64 bits: what trainers write.
    const isPlain = (bytes[end] | 0x20) !== 0x65 && end - at < 20;
    scores[i] = isPlain ? plainScore(buffer.toString('latin1', at, end)) : scoreAt(bytes, at);
  }
  return scores;
}

const powers = Float64Array.from({ length: 20 }, (_, power) => Number(`1e${power}`));

function plainScore(text: string): number {
  const point = text.indexOf('.');
  if (point < 0) return Number(text);
  const fraction = text.length - point - 1;
  const value = Number(text.slice(0, point) + text.slice(point + 1));
  return value / powers[fraction];
}

/**
 * The number at bytes[at...] as Hugging Face's reader has it, which is not always the nearest.
 *
 * Source: parse_decimal and f64_from_parts of the crate serde_json without float_roundtrip: digits as a whole number of 64 bits, what does
 * not fit is cut off, times or by a power of ten.
 */
function scoreAt(bytes: Uint8Array, start: number): number {
  let at = start;
  const negative = bytes[at] === 0x2d;
  if (negative) at++;
  let digits = '';
  let exponent = 0;
  let cut = false;
  for (let fraction = false; ; at++) {
    const byte = bytes[at];
    if (byte === 0x2e) {
      fraction = true;
      continue;
    }
    if (!(byte >= 0x30 && byte <= 0x39)) break;
    if (!cut && digits.length >= 19) cut = BigInt(digits + String.fromCharCode(byte)) > mostSignificand;
    if (!cut) digits += String.fromCharCode(byte);
    if (cut !== fraction) exponent += cut ? 1 : -1;
  }
  if ((bytes[at] | 0x20) === 0x65) {
    let end = at + 1;
    while (bytes[end] === 0x2b || bytes[end] === 0x2d || (bytes[end] >= 0x30 && bytes[end] <= 0x39)) end++;
    exponent += Number(String.fromCharCode(...bytes.subarray(at + 1, Math.min(end, at + 12))));
  }
  let value = Number(digits);
  for (; exponent < -308 && value !== 0; exponent += 308) value /= 1e308;
  if (exponent < 0) value /= Number(`1e${-exponent}`);
  else value *= Number(`1e${exponent}`);
  return negative ? -value : value;
}

/** End of the number with a point and without exponent at bytes[at...], -1 for any other, which may be none. */
export function decimalEnd(bytes: Uint8Array, at: number): number {
  const first = bytes[at] === 0x2d ? at + 1 : at;
  let end = first;
  while (bytes[end] >= 0x30 && bytes[end] <= 0x39) end++;
  if (end === first || (end > first + 1 && bytes[first] === 0x30) || bytes[end] !== 0x2e) return -1;
  const point = end++;
  while (bytes[end] >= 0x30 && bytes[end] <= 0x39) end++;
  const next = bytes[end];
  return end > point + 1 && (next === 0x5d || next === 0x20 || next === 0x0a) ? end : -1;
}
