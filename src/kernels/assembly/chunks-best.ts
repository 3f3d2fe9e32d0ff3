// The best way to cut a word of code points into pieces of a trie: the twin of ../../tokenizers/unigram.ts.
import { copyIds } from './bpe-cache';
import { byteIdsAt, heapAt, nextAt, previousAt, ranksAt, symbolsAt } from './bpe-memory';
import { none } from './bpe-pairs';
import { countNumbers, findPart, isMet, keepPart, numbersOf } from './chunks-parts';
import { firstNode, mayJoin, nextNode, pieceAt } from './chunks-trie';

/** f64 by id. */
let scoresAt: usize = 0;
let unknownScore: f64 = 0;
/** -1 for none. */
let unknownId: i32 = -1;
/** Unknown characters become the ids of their bytes, which lie at byteIdsAt; else they are one token. */
let spellsUnknown: bool = false;
let isSingle: bool = false;
/** The highest score, whatever its sign. */
let highest: f64 = 0;

/** Where the best piece that ends at a place begins, none when there is none; its id, or `unknownBit` and a code point; the best sums up to there. */
export const fromAt: usize = previousAt;
export const piecesAt: usize = nextAt;
const sumsAt: usize = heapAt;
const secondsAt: usize = heapAt + 0x40000;
/** The path of a part. */
const partAt: usize = heapAt + 0x80000;

const unknownBit: u32 = 0x80000000;

/** The path that was found last: how many pieces, f32 of the highest sum before them with which it is the best, and the pieces. */
export let pathSize: u32 = 0;
export const pathAt: usize = ranksAt;

/** The sum of all pieces before the next word. */
let sum: f64 = 0;

export function openBest(unknown: i32, scores: usize, unknownSum: f64): void {
  unknownId = unknown;
  scoresAt = scores;
  unknownScore = unknownSum;
}

/** Sums go on from word to word, and are rounded to f32 where `single` says so. There are `count` scores, and that of unknown characters. */
export function openSums(single: bool, count: u32, spells: bool): void {
  isSingle = single;
  spellsUnknown = spells;
  highest = abs(unknownScore);
  for (let id: usize = 0; id < <usize>count; id++) highest = max(highest, abs(load<f64>(scoresAt + (id << 3))));
}

/** Begins a text. */
export function clearSum(): void {
  sum = 0;
}

