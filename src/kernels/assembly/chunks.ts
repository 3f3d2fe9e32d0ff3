// The twin of ../../tokenizers/{tokenizer-json-chunks,direct-words}.ts: texts to ids chunk by chunk, through a cache. What it has no rules for it asks.
import { checkJoints } from './bpe-joints';
import { copyIds, hashLong, hashShort, isSame, keep, keyBytes, longestWord, openCache, slotCount, slotShift } from './bpe-cache';
import { classesAt, idsAt, slotsAt, symbolsAt, textAt, textRoom, wordEndsAt } from './bpe-memory';
import { idLimit } from './bpe-pairs';
import { codeAt, openScan, scanned, scanSpaceChunks, scanWordChunks } from './chunks-scan';
import { clearSum, findAfter, findFree, holds, openSums as openSumsOf, pathAt, pathSize, putPath } from './chunks-best';
import { clearSymbols, encodeSymbols, strictCode, symbolCount } from './chunks-words';

export { checkJoints, openJoints } from './bpe-joints';
export { openPairs } from './bpe-pairs';
export { asciiAt, byteIdsAt, classesAt, idsAt, pairsAt, symbolsAt, textAt, textRoom } from './bpe-memory';
export { openModel, openTrie } from './chunks-words';

/** Writes the ids of a chunk at `out`. Returns where they end, which is idsAt when they had no room and all ids were taken. */
// @ts-ignore: decorators are AssemblyScript's
@external('env', 'ask')
declare function ask(start: usize, end: usize, out: usize): usize;
/** Takes the ids up to `out`. */
// @ts-ignore
@external('env', 'flush')
declare function flush(out: usize): void;
/** Writes kind and symbols of a code point. Returns the kind. */
// @ts-ignore
@external('env', 'learn')
declare function learn(code: u32): u32;

/** Writes the code points of what a chunk becomes at symbolsAt. Returns how many, or -1 for more than `most`. */
// @ts-ignore
@external('env', 'spell')
declare function spell(start: usize, end: usize, most: u32): i32;

const joins: u32 = 1;
const alone: u32 = 3;
const spaces: u32 = 4;
const general: u32 = 5;
const extending: u32 = 6;

/** Stands for CR and LF, which are one character. */
const lineEnd: u32 = 0xd800;

/** A chunk of more symbols is asked for, and one of more ids not kept. */
const mostSymbols: u32 = 2048;
/** The same where sums go on: their ids fit an empty bit even when each is four bytes. */
const mostSummed: u32 = 30000;

/** u8 by code point. */
const kindsAt: usize = classesAt;
/** u32 by code point: place << 6 | size of its symbols, or 2^31 | its only symbol where it joins. */
let placesAt: usize = 0;
let symbolTextsAt: usize = 0;

let isWords: bool = false;
let isDirect: bool = false;
let dropsSpaces: bool = false;
let joinsSpaces: bool = false;
let marksStart: bool = false;
let isSingle: bool = false;
let isSummed: bool = false;
/** A chunk was too long: the text must be encoded another way. */
let hasFailed: bool = false;
let markAt: usize = 0;
let markSize: u32 = 0;

