// The twin of ../../tokenizers/bpe.ts and bpe-cache.ts: text to ids in one memory, whose parts stand in bpe-memory.ts.
import { copyIds, hashLong, hashShort, isSame, keep, keyBytes, longestWord, openCache, slotCount, slotShift } from './bpe-cache';
import { idsAt, slotsAt, textAt, wordEndsAt } from './bpe-memory';
import { loadSymbols } from './bpe-early';
import { mergeSymbols } from './bpe-merge';
import { openClasses, scanCl100k, scanGpt2, scanO200k } from './bpe-scan';

export { openEarly, symbolCount } from './bpe-early';
export { expectUnits } from './bpe-cache';
export { findParts, openNames } from './bpe-names';
export { addPairs, openPairs } from './bpe-pairs';
export { encodeUnits, openUnits } from './units';
export { byteIdsAt, classesAt, idsAt, pairsAt, textAt, textRoom } from './bpe-memory';

/** Id of a word that is taken as it is, or -1. Only called where the vocabulary wants it. */
// @ts-ignore: decorators are AssemblyScript's
@external('env', 'wholeWord')
declare function wholeWord(start: usize, end: usize): i32;

/** How many ids the last call gave. */
export let idCount: i32 = 0;

let wordRule: i32 = 0;
let maxDigits: i32 = 3;
let marksInWords: bool = false;
let asksWholeWords: bool = false;

/** Rules: 0 GPT-2, 1 GPT-4 and relatives, 2 GPT-4o. `hashFactor` is odd and unknown from outside. */
export function openWords(rule: i32, digits: i32, marks: bool, whole: bool, hashFactor: u64): void {
  wordRule = rule;
  maxDigits = digits;
  marksInWords = marks;
  asksWholeWords = whole;
  openCache(hashFactor);
  openClasses();
}

/**
 * Encodes the text at textAt, which zeros follow. Returns how many of its bytes became ids: all, unless the text goes on and
 * its last word may do so too.
 */
export function encode(length: u32, goesOn: bool): u32 {
  const end = textAt + length;
  let at = textAt;
  let out = idsAt;
  while (at < end) {
    let count: i32;
    if (wordRule === 0) count = scanGpt2(at, end, !goesOn);
    else if (wordRule === 1) count = scanCl100k(at, end, !goesOn, maxDigits, marksInWords);
    else count = scanO200k(at, end, !goesOn);
    if (count === 0) break;
    out = encodeWords(at, count, out);
    at = load<u32>(wordEndsAt + (<usize>(count - 1) << 2));
  }
  idCount = <i32>((out - idsAt) >> 2);
  return <u32>(at - textAt);
}

/**
 * The next words through the cache. A slot is the first 8 bytes, or the hash of a longer word; size | tokens << 8, or 0 where it
 * is empty; the id of a short word's one token, or else where its ids lie. A longer word's bytes lie before its ids.
 */
function encodeWords(start: usize, count: i32, out: usize): usize {
  const last = wordEndsAt + (<usize>count << 2);
  let at = start;
  for (let ends = wordEndsAt; ends < last; ends += 4) {
    const end = <usize>load<u32>(ends);
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
    const mask = slotCount - 1;
    const slots = slotsAt + (slotCount << 4);
    let slot = <usize>(hash >> slotShift);
    for (;;) {
      const place = slots + (slot << 4);
      const kept = load<u32>(place, 8);
      if (kept === 0) {
        out = encodeNew(at, size, key, place, out);
        break;
      }
      if (load<u64>(place) === key && (kept & 255) === size) {
        const tokens = kept >> 8;
        const value = load<u32>(place, 12);
        if (size > keyBytes) {
          if (isSame(value, at, size)) {
            out = copyIds(value + ((size + 3) & ~3), tokens, out);
            break;
          }
        } else if (tokens === 1) {
          store<u32>(out, value);
          out += 4;
          break;
        } else {
          out = copyIds(value, tokens, out);
          break;
        }
      }
      slot = (slot + 1) & mask;
    }
    at = end;
  }
  return out;
}

/** Merges a word that was not found, and keeps it in the slot at `place`, which is empty. */
function encodeNew(start: usize, size: u32, key: u64, place: usize, out: usize): usize {
  let tokens: u32 = 0;
  if (asksWholeWords) {
    const whole = wholeWord(start, start + size);
    if (whole >= 0) {
      store<u32>(out, <u32>whole);
      tokens = 1;
    }
  }
  if (tokens === 0) {
    tokens = mergeSymbols(loadSymbols(start, size), out);
  }
  if (size <= longestWord) keep(start, size, key, place, out, tokens);
  return out + (<usize>tokens << 2);
}
