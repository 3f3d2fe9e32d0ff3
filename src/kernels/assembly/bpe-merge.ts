// The twin of ../../tokenizers/bpe-word.ts: the merging of one word.
import { jointsAt } from './bpe-joints';
import { mergeMany } from './bpe-many';
import { ranksAt, symbolsAt } from './bpe-memory';
import { filterShift, hashPair, lookUp, mayMerge, mergedId, none, rankOf } from './bpe-pairs';

/** Words up to this many symbols are bits of one number. */
const fewSymbols: u32 = 64;

/** Merges `count` symbols at symbolsAt and writes what they become at `out`, and up to three more. Returns how many. */
export function mergeSymbols(count: u32, out: usize): u32 {
  if (count <= fewSymbols) return mergeFew(symbolsAt, count, out);
  return jointsAt === 0 ? mergeMany(count, out) : mergeParts(count, out);
}

/** Merges a long word in parts of few symbols, cut where nothing joins. */
function mergeParts(count: u32, out: usize): u32 {
  let to = out;
  let from = symbolsAt;
  for (let rest = count; rest > 0; ) {
    let size = rest;
    if (rest > fewSymbols) {
      size = fewSymbols;
      while (size > 0 && joinsAt(from + (<usize>size << 2))) size--;
      if (size === 0) {
        size = fewSymbols + 1;
        while (size < rest && joinsAt(from + (<usize>size << 2))) size++;
      }
    }
    if (size <= fewSymbols) to += <usize>mergeFew(from, size, to) << 2;
    else {
      // What stood there has merged.
      if (from > symbolsAt) memory.copy(symbolsAt, from, <usize>size << 2);
      to += <usize>mergeMany(size, to) << 2;
    }
    from += <usize>size << 2;
    rest -= size;
  }
  return <u32>((to - out) >> 2);
}

/** Whether the symbol here may ever merge with the one before it. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function joinsAt(at: usize): bool {
  const bit = <u32>(hashPair(load<u32>(at - 4), load<u32>(at)) >> filterShift);
  return ((load<u8>(jointsAt + <usize>(bit >> 3)) >> (bit & 7)) & 1) !== 0;
}

/** The same for few symbols, wherever they lie, which are the bits of a number: those that are left stay set. */
function mergeFew(symbols: usize, count: u32, out: usize): u32 {
  // No branch that depends on the symbols.
  let candidates: u64 = 0;
  let left = load<u32>(symbols);
  for (let i: u32 = 1; i < count; i++) {
    const right = load<u32>(symbols + (<usize>i << 2));
    candidates |= <u64>mayMerge(hashPair(left, right)) << (i - 1);
    left = right;
  }
  let live: u64 = <u64>-1 >> (64 - count);
  /** Symbols that begin a pair which merges. */
  let pairs: u64 = 0;
  for (; candidates !== 0; candidates &= candidates - 1) {
    const i = <u32>ctz(candidates);
    const at = <usize>i << 2;
    const first = load<u32>(symbols + at);
    const second = load<u32>(symbols + at, 4);
    const rank = lookUp(first, second, hashPair(first, second));
    store<u32>(ranksAt + at, (rank << 8) | i);
    pairs |= <u64>(rank !== none) << i;
  }
  while (pairs !== 0) {
    let best = none;
    for (let rest = pairs; rest !== 0; rest &= rest - 1) best = min(best, load<u32>(ranksAt + (<usize>ctz(rest) << 2)));
    const place = best & 255;
    const at = <usize>place << 2;
    const id = mergedId(best >> 8);
    let behind = live & (<u64>-2 << place);
    const gone = <u64>1 << ctz(behind);
    behind &= behind - 1;
    live ^= gone;
    pairs &= ~(gone | (<u64>1 << place));
    store<u32>(symbols + at, id);
    if (behind !== 0) {
      const rank = rankOf(id, load<u32>(symbols + (<usize>ctz(behind) << 2)));
      store<u32>(ranksAt + at, (rank << 8) | place);
      pairs |= <u64>(rank !== none) << place;
    }
    const before = live & ((<u64>1 << place) - 1);
    if (before !== 0) {
      const i = 63 - <u32>clz(before);
      const rank = rankOf(load<u32>(symbols + (<usize>i << 2)), id);
      store<u32>(ranksAt + (<usize>i << 2), (rank << 8) | i);
      pairs = (pairs & ~(<u64>1 << i)) | (<u64>(rank !== none) << i);
    }
  }
  let to = out;
  for (; live !== 0; live &= live - 1) {
    store<u32>(to, load<u32>(symbols + (<usize>ctz(live) << 2)));
    to += 4;
  }
  return <u32>((to - out) >> 2);
}
