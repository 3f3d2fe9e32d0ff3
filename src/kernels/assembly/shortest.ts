// The twin of ../../text/shortest.ts for what embeddings hold: numbers from 2^-19 to 2^23 that are no integers and no powers of two. At any other, and where a double cannot decide, it stops and leaves that number to the plain one. Nothing else branches on data.

/** 10^0 to 10^14. */
const powers: StaticArray<f64> = [
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
];
const doubt: f64 = 1e-5;

/** "00000000". */
const eightZeros: u64 = <u64>0x30303030 * 0x100000001;

// The memory: tables of the compiler below, then the numbers, then the text.
export const valuesAt: usize = 16384;
export const valuesRoom: i32 = 4096;
export const textAt: usize = 32768;

/** Where the text of the last call ends. */
export let textEnd: usize = 0;

/** Eight digits as text, the first in the lowest byte. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
function eightDigits(digits: u32): u64 {
  const upper = digits / 10000;
  const halves: u64 = <u64>upper | (<u64>(digits - upper * 10000) << 32);
  // Division by 100, then by 10, in lanes of 32 and 16 bits.
  const hundreds: u64 = ((halves * 10486) >> 20) & 0x0000007f0000007f;
  const pairs: u64 = hundreds | ((halves - hundreds * 100) << 16);
  const tens: u64 = ((pairs * 103) >> 10) & 0x000f000f000f000f;
  return (tens | ((pairs - tens * 10) << 8)) | eightZeros;
}

/** Writes numbers `from` to `count` with separators between. Returns the number that it stopped at, not written: `count` when none. */
export function writeFloats(from: i32, count: i32, separator: u32, start: usize): i32 {
  let at = start;
  for (let index = from; index < count; index++) {
    const bits = load<u32>(valuesAt + (<usize>index << 2));
    const exponent = <i32>((bits >> 23) & 255) - 127;
    const size: f64 = <f64>reinterpret<f32>(bits & 0x7fffffff);
    // Below 2^-19 come exponents, from 2^23 on all numbers are integers.
    if (exponent < -19 || exponent > 22 || (bits & 0x7fffff) === 0 || Math.floor(size) === size) {
      textEnd = at;
      return index;
    }
    const k = 8 - ((exponent * 1262611) >> 22);
    const scale = unchecked(powers[k]);
    const scaled = size * scale;
    const half = scale * reinterpret<f64>(<u64>(exponent - 24 + 1023) << 52);
    const third = Math.floor(scaled * 0.001 + 0.5) * 1000;
    const second = Math.floor(scaled * 0.01 + 0.5) * 100;
    const first = Math.floor(scaled * 0.1 + 0.5) * 10;
    const none = Math.floor(scaled + 0.5);
    const thirdGap = Math.abs(scaled - third);
    const secondGap = Math.abs(scaled - second);
    const firstGap = Math.abs(scaled - first);
    const unsure =
      i32(Math.abs(thirdGap - half) < doubt) |
      i32(Math.abs(secondGap - half) < doubt) |
      i32(Math.abs(firstGap - half) < doubt) |
      i32(secondGap > 50 - doubt) |
      i32(firstGap > 5 - doubt) |
      i32(Math.abs(scaled - none) > 0.5 - doubt);
    if (unsure) {
      textEnd = at;
      return index;
    }
    let chosen = select(first, none, firstGap < half);
    chosen = select(second, chosen, secondGap < half);
    chosen = select(third, chosen, thirdGap < half);
    let drop = select<i32>(1, 0, firstGap < half);
    drop = select<i32>(2, drop, secondGap < half);
    drop = select<i32>(3, drop, thirdGap < half);
    const whole = <u32>chosen;
    if (drop === 3) {
      let rest = whole / 1000;
      let tenth = rest / 10;
      while (tenth * 10 === rest) {
        rest = tenth;
        tenth = rest / 10;
        drop++;
      }
    }

    store<u8>(at, 45);
    at += bits >> 31;
    const top = whole / 100000000;
    const digits = eightDigits(whole - top * 100000000);
    const lead = top / 10;
    const pair: u32 = (lead | ((top - lead * 10) << 8)) | 0x3030;
    if (size < 1) {
      store<u64>(at, eightZeros);
      const end = at + 2 + k;
      store<u16>(end - 10, <u16>pair);
      store<u64>(end - 8, digits);
      store<u8>(at + 1, 46);
      at = end - drop;
    } else {
      // All digits one place to the right, then those before the point back by one.
      const long = i32(whole >= 1000000000);
      store<u16>(at + long, <u16>pair);
      store<u64>(at + long + 2, digits);
      const point = at + 9 + long - k;
      for (let place = at; place < point; place++) store<u8>(place, load<u8>(place, 1));
      store<u8>(point, 46);
      at += 10 + long - drop;
    }
    store<u8>(at, <u8>separator);
    at++;
  }
  textEnd = at;
  return count;
}
