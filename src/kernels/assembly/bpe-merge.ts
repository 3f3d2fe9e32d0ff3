// The twin of ../../tokenizers/bpe-{merges,word}.ts: pairs and the merging of one word.
import { directAt, heapAt, nextAt, pairsAt, previousAt, ranksAt, symbolsAt } from './bpe-memory';

/** Words up to this many symbols look for the best pair among all; longer ones keep them in a heap. */
const shortSymbols: u32 = 128;

export const none: u32 = 0xffffffff;

/** A slot is left << 43 | right << 22 | rank + 1, or 0: ids take 21 bits, ranks less than 22. */
const rankBits: u64 = 22;
const rankMask: u64 = (1 << rankBits) - 1;

let pairShift: u64 = 0;
let pairMask: usize = 0;
let pairFactor: u64 = 0;
/** A bit for every value of a hash two bits longer than that of the slots, set where a pair has it: most pairs do not merge, and end there. */
let filterAt: usize = 0;
let filterShift: u64 = 0;
/** u32: id of every rank; 0 where the rank is the id. */
let mergedAt: usize = 0;

/** Where the pairs came from: columns of u32. */
export let pairCount: usize = 0;
export let leftsAt: usize = 0;
export let rightsAt: usize = 0;
export let rankColumnAt: usize = 0;

/** Ids must be below this to have room in a slot; there are fewer ranks than ids. */
export const idLimit: u32 = 1 << 21;

/**
 * Fills the pair table, of 2^bits slots, from columns of u32. Of a pair that stands twice the later counts. `factor` is odd and
 * unknown from outside; ids of the ranks lie at `merged`, or are the ranks where it is 0. False when an id or a rank is too high.
 */
export function openPairs(bits: i32, factor: u64, count: usize, lefts: usize, rights: usize, ranks: usize, merged: usize): bool {
  pairShift = <u64>(64 - bits);
  pairMask = (1 << bits) - 1;
  pairFactor = factor;
  filterShift = pairShift - 2;
  filterAt = pairsAt + (<usize>1 << (bits + 3));
  mergedAt = merged;
  pairCount = count;
  leftsAt = lefts;
  rightsAt = rights;
  rankColumnAt = ranks;
  for (let at: usize = 0; at < count << 2; at += 4) {
    const left = load<u32>(lefts + at);
    const right = load<u32>(rights + at);
    const rank = load<u32>(ranks + at);
    if (left >= idLimit || right >= idLimit || rank >= idLimit) return false;
    if (mergedId(rank) >= idLimit) return false;
    addPair(left, right, rank);
  }
  return true;
}

/** Sets the rank of a pair, for which the table has room. */
export function addPair(left: u32, right: u32, rank: u32): void {
  if ((left | right) < 256) {
    store<u32>(directAt + (<usize>((left << 8) | right) << 2), rank + 1);
    return;
  }
  const key = (<u64>left << 21) | right;
  const hash = key * pairFactor;
  const bit = <usize>(hash >> filterShift);
  store<u8>(filterAt + (bit >> 3), load<u8>(filterAt + (bit >> 3)) | (<u8>1 << <u8>(bit & 7)));
  let slot = <usize>(hash >> pairShift);
  let found = load<u64>(pairsAt + (slot << 3));
  while (found !== 0 && found >> rankBits !== key) {
    slot = (slot + 1) & pairMask;
    found = load<u64>(pairsAt + (slot << 3));
  }
  store<u64>(pairsAt + (slot << 3), (key << rankBits) | (rank + 1));
}

/** Rank of a pair, or `none`. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function rankOf(left: u32, right: u32): u32 {
  if ((left | right) < 256) return load<u32>(directAt + (<usize>((left << 8) | right) << 2)) - 1;
  const key = (<u64>left << 21) | right;
  const hash = key * pairFactor;
  const bit = <usize>(hash >> filterShift);
  if (((<u32>load<u8>(filterAt + (bit >> 3)) >> <u32>(bit & 7)) & 1) === 0) return none;
  let slot = <usize>(hash >> pairShift);
  let found = load<u64>(pairsAt + (slot << 3));
  while (found !== 0 && found >> rankBits !== key) {
    slot = (slot + 1) & pairMask;
    found = load<u64>(pairsAt + (slot << 3));
  }
  return <u32>(found & rankMask) - 1;
}

/** The id that a rank's pair becomes. */
// @ts-ignore
@inline
export function mergedId(rank: u32): u32 {
  return mergedAt === 0 ? rank : load<u32>(mergedAt + (<usize>rank << 2));
}

/** Merges `count` symbols at symbolsAt and writes what they become at `out`. Returns how many. */
export function mergeSymbols(count: u32, out: usize): u32 {
  if (count <= shortSymbols) mergeShort(count);
  else mergeLong(count);
  let to = out;
  for (let i: u32 = 0; i < count; i = load<u32>(nextAt + (<usize>i << 2))) {
    store<u32>(to, load<u32>(symbolsAt + (<usize>i << 2)));
    to += 4;
  }
  return <u32>((to - out) >> 2);
}

