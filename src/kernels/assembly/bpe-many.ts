// The twin of ../../tokenizers/bpe-word.ts for words of many symbols.
import { heapAt, nextAt, previousAt, ranksAt, symbolsAt } from './bpe-memory';
import { mergedId, none, rankOf } from './bpe-pairs';

/** Words up to this many symbols look for the best pair among all; longer ones keep them in a heap. */
const shortSymbols: u32 = 128;

/** Merges more symbols than are bits of one number, at symbolsAt. */
export function mergeMany(count: u32, out: usize): u32 {
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
// @ts-ignore: decorators are AssemblyScript's
@inline
function keyOf(i: u32, left: u32, right: u32): u32 {
  const rank = rankOf(left, right);
  return rank === none ? none : (rank << 8) | i;
}

/** The lowest of the keys that begin at ranksAt. */
// @ts-ignore
@inline
function lowestKey(end: usize): u32 {
  let lowest = v128.load(ranksAt);
  for (let at = ranksAt + 16; at < end; at += 16) lowest = i32x4.min_u(lowest, v128.load(at));
  lowest = i32x4.min_u(lowest, i32x4.shuffle(lowest, lowest, 2, 3, 0, 1));
  lowest = i32x4.min_u(lowest, i32x4.shuffle(lowest, lowest, 1, 0, 3, 2));
  return <u32>i32x4.extract_lane(lowest, 0);
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
    const best = lowestKey(end);
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
