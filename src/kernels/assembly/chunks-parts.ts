// Parts of words that nothing joins with what stands beside them, and what became of them: most parts of a new word were met in others.
import { heapAt } from './bpe-memory';

/** Longer parts are not kept. */
const partSymbols: u32 = 12;
/** Nor those that become more numbers. */
const partNumbers: u32 = 9;

/**
 * Slots of 64 bytes, each for the part that was met last of those with its hash: u16 of its symbols, then zeros; u8 how many symbols, 0 in an
 * empty slot; u8 how many numbers; u32 of these. What comes before them is for heaps and sums of a chunk's symbols.
 */
const slotsAt: usize = heapAt + 0x100000;
/** More of them find more parts, in memory further away: twice as many were no faster. */
const slotBits: u64 = 14;
const countAt: usize = 24;
const numbersAt: usize = 28;

let factor: u64 = 1;

/** Whether the part that was looked for last is kept. */
export let isMet: bool = false;

/** `hashFactor` is odd and unknown from outside. */
export function openParts(hashFactor: u64): void {
  factor = hashFactor;
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function mixed(hash: u64, next: u64): u64 {
  const product = (hash ^ next) * factor;
  return product ^ (product >> 32);
}

/** The slot of a part, which is emptied for it where it is not kept; 0 where it cannot be. */
export function findPart(symbols: usize, count: u32): usize {
  isMet = false;
  if (count > partSymbols) return 0;
  const size = i32x4.splat(count);
  const first = v128.and(v128.load(symbols), i32x4.lt_s(i32x4(0, 1, 2, 3), size));
  const second = v128.and(v128.load(symbols, 16), i32x4.lt_s(i32x4(4, 5, 6, 7), size));
  const third = v128.and(v128.load(symbols, 32), i32x4.lt_s(i32x4(8, 9, 10, 11), size));
  const all = v128.or(v128.or(first, second), third);
  if (v128.any_true(i32x4.shr_u(all, 16))) return 0;
  const low = i16x8.narrow_i32x4_u(first, second);
  const high = i64x2.extract_lane(i16x8.narrow_i32x4_u(third, third), 0);
  const hash = mixed(mixed(mixed(0, i64x2.extract_lane(low, 0)), i64x2.extract_lane(low, 1)), high) * factor;
  const slot = slotsAt + (<usize>(hash >> (64 - slotBits)) << 6);
  const isSame = i8x16.all_true(i8x16.eq(v128.load(slot), low)) && load<u64>(slot, 16) === high;
  if (isSame && load<u8>(slot, countAt) === count) {
    isMet = true;
    return slot;
  }
  v128.store(slot, low);
  store<u64>(slot, high, 16);
  store<u8>(slot, 0, countAt);
  return slot;
}

/** Keeps what became of the part of `count` symbols that was looked for last. */
export function keepPart(slot: usize, count: u32, from: usize, numbers: u32): void {
  if (slot === 0 || numbers > partNumbers) return;
  store<u8>(slot, count, countAt);
  store<u8>(slot, numbers, countAt + 1);
  memory.copy(slot + numbersAt, from, <usize>numbers << 2);
}

/** How many numbers a slot has. */
// @ts-ignore
@inline
export function countNumbers(slot: usize): u32 {
  return load<u8>(slot, countAt + 1);
}

/** Where they lie. */
// @ts-ignore
@inline
export function numbersOf(slot: usize): usize {
  return slot + numbersAt;
}