/** The pair of symbols i and j as a number that orders by rank, then place. */
// @ts-ignore
@inline
function keyOf(i: u32, left: u32, right: u32): u32 {
  const rank = rankOf(left, right);
  return rank === none ? none : (rank << 8) | i;
}

function mergeShort(count: u32): void {
  const last = count - 1;
  let left = load<u32>(symbolsAt);
  for (let i: u32 = 0; i < last; i++) {
    const right = load<u32>(symbolsAt + (<usize>i << 2), 4);
    store<u32>(ranksAt + (<usize>i << 2), keyOf(i, left, right));
    left = right;
  }
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(nextAt + (<usize>i << 2), i + 1);
    store<u32>(previousAt + (<usize>i << 2), i - 1);
  }
  // Keys up to a whole vector.
  v128.store(ranksAt + (<usize>last << 2), i32x4.splat(-1));
  const end = ranksAt + (<usize>last << 2);
  for (;;) {
    let lowest = v128.load(ranksAt);
    for (let at = ranksAt + 16; at < end; at += 16) lowest = i32x4.min_u(lowest, v128.load(at));
    lowest = i32x4.min_u(lowest, i32x4.shuffle(lowest, lowest, 2, 3, 0, 1));
    lowest = i32x4.min_u(lowest, i32x4.shuffle(lowest, lowest, 1, 0, 3, 2));
    const best = <u32>i32x4.extract_lane(lowest, 0);
    if (best === none) return;
    const place = best & 255;
    const at = <usize>place << 2;
    const id = mergedId(best >> 8);
    const gone = <usize>load<u32>(nextAt + at) << 2;
    const after = load<u32>(nextAt + gone);
    store<u32>(symbolsAt + at, id);
    store<u32>(ranksAt + gone, none);
    store<u32>(nextAt + at, after);
    let key = none;
    if (after < count) {
      store<u32>(previousAt + (<usize>after << 2), place);
      key = keyOf(place, id, load<u32>(symbolsAt + (<usize>after << 2)));
    }
    store<u32>(ranksAt + at, key);
    if (place > 0) {
      const before = load<u32>(previousAt + at);
      const beforeAt = <usize>before << 2;
      store<u32>(ranksAt + beforeAt, keyOf(before, load<u32>(symbolsAt + beforeAt), id));
    }
  }
}

let heapSize: usize = 0;

function mergeLong(count: u32): void {
  heapSize = 0;
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(nextAt + (<usize>i << 2), i + 1);
    store<u32>(previousAt + (<usize>i << 2), i - 1);
    rankPair(i, count);
  }
  while (heapSize > 0) {
    const best = load<u64>(heapAt);
    popPair();
    const rank = <u32>(best >> 32);
    const place = <u32>best;
    const at = <usize>place << 2;
    // Entries of symbols that have merged since are stale.
    if (load<u32>(ranksAt + at) !== rank) continue;
    const gone = <usize>load<u32>(nextAt + at) << 2;
    const after = load<u32>(nextAt + gone);
    store<u32>(symbolsAt + at, mergedId(rank));
    store<u32>(ranksAt + gone, none);
    store<u32>(nextAt + at, after);
    if (after < count) store<u32>(previousAt + (<usize>after << 2), place);
    rankPair(place, count);
    if (place > 0) rankPair(load<u32>(previousAt + at), count);
  }
}

/** Ranks the pair that symbol i begins. */
function rankPair(i: u32, count: u32): void {
  const at = <usize>i << 2;
  const next = load<u32>(nextAt + at);
  let rank = none;
  if (next < count) rank = rankOf(load<u32>(symbolsAt + at), load<u32>(symbolsAt + (<usize>next << 2)));
  store<u32>(ranksAt + at, rank);
  if (rank !== none) pushPair((<u64>rank << 32) | i);
}

function pushPair(key: u64): void {
  let at = heapSize++;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = load<u64>(heapAt + (parent << 3));
    if (above <= key) break;
    store<u64>(heapAt + (at << 3), above);
    at = parent;
  }
  store<u64>(heapAt + (at << 3), key);
}

function popPair(): void {
  const size = --heapSize;
  const key = load<u64>(heapAt + (size << 3));
  let at: usize = 0;
  for (let child: usize = 1; child < size; child = 2 * at + 1) {
    if (child + 1 < size && load<u64>(heapAt + (child << 3), 8) < load<u64>(heapAt + (child << 3))) child++;
    const below = load<u64>(heapAt + (child << 3));
    if (key <= below) break;
    store<u64>(heapAt + (at << 3), below);
    at = child;
  }
  store<u64>(heapAt + (at << 3), key);
}
