// The SIMD twin of ../text-vectors.ts, compiled by scripts/generate-wasm.mjs. Reads up to 64 bytes behind the text; addresses are bytes in the arena. A row with anything that this does not read exactly (nan, inf, more than 19 digits, a value that a rounding decides) is left to the plain kernel.

/** 10^0 to 10^60, each the nearest double; exact up to 10^22. */
const powers: StaticArray<f64> = [
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31, 1e32, 1e33, 1e34, 1e35, 1e36, 1e37, 1e38, 1e39,
  1e40, 1e41, 1e42, 1e43, 1e44, 1e45, 1e46, 1e47, 1e48, 1e49, 1e50, 1e51, 1e52, 1e53, 1e54, 1e55, 1e56, 1e57, 1e58,
  1e59, 1e60,
];
const scales: StaticArray<u64> = [1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000];
const largestPower: i32 = 60;
const largestExactPower: i32 = 22;
const largestExact: u64 = 9007199254740992;
/** 10^19 - 1 fits 64 bits. */
const mostDigits: i32 = 19;
/** Four units in the last place of a double: more than two conversions and a division err. */
const doubt: f64 = 8.881784197001252e-16;

/** "00000000". */
const zeros: u64 = 0x3030303030303030;

/** Records the lines that end in [from, to). Ends are relative to `text`. */
export function indexLines(
  text: usize,
  from: usize,
  to: usize,
  seed: u32,
  capacity: i32,
  ends: usize,
  wordLengths: usize,
  hashes: usize,
  separators: usize,
  words: usize,
): i32 {
  let start = from;
  for (let line = 0; line < capacity; line++) {
    let at = start;
    let hash = seed;
    let word = words;
    let byte: u32 = 0;
    while (at < to) {
      byte = load<u8>(at);
      if (byte === 32 || byte === 9 || byte === 10) break;
      store<u8>(word++, <u8>byte);
      hash = (hash ^ byte) * 16777619;
      at++;
    }
    const wordEnd = at;
    const count = countSeparators(at, to);
    if (found >= to) return line;
    const place = <usize>line << 2;
    store<u32>(ends + place, <u32>(found - text));
    store<u32>(wordLengths + place, <u32>(wordEnd - start));
    store<u32>(hashes + place, hash);
    store<u32>(separators + place, count);
    words = word;
    start = found + 1;
  }
  return capacity;
}

/** Where the last countSeparators stopped: at a line feed, or at or behind the end. */
let found: usize = 0;

/** Spaces and tabs from `at` to the next line feed. */
function countSeparators(at: usize, to: usize): u32 {
  const feeds = i8x16.splat(10);
  const spaces = i8x16.splat(32);
  const tabs = i8x16.splat(9);
  let total: u32 = 0;
  while (at < to) {
    // Lanes count to 255.
    let counts = i8x16.splat(0);
    let room = 120;
    for (; room > 0 && at < to; room--) {
      const v = v128.load(at);
      const w = v128.load(at, 16);
      if (v128.any_true(v128.or(i8x16.eq(v, feeds), i8x16.eq(w, feeds)))) break;
      counts = i8x16.sub(counts, v128.or(i8x16.eq(v, spaces), i8x16.eq(v, tabs)));
      counts = i8x16.sub(counts, v128.or(i8x16.eq(w, spaces), i8x16.eq(w, tabs)));
      at += 32;
    }
    const pairs = i16x8.extadd_pairwise_i8x16_u(counts);
    const fours = i32x4.extadd_pairwise_i16x8_u(pairs);
    total +=
      <u32>i32x4.extract_lane(fours, 0) +
      <u32>i32x4.extract_lane(fours, 1) +
      <u32>i32x4.extract_lane(fours, 2) +
      <u32>i32x4.extract_lane(fours, 3);
    if (room === 0 || at >= to) continue;
    const v = v128.load(at);
    const w = v128.load(at, 16);
    const feedBits = <u32>i8x16.bitmask(i8x16.eq(v, feeds)) | (<u32>i8x16.bitmask(i8x16.eq(w, feeds)) << 16);
    const bits =
      <u32>i8x16.bitmask(v128.or(i8x16.eq(v, spaces), i8x16.eq(v, tabs))) |
      (<u32>i8x16.bitmask(v128.or(i8x16.eq(w, spaces), i8x16.eq(w, tabs))) << 16);
    const place = <u32>ctz(feedBits);
    found = at + place;
    return total + popcnt(bits & ((<u32>1 << place) - 1));
  }
  found = to;
  return total;
}

/** Reads rows from number `from` on. Returns the row that it stopped at, or `rows`. */
export function parseRows(text: usize, spans: usize, from: i32, rows: i32, dim: i32, out: usize): i32 {
  const rowBytes = <usize>dim << 2;
  for (let row = from; row < rows; row++) {
    const span = spans + (<usize>row << 3);
    if (!parseRow(text + load<u32>(span), text + load<u32>(span, 4), dim, out + <usize>row * rowBytes)) return row;
  }
  return rows;
}

