// The twin of ../../tokenizers/bpe-merges.ts: pairs that merge, and their filter.
import { directAt, pairsAt } from './bpe-memory';

export const none: u32 = 0xffffffff;

/** A slot is left << 43 | right << 22 | rank + 1, or 0: ids take 21 bits, ranks less than 22. */
const rankBits: u64 = 22;
const rankMask: u64 = (1 << rankBits) - 1;

let pairShift: u64 = 0;
let pairMask: usize = 0;
let pairFactor: u64 = 0;
/** A bit for every value of a hash two bits longer than that of the slots, set where a pair has it: most pairs do not merge, and end there. */
let filterAt: usize = 0;
export let filterShift: u64 = 0;
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
 * Where the pair table, of 2^bits slots, is filled from: columns of u32. `factor` is odd and unknown from outside; ids of the ranks lie at
 * `merged`, or are the ranks where it is 0.
 */
export function openPairs(bits: i32, factor: u64, count: usize, lefts: usize, rights: usize, ranks: usize, merged: usize): void {
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
}

/** Writes a pair to the columns. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function putPair(i: u32, left: u32, right: u32, rank: u32, id: u32): void {
  const at = <usize>i << 2;
  store<u32>(leftsAt + at, left);
  store<u32>(rightsAt + at, right);
  store<u32>(rankColumnAt + at, rank);
  if (mergedAt !== 0) store<u32>(mergedAt + at, id);
}

/** Takes the pairs [from, to) of the columns into the table. Of one that stands twice the later counts. False when an id or a rank is too high. */
export function addPairs(from: usize, to: usize): bool {
  for (let at = from << 2; at < to << 2; at += 4) {
    const left = load<u32>(leftsAt + at);
    const right = load<u32>(rightsAt + at);
    const rank = load<u32>(rankColumnAt + at);
    if (left >= idLimit || right >= idLimit || rank >= idLimit) return false;
    if (mergedId(rank) >= idLimit) return false;
    addPair(left, right, rank);
  }
  return true;
}

/** Sets the rank of a pair, for which the table has room. */
export function addPair(left: u32, right: u32, rank: u32): void {
  if ((left | right) < 256) store<u32>(directAt + (<usize>((left << 8) | right) << 2), rank + 1);
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

/** A pair's hash: its high bits say where it stands in table and filter. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function hashPair(left: u32, right: u32): u64 {
  return ((<u64>left << 21) | right) * pairFactor;
}

/** 1 where a pair of this hash may merge, 0 where none does. */
// @ts-ignore
@inline
export function mayMerge(hash: u64): u32 {
  const bit = <u32>(hash >> filterShift);
  return (load<u8>(filterAt + <usize>(bit >> 3)) >> (bit & 7)) & 1;
}

/** Rank of a pair that the filter lets pass, or `none`. */
// @ts-ignore
@inline
export function lookUp(left: u32, right: u32, hash: u64): u32 {
  const key = (<u64>left << 21) | right;
  let slot = <usize>(hash >> pairShift);
  let found = load<u64>(pairsAt + (slot << 3));
  while (found !== 0 && found >> rankBits !== key) {
    slot = (slot + 1) & pairMask;
    found = load<u64>(pairsAt + (slot << 3));
  }
  return <u32>(found & rankMask) - 1;
}

/** Rank of a pair, or `none`. */
// @ts-ignore
@inline
export function rankOf(left: u32, right: u32): u32 {
  const hash = hashPair(left, right);
  return mayMerge(hash) === 0 ? none : lookUp(left, right, hash);
}

/** The id that a rank's pair becomes. */
// @ts-ignore
@inline
export function mergedId(rank: u32): u32 {
  return mergedAt === 0 ? rank : load<u32>(mergedAt + (<usize>rank << 2));
}