/** Finds the best pieces of `count` symbols after a sum. False where one is unknown and there is no id for it. */
export function findBest(symbols: usize, count: u32, before: f64, rounds: bool): bool {
  memory.fill(fromAt, 0xff, (<usize>count + 1) << 2);
  store<f64>(sumsAt, before);
  for (let at: u32 = 0; at < count; at++) {
    const here = load<f64>(sumsAt + (<usize>at << 3));
    let isSpelled = false;
    const code = load<u32>(symbols + (<usize>at << 2));
    let node = firstNode(code);
    let to = at;
    while (node !== 0) {
      to++;
      const id = pieceAt(node);
      if (id !== 0) {
        const total = load<f64>(scoresAt + (<usize>(id - 1) << 3)) + here;
        better(at, to, rounds ? <f64>(<f32>total) : total, id - 1);
        if (to === at + 1) isSpelled = true;
      }
      if (to === count) break;
      node = nextNode(node, load<u32>(symbols + (<usize>to << 2)));
    }
    if (isSpelled) continue;
    const total = unknownScore + here;
    if (better(at, at + 1, rounds ? <f64>(<f32>total) : total, unknownBit | code) && unknownId < 0) return false;
  }
  return true;
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function better(from: u32, to: u32, total: f64, piece: u32): bool {
  const place = <usize>to << 2;
  const sums = sumsAt + (place << 1);
  const seconds = secondsAt + (place << 1);
  let second = -Infinity;
  if (load<u32>(fromAt + place) !== none) {
    second = load<f64>(sums);
    if (total <= second) {
      if (total > load<f64>(seconds)) store<f64>(seconds, total);
      return false;
    }
  }
  store<f64>(seconds, second);
  store<f64>(sums, total);
  store<u32>(fromAt + place, from);
  store<u32>(piecesAt + place, piece);
  return true;
}

/** Writes the path that findBest found for `count` symbols: where it holds, and its pieces. Returns how many these are. */
function writePath(count: u32, path: usize): u32 {
  let size: u32 = 0;
  let margin = Infinity;
  for (let at = count; at > 0; at = load<u32>(fromAt + (<usize>at << 2))) {
    const place = <usize>at << 3;
    margin = min(margin, load<f64>(sumsAt + place) - load<f64>(secondsAt + place));
    size++;
  }
  let to = path + (<usize>size << 2);
  for (let at = count; at > 0; at = load<u32>(fromAt + (<usize>at << 2))) {
    store<u32>(to, load<u32>(piecesAt + (<usize>at << 2)));
    to -= 4;
  }
  store<f32>(path, limitOf(margin, count));
  return size;
}

/**
 * The highest sum before a word with which rounding changes none of its decisions: each place of the path is better by `margin` at least.
 *
 * A sum of n scores after S is off by less than n u (|S| + n m), where m is the highest score and u twice the rounding of one addition, and so are
 * two of them by less than margin when |S| is below margin / 2nu - nm.
 */
function limitOf(margin: f64, count: u32): f32 {
  const u: f64 = isSingle ? 1.0 / 8388608 : 1.0 / 4503599627370496;
  const n = <f64>count;
  // An eighth for the rounding of the margin itself.
  return <f32>(((margin / (2 * n * u)) * 0.875) - n * highest);
}

/** Whether decisions made before any sum hold after the one of the text. */
// @ts-ignore
@inline
export function holds(limit: f32): bool {
  return abs(sum) < <f64>limit;
}

/**
 * Finds the path of `count` symbols, as if nothing stood before them: part by part, for no piece lies in two.
 *
 * Before a part stand the scores of those before it as well: at most count m. Adding them rounds by less than a hundredth of what any limit leaves.
 */
export function findFree(count: u32): void {
  const end = symbolsAt + (<usize>count << 2);
  let limit: f64 = Infinity;
  let to = pathAt + 4;
  for (let at = symbolsAt; at < end; ) {
    let after = at + 4;
    let last = load<u32>(at);
    while (after < end) {
      const next = load<u32>(after);
      if (!mayJoin(last, next)) break;
      last = next;
      after += 4;
    }
    if (after === at + 4) {
      store<u32>(to, pieceAlone(last));
      to += 4;
    } else {
      const part = findPath(at, <u32>((after - at) >> 2));
      limit = min(limit, <f64>load<f32>(part));
      to = copyIds(part + 4, partSize, to);
    }
    at = after;
  }
  pathSize = <u32>((to - pathAt) >> 2) - 1;
  store<f32>(pathAt, <f32>(limit * 0.99 - <f64>count * highest));
}

/** The only piece of a character. */
// @ts-ignore
@inline
function pieceAlone(code: u32): u32 {
  const node = firstNode(code);
  const id = node === 0 ? 0 : pieceAt(node);
  return id === 0 ? unknownBit | code : id - 1;
}

/** Pieces of the part whose path was found last. */
let partSize: u32 = 0;

/** Where the path of a part lies, which was met or is found. */
function findPath(symbols: usize, count: u32): usize {
  const slot = findPart(symbols, count);
  if (isMet) {
    partSize = countNumbers(slot) - 1;
    return numbersOf(slot);
  }
  findBest(symbols, count, 0, false);
  partSize = writePath(count, partAt);
  keepPart(slot, count, partAt, partSize + 1);
  return partAt;
}

/** Finds the path of `count` symbols after all that stood before them. */
export function findAfter(count: u32): void {
  findBest(symbolsAt, count, sum, isSingle);
  pathSize = writePath(count, pathAt);
}

/** Adds the scores of a path to the sum and writes its ids at `out`. Unknown characters in a row are one, or their bytes. Returns where they end. */
export function putPath(from: usize, size: u32, out: usize): usize {
  let to = out;
  let wasUnknown = false;
  for (let i: usize = 0; i < size; i++) {
    const piece = load<u32>(from + (i << 2));
    const isUnknown = (piece & unknownBit) !== 0;
    const total = sum + (isUnknown ? unknownScore : load<f64>(scoresAt + (<usize>piece << 3)));
    sum = isSingle ? <f64>(<f32>total) : total;
    if (!isUnknown) {
      store<u32>(to, piece);
      to += 4;
    } else if (spellsUnknown) to = putBytes(piece & ~unknownBit, to);
    else if (!wasUnknown) {
      store<u32>(to, unknownId);
      to += 4;
    }
    wasUnknown = isUnknown;
  }
  return to;
}

function putBytes(code: u32, out: usize): usize {
  let to = out;
  if (code < 0x80) return putByte(code, to);
  if (code < 0x800) to = putByte(0xc0 | (code >> 6), to);
  else {
    if (code < 0x10000) to = putByte(0xe0 | (code >> 12), to);
    else {
      to = putByte(0xf0 | (code >> 18), to);
      to = putByte(0x80 | ((code >> 12) & 0x3f), to);
    }
    to = putByte(0x80 | ((code >> 6) & 0x3f), to);
  }
  return putByte(0x80 | (code & 0x3f), to);
}

// @ts-ignore
@inline
function putByte(byte: u32, out: usize): usize {
  store<u32>(out, load<u32>(byteIdsAt + (<usize>byte << 2)));
  return out + 4;
}