/** `words`: chunks lie between white space, else they begin with spaces. */
export function openChunks(words: bool, safety: usize, factor: u64): void {
  isWords = words;
  openScan(safety);
  openCache(factor);
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

/** After openModel with model 4. */
export function openSums(single: bool, highest: f64, spells: bool): void {
  isSummed = true;
  openSumsOf(single, highest, spells);
}

/** Begins a text where sums go on. */
export function beginText(): void {
  clearSum();
  hasFailed = false;
}

/** Whether the text that was begun last has a chunk that is too long. */
export function failed(): bool {
  return hasFailed;
}

/** Encodes the text at textAt. Returns how many of its bytes became ids: all, but a last chunk where the text goes on. */
export function encode(length: u32, goesOn: bool): u32 {
  const end = textAt + length;
  // The zeros that end it.
  v128.store(end, i64x2.splat(0));
  let at = textAt;
  let out = idsAt;
  while (at < end) {
    const count = isWords ? scanWordChunks(at, end, goesOn) : scanSpaceChunks(at, end, goesOn);
    out = encodeChunks(count, out);
    if (hasFailed) break;
    at = scanned;
    if (count === 0) break;
  }
  flush(out);
  return <u32>(at - textAt);
}

/** Behind this nothing is written without asking whether it has room. */
const lastOut: usize = idsAt + (<usize>textRoom << 2) - (<usize>mostSymbols << 2) - 16;

function encodeChunks(count: i32, first: usize): usize {
  const last = wordEndsAt + (<usize>count << 3);
  let out = first;
  for (let bounds = wordEndsAt; bounds < last; bounds += 8) {
    const at = <usize>load<u32>(bounds);
    const end = <usize>load<u32>(bounds, 4);
    const size = <u32>(end - at);
    let key: u64;
    let hash: u64;
    if (size <= keyBytes) {
      key = load<u64>(at) & (<u64>-1 >> (<u64>(keyBytes - size) << 3));
      hash = hashShort(key, size);
    } else {
      key = hashLong(at, end);
      hash = key;
    }
    if (out > lastOut) {
      flush(out);
      out = idsAt;
    }
    const mask = slotCount - 1;
    const slots = slotsAt + (slotCount << 4);
    let slot = <usize>(hash >> slotShift);
    for (;;) {
      const place = slots + (slot << 4);
      const kept = load<u32>(place, 8);
      if (kept === 0) {
        out = encodeNew(at, end, key, place, out);
        break;
      }
      if (load<u64>(place) === key && (kept & 255) === size) {
        const tokens = kept >> 8;
        const value = load<u32>(place, 12);
        if (size > keyBytes) {
          if (isSame(value, at, size)) {
            out = take(value + ((size + 3) & ~3), tokens, out, at, end);
            break;
          }
        } else if (tokens === 1) {
          store<u32>(out, value);
          out += 4;
          break;
        } else {
          out = take(value, tokens, out, at, end);
          break;
        }
      }
      slot = (slot + 1) & mask;
    }
  }
  return out;
}

/** Copies what is kept of a chunk: ids, or a path and with which sums it holds. */
// @ts-ignore
@inline
function take(from: usize, tokens: u32, out: usize, at: usize, end: usize): usize {
  if (!isSummed) return copyIds(from, tokens, out);
  if (holds(load<f32>(from))) return putSummed(from + 4, tokens - 1, out);
  return loadSymbols(at, end) ? putAfter(out) : out;
}

/** Writes the symbols of a chunk to symbolsAt. */
function loadSymbols(at: usize, end: usize): bool {
  clearSymbols();
  if (encodeDirect(at, end, symbolsAt) !== 0) return true;
  const count = spell(at, end, mostSummed);
  hasFailed = count < 0;
  if (!hasFailed) encodeSymbols(<u32>count, symbolsAt);
  return !hasFailed;
}

function putAfter(out: usize): usize {
  findAfter(symbolCount);
  return putSummed(pathAt + 4, pathSize, out);
}

/** Writes the ids of a path. */
function putSummed(from: usize, size: u32, out: usize): usize {
  if (out + (<usize>size << 4) <= idsAt + (<usize>textRoom << 2)) return putPath(from, size, out);
  flush(out);
  return putPath(from, size, idsAt);
}

function encodeSummed(at: usize, end: usize, key: u64, place: usize, out: usize): usize {
  if (!loadSymbols(at, end) || symbolCount === 0) return out;
  const size = <u32>(end - at);
  if (size > longestWord) return putAfter(out);
  findFree(symbolCount);
  keep(at, size, key, place, pathAt, pathSize + 1);
  return holds(load<f32>(pathAt)) ? putSummed(pathAt + 4, pathSize, out) : putAfter(out);
}

function encodeNew(at: usize, end: usize, key: u64, place: usize, out: usize): usize {
  if (isSummed) return encodeSummed(at, end, key, place, out);
  let after = isDirect ? encodeDirect(at, end, out) : 0;
  if (after === 0) after = ask(at, end, out);
  const tokens = <u32>((after - out) >> 2);
  const size = <u32>(end - at);
  if (after > out && size <= longestWord && tokens <= mostSymbols) keep(at, size, key, place, out, tokens);
  return after;
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
function encodeDirect(start: usize, end: usize, first: usize): usize {
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
      if (total > (isSummed ? mostSummed : mostSymbols)) return 0;
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
    if (total > (isSummed ? mostSummed : mostSymbols)) return 0;
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
