// UTF-16 to UTF-8: what TextEncoder makes of a text, lone surrogates becoming U+FFFD.
import { shufflesAt } from './bpe-memory';

/** Makes the table by which four characters of four bytes each are pushed together: bits 0 to 3 say which have a second byte, bits 4 to 7 which a third. */
export function openUnits(): void {
  for (let widths: u32 = 0; widths < 256; widths++) {
    let to = shufflesAt + (<usize>widths << 4);
    const end = to + 16;
    for (let lane: u32 = 0; lane < 4; lane++) {
      const bits = widths >> lane;
      store<u8>(to++, lane << 2);
      if ((bits & 1) !== 0) store<u8>(to++, (lane << 2) + 1);
      if ((bits & 16) !== 0) store<u8>(to++, (lane << 2) + 2);
    }
    while (to < end) store<u8>(to++, 0xff);
  }
}

/** Writes the UTF-8 of `count` units at `from` at `to`, and up to sixteen bytes more. Returns where it ends. */
export function encodeUnits(from: usize, count: u32, to: usize): usize {
  const end = from + (<usize>count << 1);
  let at = from;
  let out = to;
  while (at + 16 <= end) {
    const units = v128.load(at);
    if (!v128.any_true(v128.and(units, i16x8.splat(<i16>0xff80)))) {
      v128.store64_lane(out, i8x16.narrow_i16x8_u(units, units), 0);
      at += 16;
      out += 8;
      continue;
    }
    const surrogates = i16x8.eq(v128.and(units, i16x8.splat(<i16>0xf800)), i16x8.splat(<i16>0xd800));
    if (v128.any_true(surrogates)) {
      // A character of two units may go on behind the eighth.
      for (const next = at + 16; at < next; ) {
        out = putUnit(at, end, out);
        at += isPair(at, end) ? 4 : 2;
      }
      continue;
    }
    out = putFour(i32x4.extend_low_i16x8_u(units), out);
    out = putFour(i32x4.extend_high_i16x8_u(units), out);
    at += 16;
  }
  while (at < end) {
    out = putUnit(at, end, out);
    at += isPair(at, end) ? 4 : 2;
  }
  return out;
}

/** Four characters of one unit each, none a surrogate, without a branch: which width comes next cannot be foretold. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function putFour(codes: v128, out: usize): usize {
  const low = v128.and(codes, i32x4.splat(0x3f));
  const high = i32x4.shr_u(codes, 6);
  const two = v128.or(v128.or(i32x4.splat(0x80c0), high), i32x4.shl(low, 8));
  const middle = i32x4.shl(v128.and(high, i32x4.splat(0x3f)), 8);
  const three = v128.or(
    v128.or(i32x4.splat(0x8080e0), i32x4.shr_u(codes, 12)),
    v128.or(middle, i32x4.shl(low, 16)),
  );
  const isWide = i32x4.gt_s(codes, i32x4.splat(0x7f));
  const isWider = i32x4.gt_s(codes, i32x4.splat(0x7ff));
  const bytes = v128.bitselect(three, v128.bitselect(two, codes, isWide), isWider);
  const widths = i32x4.bitmask(isWide) | (i32x4.bitmask(isWider) << 4);
  v128.store(out, i8x16.swizzle(bytes, v128.load(shufflesAt + (<usize>widths << 4))));
  return out + 4 + <usize>popcnt(widths);
}

// @ts-ignore
@inline
function isPair(at: usize, end: usize): bool {
  return (load<u16>(at) & 0xfc00) === 0xd800 && at + 2 < end && (load<u16>(at, 2) & 0xfc00) === 0xdc00;
}

/** The character at `at`, of one unit or two. */
function putUnit(at: usize, end: usize, out: usize): usize {
  let code: u32 = load<u16>(at);
  if (code < 0x80) {
    store<u8>(out, code);
    return out + 1;
  }
  if (code < 0x800) {
    store<u16>(out, 0x80c0 | (code >> 6) | ((code & 0x3f) << 8));
    return out + 2;
  }
  if (isPair(at, end)) {
    code = 0x10000 + ((code & 0x3ff) << 10) + (load<u16>(at, 2) & 0x3ff);
    store<u32>(out, 0x808080f0 | (code >> 18) | (((code >> 12) & 0x3f) << 8) | (((code >> 6) & 0x3f) << 16) | ((code & 0x3f) << 24));
    return out + 4;
  }
  if ((code & 0xf800) === 0xd800) code = 0xfffd;
  store<u32>(out, 0x8080e0 | (code >> 12) | (((code >> 6) & 0x3f) << 8) | ((code & 0x3f) << 16));
  return out + 3;
}
