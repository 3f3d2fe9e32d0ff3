// The twin of ../../tokenizers/bpe-early.ts: which bytes merge whatever stands around them.
import { afterAt, beforeAt, byteIdsAt, directAt, symbolsAt } from './bpe-memory';
import { leftsAt, mergedId, pairCount, rankColumnAt, rightsAt } from './bpe-pairs';

/** Bytes that became symbols of new words so far. */
export let symbolCount: f64 = 0;

let isEarly: bool = false;

/**
 * Finds which bytes merge whatever stands around them, for byte ids 0 to 255. Unless
 * every id has one pair that makes it, of parts that better ranks made, nothing merges early.
 *
 * There is room for `most` numbers at `byRank`, and at `byId`, all 0.
 */
export function openEarly(most: u32, byRank: usize, byId: usize): void {
  let highest: u32 = 0;
  for (let at: usize = 0; at < pairCount << 2; at += 4) {
    const rank = load<u32>(rankColumnAt + at);
    if (rank >= most) return;
    store<u32>(byRank + (<usize>rank << 2), <u32>at + 4);
    if (rank > highest) highest = rank;
  }
  memory.fill(beforeAt, 0x7f, 65536 * 4);
  memory.fill(afterAt, 0x7f, 65536 * 4);
  for (let id: usize = 0; id < 256; id++) store<u32>(byId + (id << 2), made | <u32>((id << 8) | id));
  for (let rank: u32 = 0; rank <= highest; rank++) {
    const at = <usize>load<u32>(byRank + (<usize>rank << 2));
    if (at === 0) continue;
    const left = load<u32>(leftsAt + at - 4);
    const right = load<u32>(rightsAt + at - 4);
    const id = mergedId(rank);
    if (left >= most || right >= most || id >= most) return;
    const leftEnds = load<u32>(byId + (<usize>left << 2));
    const rightEnds = load<u32>(byId + (<usize>right << 2));
    const place = byId + (<usize>id << 2);
    if (leftEnds === 0 || rightEnds === 0 || load<u32>(place) !== 0) return;
    store<u32>(place, made | (leftEnds & 0xff00) | (rightEnds & 0xff));
    if (right < 256) keepLowest(beforeAt + (<usize>(((leftEnds & 0xff) << 8) | right) << 2), rank + 1);
    if (left < 256) keepLowest(afterAt + (<usize>((left << 8) | ((rightEnds >> 8) & 0xff)) << 2), rank + 1);
  }
  isEarly = true;
}

/** Marks an id that is a byte or was made; beside it lie its first byte << 8 and its last. */
const made: u32 = 0x10000;

// @ts-ignore: decorators are AssemblyScript's
@inline
function keepLowest(at: usize, rank: u32): void {
  if (rank < load<u32>(at)) store<u32>(at, rank);
}

/** Makes symbols of a word's bytes. Returns how many. The twin of WordMerger.load. */
export function loadSymbols(start: usize, size: u32): u32 {
  symbolCount += size;
  if (!isEarly) {
    for (let i: usize = 0; i < size; i++) store<u32>(symbolsAt + (i << 2), byteId(start + i));
    return size;
  }
  const last = start + size - 1;
  let to = symbolsAt;
  let previous: i32 = -1;
  let id = byteId(start);
  for (let at = start; at <= last; at++) {
    const right = byteId(at + 1);
    if (at < last) {
      const rank = load<u32>(directAt + (((id << 8) | right) << 2));
      if (rank > 0 && (previous < 0 || rank < load<u32>(beforeAt + (((previous << 8) | id) << 2)))) {
        const beyond = byteId(at + 2);
        if (at + 1 === last || rank < load<u32>(afterAt + (((right << 8) | beyond) << 2))) {
          store<u32>(to, mergedId(rank - 1));
          to += 4;
          previous = right;
          id = beyond;
          at++;
          continue;
        }
      }
    }
    store<u32>(to, id);
    to += 4;
    previous = id;
    id = right;
  }
  return <u32>((to - symbolsAt) >> 2);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function byteId(at: usize): u32 {
  return load<u32>(byteIdsAt + (<usize>load<u8>(at) << 2));
}
