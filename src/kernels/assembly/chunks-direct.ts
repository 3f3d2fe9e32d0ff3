// The twin of ../../tokenizers/direct-words.ts: the words of a chunk, made character by character where each has a fate of its own.
import { checkJoints } from './bpe-joints';
import { classesAt, symbolsAt } from './bpe-memory';
import { idLimit } from './bpe-pairs';
import { codeAt } from './chunks-scan';
import { encodeSymbols, strictCode } from './chunks-words';

/** Writes kind and symbols of a code point. Returns the kind. */
// @ts-ignore: decorators are AssemblyScript's
@external('env', 'learn')
declare function learn(code: u32): u32;

const joins: u32 = 1;
const alone: u32 = 3;
const spaces: u32 = 4;
const general: u32 = 5;
const extending: u32 = 6;

/** Stands for CR and LF, which are one character. */
const lineEnd: u32 = 0xd800;

/** A chunk of more symbols is asked for. Ids of so many fit an empty bit even when each is four bytes. */
export const mostSymbols: u32 = 30000;

/** u8 by code point. */
const kindsAt: usize = classesAt;
/** u32 by code point: place << 6 | size of its symbols, or 2^31 | its only symbol where it joins. */
let placesAt: usize = 0;
let symbolTextsAt: usize = 0;

export let isDirect: bool = false;
let dropsSpaces: bool = false;
let joinsSpaces: bool = false;
let marksStart: bool = false;
let isSingle: bool = false;
export let isSummed: bool = false;
let markAt: usize = 0;
let markSize: u32 = 0;

/** Sums go on from word to word: words may be longer. */
export function sumUp(): void {
  isSummed = true;
}

/** Spaces: 0 dropped, 1 begin words, 2 are a part of words. The mark is `size` symbols at `mark`. */
export function openDirect(space: i32, starts: bool, single: bool, mark: usize, size: u32, places: usize, texts: usize): void {
  isDirect = true;
  dropsSpaces = space === 0;
  joinsSpaces = space === 2;
  marksStart = starts;
  isSingle = single;
  markAt = mark;
  markSize = size;
  placesAt = places;
  symbolTextsAt = texts;
}

/** u32 by byte: what characters without a piece become; 0 where each is to be learned. */
let spellingAt: usize = 0;

/**
 * Takes the ids of characters from pieces, laid out as for a trie, where all of them join as they are but the space and U+2581. `spelling`
 * are ids by byte, 0 for none.
 */
export function openCharacters(bytes: usize, offsets: usize, ids: usize, count: u32, spelling: usize, firsts: usize, most: u32): void {
  for (let piece: u32 = 0; piece < count; piece++) {
    const place = <usize>piece << 2;
    const start = bytes + load<u32>(offsets + place);
    const end = bytes + load<u32>(offsets + place, 4);
    if (end === start || end - start > 4) continue;
    const code = strictCode(start, end);
    if (code < 0 || code === 0x20 || code === 0x2581) continue;
    if (end - start !== <usize>(code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4)) continue;
    const id = load<u32>(ids + place);
    if (id >= idLimit) return;
    store<u32>(placesAt + (<usize>code << 2), id | 0x80000000);
    checkJoints(firsts, most, id);
  }
  if (spelling === 0) return;
  for (let byte: usize = 0; byte < 256; byte++) checkJoints(firsts, most, load<u32>(spelling + (byte << 2)));
  spellingAt = spelling;
}

// @ts-ignore
@inline
function append(count: u32, from: usize, size: u32): u32 {
  for (let i: u32 = 0; i < size; i++) {
    store<u32>(symbolsAt + (<usize>(count + i) << 2), load<u32>(from + (<usize>i << 2)));
  }
  return count + size;
}

/** The twin of DirectWords.encode; 0 for false. */
export function encodeDirect(start: usize, end: usize, first: usize): usize {
  let out = first;
  let count: u32 = 0;
  let total: u32 = 0;
  let wasSpace = false;
  let isStart = marksStart;
  let width: usize = 0;
  for (let at = start; at < end; at += width) {
    const before = width;
    const lead: u32 = load<u8>(at);
    let code = lead;
    width = 1;
    if (lead >= 0x80) {
      code = codeAt(at);
      width = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    } else if (lead === 13 && at + 1 < end && load<u8>(at, 1) === 10) {
      code = lineEnd;
      width = 2;
    }
    let place = load<u32>(placesAt + (<usize>code << 2));
    if (<i32>place < 0) {
      total += 1 + markSize;
      if (total > mostSymbols) return 0;
      if (count === 0 && (dropsSpaces || isStart)) count = append(0, markAt, markSize);
      store<u32>(symbolsAt + (<usize>count << 2), place & 0x7fffffff);
      count++;
      wasSpace = false;
      isStart = false;
      continue;
    }
    let kind: u32 = load<u8>(kindsAt + code);
    if (kind === 0) {
      if (spellingAt !== 0 && code !== 0x20 && code !== 0x2581 && code !== lineEnd) {
        total += <u32>width + markSize;
        if (total > mostSymbols) return 0;
        if (count === 0 && (dropsSpaces || isStart)) count = append(0, markAt, markSize);
        for (let i: usize = 0; i < width; i++) {
          store<u32>(symbolsAt + (<usize>count << 2), load<u32>(spellingAt + (<usize>load<u8>(at + i) << 2)));
          count++;
        }
        wasSpace = false;
        isStart = false;
        continue;
      }
      kind = learn(code);
      place = load<u32>(placesAt + (<usize>code << 2));
      if (<i32>place < 0) {
        width = 0;
        continue;
      }
    }
    if (kind === general) return 0;
    const from = symbolTextsAt + (<usize>(place >> 6) << 2);
    const size = place & 63;
    total += size + markSize;
    if (total > mostSymbols) return 0;
    if (kind === joins || kind === extending) {
      if (kind === extending && (before < 3 || width < 3)) return 0;
      if (size === 0) continue;
      if (count === 0 && (dropsSpaces || isStart)) count = append(0, markAt, markSize);
      count = append(count, from, size);
      wasSpace = false;
      isStart = false;
      continue;
    }
    if (kind === spaces) {
      if (wasSpace && isSingle) return 0;
      wasSpace = true;
      isStart = false;
      if (count > 0 && !joinsSpaces) {
        out = encodeSymbols(count, out);
        if (out === 0) return 0;
        count = 0;
      }
      if (!dropsSpaces) count = append(count, markAt, markSize);
      continue;
    }
    if (count > 0) {
      out = encodeSymbols(count, out);
      if (out === 0) return 0;
    }
    count = 0;
    if (kind === alone && size > 0) {
      out = encodeSymbols(append(0, from, size), out);
      if (out === 0) return 0;
    }
  }
  return count > 0 ? encodeSymbols(count, out) : out;
}
