// The twin of ../../tokenizers/bpe.ts and bpe-cache.ts: text to ids in one memory, whose parts stand in bpe-memory.ts.
import {
  idsAt, mostSlots, restAt, restRoom, slotsAt, textAt, wordEndsAt,
} from './bpe-memory';
import { loadSymbols } from './bpe-early';
import { mergeSymbols } from './bpe-merge';
import { openClasses, scanCl100k, scanGpt2, scanO200k } from './bpe-scan';

export { openEarly, symbolCount } from './bpe-early';
export { openPairs } from './bpe-merge';
export { byteIdsAt, classesAt, idsAt, pairsAt, textAt, textRoom } from './bpe-memory';

/** Id of a word that is taken as it is, or -1. Only called where the vocabulary wants it. */
// @ts-ignore: decorators are AssemblyScript's
@external('env', 'wholeWord')
declare function wholeWord(start: usize, end: usize): i32;

/** Words up to this many bytes are their own key in a slot. */
const keyBytes: u32 = 8;
/** Longer words are not kept. */
const longestWord: u32 = 96;
const fewestSlots: usize = 1 << 12;

/** How many ids the last call gave. */
export let idCount: i32 = 0;

let wordRule: i32 = 0;
let maxDigits: i32 = 3;
let marksInWords: bool = false;
let asksWholeWords: bool = false;
let factor: u64 = 1;
let slotCount: usize = fewestSlots;
let slotShift: u64 = 64 - 12;
let used: usize = 0;
let restEnd: usize = restAt;

/** Rules: 0 GPT-2, 1 GPT-4 and relatives, 2 GPT-4o. `hashFactor` is odd and unknown from outside. */
export function openWords(rule: i32, digits: i32, marks: bool, whole: bool, hashFactor: u64): void {
  wordRule = rule;
  maxDigits = digits;
  marksInWords = marks;
  asksWholeWords = whole;
  factor = hashFactor;
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

/** Copies by four; up to three more are written behind the last one. */
// @ts-ignore
@inline
function copyIds(from: usize, tokens: u32, out: usize): usize {
  const end = out + (<usize>tokens << 2);
  let source = from;
  for (let to = out; to < end; to += 16) {
    v128.store(to, v128.load(source));
    source += 16;
  }
  return end;
}

// @ts-ignore
@inline
function hashShort(key: u64, size: u32): u64 {
  const hash = (key + size) * factor;
  return (hash ^ (hash >> 32)) * factor;
}

/** Hash of a word of more than 8 bytes: whole eights from its start, then the eight that end it. */
function hashLong(start: usize, end: usize): u64 {
  let hash: u64 = <u64>(end - start);
  const last = end - 8;
  for (let at = start; at < last; at += 8) {
    hash = (hash ^ load<u64>(at)) * factor;
    hash ^= hash >> 32;
  }
  hash = (hash ^ load<u64>(last)) * factor;
  hash ^= hash >> 32;
  return hash * factor;
}

/** Whether the word's bytes are those at `kept`, whose last eight count from its end as well. */
function isSame(kept: usize, start: usize, size: u32): bool {
  const last = <usize>size - 8;
  for (let i: usize = 0; i < last; i += 8) {
    if (load<u64>(kept + i) !== load<u64>(start + i)) return false;
  }
  return load<u64>(kept + last) === load<u64>(start + last);
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

function keep(start: usize, size: u32, key: u64, place: usize, ids: usize, tokens: u32): void {
  let value = load<u32>(ids);
  if (size > keyBytes || tokens > 1) {
    const bytes: usize = size > keyBytes ? (<usize>size + 3) & ~3 : 0;
    if (restEnd + bytes + (<usize>tokens << 2) > restAt + restRoom) {
      forget();
      return;
    }
    value = <u32>restEnd;
    if (bytes > 0) memory.copy(restEnd, start, size);
    copyIds(ids, tokens, restEnd + bytes);
    restEnd += bytes + (<usize>tokens << 2);
  }
  store<u64>(place, key);
  store<u32>(place, size | (tokens << 8), 8);
  store<u32>(place, value, 12);
  used++;
  if (used << 1 > slotCount) {
    if (slotCount < mostSlots) spread();
    else if (used << 2 > slotCount * 3) forget();
  }
}

/** Moves the words to a table of twice as many slots. */
function spread(): void {
  const from = slotsAt + (slotCount << 4);
  slotCount <<= 1;
  slotShift--;
  const to = slotsAt + (slotCount << 4);
  const mask = slotCount - 1;
  for (let place = from; place < to; place += 16) {
    const kept = load<u32>(place, 8);
    if (kept === 0) continue;
    const key = load<u64>(place);
    const size = kept & 255;
    let slot = <usize>((size <= keyBytes ? hashShort(key, size) : key) >> slotShift);
    while (load<u32>(to + (slot << 4), 8) !== 0) slot = (slot + 1) & mask;
    v128.store(to + (slot << 4), v128.load(place));
  }
}

/** Starts the cache anew, so that no text can grow it. */
function forget(): void {
  memory.fill(slotsAt + (slotCount << 4), 0, slotCount << 4);
  used = 0;
  restEnd = restAt;
}
