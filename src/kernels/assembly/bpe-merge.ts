// The twin of ../../tokenizers/bpe-word.ts: the merging of one word.
import { copyIds } from './bpe-cache';
import { jointsAt } from './bpe-joints';
import { mergeMany } from './bpe-many';
import { ranksAt, symbolsAt } from './bpe-memory';
import { filterShift, hashPair, lookUp, mayMerge, mergedId, none, rankOf } from './bpe-pairs';
import { countNumbers, findPart, isMet, keepPart, numbersOf } from './chunks-parts';

/** Words up to this many symbols are bits of one number. */
const fewSymbols: u32 = 64;

/** Merges `count` symbols at symbolsAt and writes what they become at `out`, and up to three more. Returns how many. */
export function mergeSymbols(count: u32, out: usize): u32 {
  if (jointsAt !== 0) return mergeParts(count, out);
  return count <= fewSymbols ? mergeFew(symbolsAt, count, out) : mergeMany(count, out);
}

/** Merges a word in parts, cut where nothing joins. */
function mergeParts(count: u32, out: usize): u32 {
  const end = symbolsAt + (<usize>count << 2);
  let to = out;
  for (let at = symbolsAt; at < end; ) {
    const left = <u32>((end - at) >> 2);
    const size = min(left, fewSymbols);
    const joints = jointsOf(at, size);
    let from: u32 = 0;
    while (from < size) {
      const alone = min(<u32>ctz(joints >> from), size - 1 - from);
      to = copyIds(at + (<usize>from << 2), alone, to);
      from += alone;
      const after = from + <u32>ctz(~(joints >> from)) + 1;
      // It may go on in what follows.
      if (after === size && size < left) break;
      to = mergePart(at + (<usize>from << 2), after - from, to);
      from = after;
    }
    at += <usize>from << 2;
    if (from > 0) continue;
    let after = at + (<usize>size << 2);
    while (after < end && joins(load<u32>(after - 4), load<u32>(after)) !== 0) after += 4;
    to = mergePart(at, <u32>((after - at) >> 2), to);
    at = after;
  }
  return <u32>((to - out) >> 2);
}

/** Writes at `out` what a part becomes, which was met or is merged. Returns where that ends. */
function mergePart(symbols: usize, size: u32, out: usize): usize {
  if (size === 1) {
    store<u32>(out, load<u32>(symbols));
    return out + 4;
  }
  if (size === 2) return mergePair(load<u32>(symbols), load<u32>(symbols, 4), out);
  const slot = findPart(symbols, size);
  if (isMet) return copyIds(numbersOf(slot), countNumbers(slot), out);
  if (size > fewSymbols) {
    // What stood there has merged.
    if (symbols > symbolsAt) memory.copy(symbolsAt, symbols, <usize>size << 2);
    return out + (<usize>mergeMany(size, out) << 2);
  }
  const tokens = mergeFew(symbols, size, out);
  keepPart(slot, size, out, tokens);
  return out + (<usize>tokens << 2);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function mergePair(left: u32, right: u32, out: usize): usize {
  const rank = rankOf(left, right);
  store<u32>(out, rank === none ? left : mergedId(rank));
  store<u32>(out, right, 4);
  return out + (rank === none ? 8 : 4);
}

/** A bit for each of few symbols, set where it may ever merge with the next one: without a branch, which could not be foretold. */
function jointsOf(symbols: usize, count: u32): u64 {
  let joints: u64 = 0;
  let left = load<u32>(symbols);
  for (let i: u32 = 1; i < count; i++) {
    const right = load<u32>(symbols + (<usize>i << 2));
    joints |= <u64>joins(left, right) << (i - 1);
    left = right;
  }
  return joints;
}

/** 1 where two symbols may ever merge, 0 where not. */
// @ts-ignore
@inline
function joins(left: u32, right: u32): u32 {
  const bit = <u32>(hashPair(left, right) >> filterShift);
  return (load<u8>(jointsAt + <usize>(bit >> 3)) >> (bit & 7)) & 1;
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
