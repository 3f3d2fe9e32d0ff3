// The twins of ../../tokenizers/scanner-chunks.ts. Beyond them, they leave a chunk that may go on in what follows.
import { asciiAt, mostWords, wordEndsAt } from './bpe-memory';

/** Whether a character begins and ends with something visible, and joins with none after it. */
// @ts-ignore: decorators are AssemblyScript's
@external('env', 'isSafe')
declare function isSafe(code: u32): u32;

const spaceByte: u32 = 1;
const punctuationByte: u32 = 2;
const ideographByte: u32 = 3;
const zeroByte: u32 = 4;

/** By lead byte, of word chunks the kinds above, of others: 1 for spaces, 2 for line feeds that are apart. */
const kindsAt: usize = asciiAt;

/** u8 by code point: 1 for safe ones, 2 for others, 0 for unknown ones. */
let safetyAt: usize = 0;

/** Up to where the last scan read: the end, or the beginning of a chunk that may go on. */
export let scanned: usize = 0;

export function openScan(safety: usize): void {
  safetyAt = safety;
}

// @ts-ignore
@inline
function putBounds(count: i32, from: usize, at: usize): void {
  const place = wordEndsAt + (<usize>count << 3);
  store<u32>(place, <u32>from);
  store<u32>(place, <u32>at, 4);
}

/** The code point of two to four bytes. */
export function codeAt(at: usize): u32 {
  const lead: u32 = load<u8>(at);
  const second: u32 = load<u8>(at, 1) & 0x3f;
  if (lead < 0xe0) return ((lead & 0x1f) << 6) | second;
  const middle = (second << 6) | (load<u8>(at, 2) & 0x3f);
  if (lead < 0xf0) return ((lead & 0x0f) << 12) | middle;
  return ((lead & 0x07) << 18) | (middle << 6) | (load<u8>(at, 3) & 0x3f);
}

/** The twin of isChinese in ../../tokenizers/normalizer-bert.ts. */
function isChinese(code: u32): bool {
  if (code < 0x3400) return false;
  if (code < 0xa000) return code >= 0x4e00 || code <= 0x4dbf;
  if (code < 0x20000) return code >= 0xf900 && code <= 0xfaff;
  if (code <= 0x2a6df) return true;
  if (code >= 0x2a700 && code <= 0x2b81f) return true;
  if (code >= 0x2b920 && code <= 0x2ceaf) return true;
  return code >= 0x2f800 && code <= 0x2fa1f;
}

/** Writes starts and ends of the next chunks between white space, and gives how many. */
export function scanWordChunks(start: usize, end: usize, goesOn: bool): i32 {
  let count = 0;
  let at = start;
  while (at < end && count < mostWords) {
    let kind: u32 = load<u8>(kindsAt + load<u8>(at));
    if (kind === spaceByte) {
      at++;
      continue;
    }
    const from = at;
    if (kind === punctuationByte) at++;
    else {
      for (;;) {
        if (kind === 0) at++;
        else if (kind === ideographByte) {
          const width: usize = load<u8>(at) < 0xf0 ? 3 : 4;
          if (isChinese(codeAt(at))) {
            if (at === from) at += width;
            break;
          }
          at += width;
        } else if (kind === zeroByte && at < end) at++;
        else break;
        kind = load<u8>(kindsAt + load<u8>(at));
      }
      if (goesOn && at >= end) {
        scanned = from;
        return count;
      }
    }
    putBounds(count++, from, at);
  }
  scanned = at;
  return count;
}

/** The same for chunks that begin with spaces. */
export function scanSpaceChunks(start: usize, end: usize, goesOn: bool): i32 {
  let count = 0;
  let at = start;
  // Bytes that are nothing to chunks are passed over by sixteen.
  const feed = i8x16.splat(load<u8>(kindsAt + 0x0a) === 0 ? 0x20 : 0x0a);
  const back = i8x16.splat(load<u8>(kindsAt + 0x0d) === 0 ? 0x20 : 0x0d);
  while (at < end && count < mostWords) {
    const from = at;
    if (load<u8>(kindsAt + load<u8>(at)) === 2) {
      while (load<u8>(at) === 0x0a) at++;
    } else {
      while (load<u8>(kindsAt + load<u8>(at)) === 1) at++;
      for (; at < end; at++) {
        while (at < end) {
          const bytes = v128.load(at);
          const ends = v128.or(i8x16.eq(bytes, i8x16.splat(0x20)), v128.or(i8x16.eq(bytes, feed), i8x16.eq(bytes, back)));
          const places = i8x16.bitmask(ends);
          if (places !== 0) {
            at = min(at + ctz(places), end);
            break;
          }
          at = min(at + 16, end);
        }
        if (load<u8>(kindsAt + load<u8>(at)) === 2) break;
        if (endsSafely(at)) break;
      }
      if (at > end) at = end;
    }
    if (goesOn && at >= end) {
      scanned = from;
      return count;
    }
    putBounds(count++, from, at);
  }
  scanned = at;
  return count;
}

/** Whether the character before `at` is safe. */
// @ts-ignore
@inline
function endsSafely(at: usize): bool {
  let code: u32 = load<u8>(at - 1);
  if (code >= 0x80) {
    let start = at - 1;
    while ((load<u8>(start) & 0xc0) === 0x80) start--;
    code = codeAt(start);
  }
  let known: u32 = load<u8>(safetyAt + code);
  if (known === 0) {
    known = isSafe(code) !== 0 ? 1 : 2;
    store<u8>(safetyAt + code, known);
  }
  return known === 1;
}
