// Tokens of words that were seen before, and where they are found: what bpe.ts and chunks.ts share.
import { mostSlots, restAt, restRoom, seenAt, slotsAt } from './bpe-memory';

/** Words up to this many bytes are their own key in a slot. */
export const keyBytes: u32 = 8;
/** Longer words are not kept. */
export const longestWord: u32 = 96;
/** Words of more bytes, of which most never come again, are kept when they are met for the second time. */
const usualWord: u32 = 32;
const fewestSlots: usize = 1 << 12;
/** UTF-16 units of text for each slot to begin with. */
const slotUnits: usize = 128;

let factor: u64 = 1;
export let slotCount: usize = fewestSlots;
export let slotShift: u64 = 64 - 12;
let used: usize = 0;
let restEnd: usize = restAt;

/** `hashFactor` is odd and unknown from outside. */
export function openCache(hashFactor: u64): void {
  factor = hashFactor;
}

/** A text of so many units comes: an empty cache begins with slots for its words, so that they need not move. */
export function expectUnits(units: u32): void {
  while (used === 0 && slotCount < mostSlots && slotCount * slotUnits < <usize>units) {
    slotCount <<= 1;
    slotShift--;
  }
}

/** Copies by four; up to three more are written behind the last one. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function copyIds(from: usize, tokens: u32, out: usize): usize {
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
export function hashShort(key: u64, size: u32): u64 {
  const hash = (key + size) * factor;
  return (hash ^ (hash >> 32)) * factor;
}

/** Hash of a word of more than 8 bytes: whole eights from its start, then the eight that end it. */
export function hashLong(start: usize, end: usize): u64 {
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
export function isSame(kept: usize, start: usize, size: u32): bool {
  const last = <usize>size - 8;
  for (let i: usize = 0; i < last; i += 8) {
    if (load<u64>(kept + i) !== load<u64>(start + i)) return false;
  }
  return load<u64>(kept + last) === load<u64>(start + last);
}

/** Whether the last long word with these bits of its hash was this one. */
function wasSeen(hash: u64): bool {
  const place = seenAt + (<usize>(hash >> 53) << 2);
  if (load<u32>(place) === <u32>hash) return true;
  store<u32>(place, <u32>hash);
  return false;
}

/** Keeps a word's ids in the slot at `place`, which is empty. */
export function keep(start: usize, size: u32, key: u64, place: usize, ids: usize, tokens: u32): void {
  if (size > usualWord && !wasSeen(key)) return;
  let value = load<u32>(ids);
  if (size > keyBytes || tokens > 1) {
    const bytes: usize = size > keyBytes ? (<usize>size + 3) & ~3 : 0;
    // Copies by four write up to three ids more.
    if (restEnd + bytes + (<usize>tokens << 2) + 12 > restAt + restRoom) {
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
