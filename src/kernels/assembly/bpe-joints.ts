// Which symbols of characters merges could ever join: what never joins can be merged apart.
import { filterShift, hashPair, leftsAt, mergedId, pairCount, rankColumnAt, rightsAt } from './bpe-pairs';

/** A filter as that of pairs, of symbols that end a left part and those that begin a right part; 0 where that is not known. */
export let jointsAt: usize = 0;

/**
 * Finds the joints of all pairs, unless an id is both no merge's and a merge's, has two first or last symbols, or is a part of a better
 * rank than its own.
 *
 * There is room for a filter at `at`, and for `most` numbers at `byRank`, `firsts` and `lasts`, all 0. Afterwards the first symbol + 1 of
 * every id that pairs have stands at `firsts`.
 */
export function openJoints(at: usize, most: u32, byRank: usize, firsts: usize, lasts: usize): void {
  let highest: u32 = 0;
  for (let i: usize = 0; i < pairCount << 2; i += 4) {
    const rank = load<u32>(rankColumnAt + i);
    if (rank >= most || load<u32>(byRank + (<usize>rank << 2)) !== 0) return;
    store<u32>(byRank + (<usize>rank << 2), <u32>i + 4);
    if (rank > highest) highest = rank;
  }
  for (let rank: u32 = 0; rank <= highest; rank++) {
    const i = <usize>load<u32>(byRank + (<usize>rank << 2));
    if (i === 0) continue;
    const left = load<u32>(leftsAt + i - 4);
    const right = load<u32>(rightsAt + i - 4);
    const id = mergedId(rank);
    if (left >= most || right >= most || id >= most) return;
    const first = symbolOf(firsts, lasts, left, firsts);
    const last = symbolOf(firsts, lasts, right, lasts);
    const known = load<u32>(firsts + (<usize>id << 2));
    if (known !== 0 && (known !== first || load<u32>(lasts + (<usize>id << 2)) !== last)) return;
    store<u32>(firsts + (<usize>id << 2), first);
    store<u32>(lasts + (<usize>id << 2), last);
    const hash = hashPair(symbolOf(firsts, lasts, left, lasts) - 1, symbolOf(firsts, lasts, right, firsts) - 1);
    const bit = <u32>(hash >> filterShift);
    const place = at + <usize>(bit >> 3);
    store<u8>(place, load<u8>(place) | (<u8>1 << <u8>(bit & 7)));
  }
  jointsAt = at;
}

/** First or last symbol + 1 of a part, which is its own where no merge has made it yet. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function symbolOf(firsts: usize, lasts: usize, part: u32, column: usize): u32 {
  const place = <usize>part << 2;
  if (load<u32>(firsts + place) === 0) {
    store<u32>(firsts + place, part + 1);
    store<u32>(lasts + place, part + 1);
  }
  return load<u32>(column + place);
}

/** Learns that a word may begin with this symbol, of ids below `most`. */
export function checkJoints(firsts: usize, most: u32, id: u32): void {
  if (id >= most) return;
  const first = load<u32>(firsts + (<usize>id << 2));
  if (first !== 0 && first !== id + 1) closeJoints();
}

/** Symbols come that are made by merges as well: what they join with is not known. */
function closeJoints(): void {
  jointsAt = 0;
}