/** Ends of fields are found 64 bytes at a time, so that no number waits for the end of the one before it. */
function parseRow(start: usize, end: usize, dim: i32, out: usize): bool {
  const blanks = i8x16.splat(32);
  const outEnd = out + ((<usize>dim) << 2);
  let from = start;
  for (let block = start; block <= end; block += 64) {
    let ends =
      <u64>(<u32>i8x16.bitmask(i8x16.le_u(v128.load(block), blanks))) |
      (<u64>(<u32>i8x16.bitmask(i8x16.le_u(v128.load(block, 16), blanks))) << 16) |
      (<u64>(<u32>i8x16.bitmask(i8x16.le_u(v128.load(block, 32), blanks))) << 32) |
      (<u64>(<u32>i8x16.bitmask(i8x16.le_u(v128.load(block, 48), blanks))) << 48);
    while (ends !== 0) {
      const to = block + <usize>ctz(ends);
      ends &= ends - 1;
      // Behind the row lies anything.
      if (to > end) return false;
      if (to === from) {
        const blank = load<u8>(to);
        if (blank !== 32 && blank !== 9) return false;
        from = to + 1;
        continue;
      }
      const negative = u32(load<u8>(from) === 45);
      const first = from + negative;
      const whole = <u32>load<u8>(first) - 48;
      const places = <u32>(to - first) - 2;
      if (whole <= 9 && load<u8>(first, 1) === 46 && places - 1 < 8) {
        const digits = (load<u64>(first, 2) ^ zeros) << (64 - (<u64>places << 3));
        if ((((digits + 0x7676767676767676) | digits) & 0x8080808080808080) !== 0) return false;
        const mantissa = <i64>whole * <i64>unchecked(scales[places]) + <i64>eightDigits(digits);
        const value = <f32>(<f64>mantissa / unchecked(powers[places]));
        store<u32>(out, reinterpret<u32>(value) | (negative << 31));
      } else if (!parseNumber(from, to, out)) return false;
      out += 4;
      from = to + 1;
      const blank = load<u8>(to);
      if (out === outEnd) return endsAt(to, end);
      if (blank !== 32 && blank !== 9) return false;
    }
  }
  return false;
}

function endsAt(at: usize, end: usize): bool {
  let c = load<u8>(at);
  while (c === 32 || c === 9 || c === 13) c = load<u8>(++at);
  return at === end;
}

/** Reads the number in [p, to) of any form but nan and inf. */
function parseNumber(p: usize, to: usize, out: usize): bool {
  let c = <u32>load<u8>(p);
  const negative = u32(c === 45);
  p += negative | u32(c === 43);
  let m: u64 = 0;
  let digits: i32 = 0;
  let e: i32 = 0;
  c = <u32>load<u8>(p) - 48;
  while (c <= 9) {
    m = m * 10 + c;
    digits++;
    c = <u32>load<u8>(++p) - 48;
  }
  if (c === <u32>-2) {
    p++;
    let n: i32;
    do {
      // Digits in the lowest n bytes; the first byte that is none has its upper bit set in the mask.
      const t = load<u64>(p) ^ zeros;
      const mask = ((t + 0x7676767676767676) | t) & 0x8080808080808080;
      n = <i32>(ctz(mask) >> 3);
      const v = n === 0 ? 0 : t << (64 - (n << 3));
      m = m * unchecked(scales[n]) + eightDigits(v);
      digits += n;
      e -= n;
      p += n;
    } while (n === 8 && digits <= mostDigits);
  }
  if (digits === 0 || digits > mostDigits) return false;
  if ((<u32>load<u8>(p) | 32) === 101) {
    c = <u32>load<u8>(++p);
    const below = c === 45;
    p += u32(below) | u32(c === 43);
    c = <u32>load<u8>(p) - 48;
    if (c > 9) return false;
    let power: i32 = 0;
    while (c <= 9) {
      power = power * 10 + c;
      if (power > 999) return false;
      c = <u32>load<u8>(++p) - 48;
    }
    e += below ? -power : power;
  }
  const size = abs(e);
  if (p !== to || size > largestPower) return false;
  const power = unchecked(powers[size]);
  const value = e < 0 ? <f64>m / power : <f64>m * power;
  let single = <f32>value;
  if (m > largestExact || size > largestExactPower) {
    single = <f32>(value * (1 + doubt));
    if (single !== <f32>(value * (1 - doubt))) return false;
  }
  store<u32>(out, reinterpret<u32>(single) | (negative << 31));
  return true;
}

/** The number of eight digits, one a byte, the first in the lowest. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
function eightDigits(digits: u64): u64 {
  const pairs = digits * 10 + (digits >> 8);
  const upper = (pairs & 0x000000ff000000ff) * 0x000f424000000064;
  const lower = ((pairs >> 16) & 0x000000ff000000ff) * 0x0000271000000001;
  return (upper + lower) >> 32;
}
