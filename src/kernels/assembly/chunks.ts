// The twin of ../../tokenizers/tokenizer-json-chunks.ts: texts to ids chunk by chunk, through a cache. What it has no rules for it asks.
import { copyIds, hashLong, hashShort, isSame, keep, keyBytes, longestWord, openCache, slotCount, slotShift } from './bpe-cache';
import { idsAt, slotsAt, symbolsAt, textAt, textRoom, wordEndsAt } from './bpe-memory';
import { openScan, scanned, scanSpaceChunks, scanWordChunks } from './chunks-scan';
import { clearSum, findAfter, findFree, holds, openSums as openSumsOf, pathAt, pathSize, putPath } from './chunks-best';
import { openParts } from './chunks-parts';
import { encodeDirect, isDirect, isSummed, mostSymbols, sumUp } from './chunks-direct';
import { clearSymbols, encodeSymbols, symbolCount } from './chunks-words';

export { checkJoints, openJoints } from './bpe-joints';
export { expectUnits } from './bpe-cache';
export { findParts, openNames } from './bpe-names';
export { addPairs, openPairs } from './bpe-pairs';
export { encodeUnits, openUnits } from './units';
export { asciiAt, byteIdsAt, classesAt, idsAt, pairsAt, symbolsAt, textAt, textRoom } from './bpe-memory';
export { openCharacters, openDirect } from './chunks-direct';
export { addPieces, openModel, openTrie } from './chunks-words';

/** Writes the ids of a chunk at `out`. Returns where they end, which is idsAt when they had no room and all ids were taken. */
// @ts-ignore: decorators are AssemblyScript's
@external('env', 'ask')
declare function ask(start: usize, end: usize, out: usize): usize;
/** Takes the ids up to `out`. */
// @ts-ignore
@external('env', 'flush')
declare function flush(out: usize): void;
/** Writes the code points of what a chunk becomes at symbolsAt. Returns how many, or -1 for more than `most`. */
// @ts-ignore
@external('env', 'spell')
declare function spell(start: usize, end: usize, most: u32): i32;

let isWords: bool = false;

/** A chunk was too long: the text must be encoded another way. */
let hasFailed: bool = false;

/** `words`: chunks lie between white space, else they begin with spaces. */
export function openChunks(words: bool, safety: usize, factor: u64): void {
  isWords = words;
  openScan(safety);
  openCache(factor);
  openParts(factor);
}

/** After openModel with model 4. */
export function openSums(single: bool, count: u32, spells: bool): void {
  sumUp();
  openSumsOf(single, count, spells);
}

/** Begins a text where sums go on. */
export function beginText(): void {
  clearSum();
  hasFailed = false;
}

/** Whether the text that was begun last has a chunk that is too long. */
export function failed(): bool {
  return hasFailed;
}

/** Encodes the text at textAt. Returns how many of its bytes became ids: all, but a last chunk where the text goes on. */
export function encode(length: u32, goesOn: bool): u32 {
  const end = textAt + length;
  // The zeros that end it.
  v128.store(end, i64x2.splat(0));
  let at = textAt;
  let out = idsAt;
  while (at < end) {
    const count = isWords ? scanWordChunks(at, end, goesOn) : scanSpaceChunks(at, end, goesOn);
    out = encodeChunks(count, out);
    if (hasFailed) break;
    at = scanned;
    if (count === 0) break;
  }
  flush(out);
  return <u32>(at - textAt);
}

/** Behind this nothing is written without asking whether it has room. */
const lastOut: usize = idsAt + (<usize>textRoom << 2) - (<usize>mostSymbols << 2) - 16;

function encodeChunks(count: i32, first: usize): usize {
  const last = wordEndsAt + (<usize>count << 3);
  let out = first;
  for (let bounds = wordEndsAt; bounds < last; bounds += 8) {
    const at = <usize>load<u32>(bounds);
    const end = <usize>load<u32>(bounds, 4);
    const size = <u32>(end - at);
    let key: u64;
    let hash: u64;
    if (size <= keyBytes) {
      key = load<u64>(at) & (<u64>-1 >> (<u64>(keyBytes - size) << 3));
      hash = hashShort(key, size);
    } else {
      key = hashLong(at, end);
      hash = key;
    }
    if (out > lastOut) {
      flush(out);
      out = idsAt;
    }
    const mask = slotCount - 1;
    const slots = slotsAt + (slotCount << 4);
    let slot = <usize>(hash >> slotShift);
    for (;;) {
      const place = slots + (slot << 4);
      const kept = load<u32>(place, 8);
      if (kept === 0) {
        out = encodeNew(at, end, key, place, out);
        break;
      }
      if (load<u64>(place) === key && (kept & 255) === size) {
        const tokens = kept >> 8;
        const value = load<u32>(place, 12);
        if (size > keyBytes) {
          if (isSame(value, at, size)) {
            out = take(value + ((size + 3) & ~3), tokens, out, at, end);
            break;
          }
        } else if (tokens === 1) {
          store<u32>(out, value);
          out += 4;
          break;
        } else {
          out = take(value, tokens, out, at, end);
          break;
        }
      }
      slot = (slot + 1) & mask;
    }
  }
  return out;
}

/** Copies what is kept of a chunk: ids, or a path and with which sums it holds. */
// @ts-ignore
@inline
function take(from: usize, tokens: u32, out: usize, at: usize, end: usize): usize {
  if (!isSummed) return copyIds(from, tokens, out);
  if (holds(load<f32>(from))) return putSummed(from + 4, tokens - 1, out);
  return loadSymbols(at, end) ? putAfter(out) : out;
}

/** Writes the symbols of a chunk to symbolsAt. */
function loadSymbols(at: usize, end: usize): bool {
  clearSymbols();
  if (encodeDirect(at, end, symbolsAt) !== 0) return true;
  const count = spell(at, end, mostSymbols);
  hasFailed = count < 0;
  if (!hasFailed) encodeSymbols(<u32>count, symbolsAt);
  return !hasFailed;
}

function putAfter(out: usize): usize {
  findAfter(symbolCount);
  return putSummed(pathAt + 4, pathSize, out);
}

/** Writes the ids of a path. */
function putSummed(from: usize, size: u32, out: usize): usize {
  if (out + (<usize>size << 4) <= idsAt + (<usize>textRoom << 2)) return putPath(from, size, out);
  flush(out);
  return putPath(from, size, idsAt);
}

function encodeSummed(at: usize, end: usize, key: u64, place: usize, out: usize): usize {
  if (!loadSymbols(at, end) || symbolCount === 0) return out;
  const size = <u32>(end - at);
  findFree(symbolCount);
  if (size <= longestWord) keep(at, size, key, place, pathAt, pathSize + 1);
  return holds(load<f32>(pathAt)) ? putSummed(pathAt + 4, pathSize, out) : putAfter(out);
}

function encodeNew(at: usize, end: usize, key: u64, place: usize, out: usize): usize {
  if (isSummed) return encodeSummed(at, end, key, place, out);
  let after = isDirect ? encodeDirect(at, end, out) : 0;
  if (after === 0) after = ask(at, end, out);
  const tokens = <u32>((after - out) >> 2);
  const size = <u32>(end - at);
  // More ids than a chunk may have symbols had no room when they are copied behind others.
  if (after > out && size <= longestWord && tokens <= mostSymbols) keep(at, size, key, place, out, tokens);
  return after;
}
