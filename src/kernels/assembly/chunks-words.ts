// What models make of a word of symbols: ids for pairs, code points for pieces. Twins of ../../tokenizers/{wordpiece,unigram}.ts; a return of 0
// leaves the chunk to these.
import { ranksAt, symbolsAt } from './bpe-memory';
import { mergeSymbols } from './bpe-merge';
import { findBest, fromAt, openBest, piecesAt } from './chunks-best';
import { addJoint, addNode, nextNode, openNodes, pieceAt, setPiece } from './chunks-trie';

/** Models: 0 none, 1 pairs, 2 the longest piece first, 3 the best sum, 4 the best sum that goes on from word to word. */
let model: i32 = 0;

/** Of model 4: symbols of the word that waits at symbolsAt. */
export let symbolCount: u32 = 0;

/** The root of pieces inside of a word, 0 where it is that of all. */
let inner: u32 = 0;
/** -1 for none. */
let unknownId: i32 = -1;
let longestWord: u32 = 0;
/** Unknown characters become bytes, which is left to others. */
let spellsUnknown: bool = false;

/** Forgets the word that waits. */
export function clearSymbols(): void {
  symbolCount = 0;
}

export function openModel(kind: i32, unknown: i32, longest: u32, spells: bool, scores: usize, unknownSum: f64): void {
  spellsUnknown = spells;
  model = kind;
  unknownId = unknown;
  longestWord = longest;
  openBest(unknown, scores, unknownSum);
}

let prefixAt: usize = 0;
let prefixSize: usize = 0;

/**
 * Begins a trie of pieces. Those that begin with `prefix` are also found, without it, inside of words; without a prefix all are. The table
 * has 2^bits slots, more than the pieces have characters, `roots` four bytes for every code point and `joints` 2^(bits - 1) bytes, all 0.
 */
export function openTrie(bits: i32, factor: u64, prefix: usize, size: usize, roots: usize, joints: usize): void {
  openNodes(bits, factor, roots, joints);
  prefixAt = prefix;
  prefixSize = size;
  inner = size > 0 ? 1 : 0;
}

/** Takes the pieces [from, to): piece i is the bytes [offsets[i], offsets[i + 1]) and has id ids[i]. False when there are too many. */
export function addPieces(bytes: usize, offsets: usize, ids: usize, from: u32, to: u32): bool {
  for (let piece = from; piece < to; piece++) {
    const place = <usize>piece << 2;
    const start = bytes + load<u32>(offsets + place);
    const end = bytes + load<u32>(offsets + place, 4);
    const id = load<u32>(ids + place);
    if (!insert(start, end, 0, id)) return false;
    if (prefixSize === 0 || end - start <= prefixSize) continue;
    if (memory.compare(start, prefixAt, prefixSize) === 0 && !insert(start + prefixSize, end, 1, id)) return false;
  }
  return true;
}

function insert(start: usize, end: usize, root: u32, id: u32): bool {
  let node = root;
  let before = 0;
  let at = start;
  while (at < end) {
    const code = strictCode(at, end);
    // No text has these bytes.
    if (code < 0) return true;
    at += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    let child = nextNode(node, code);
    if (child === 0) {
      child = addNode(node, code);
      if (child === 0) return false;
      if (node !== root) addJoint(before, code);
    }
    node = child;
    before = code;
  }
  if (node !== root) setPiece(node, id);
  return true;
}

/** The code point at `at`, or -1 where bytes are no UTF-8. */
export function strictCode(at: usize, end: usize): i32 {
  const lead: i32 = load<u8>(at);
  if (lead < 0x80) return lead;
  const width: usize = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (width === 0 || at + width > end) return -1;
  let code = lead & (0x7f >> <i32>width);
  for (let i: usize = 1; i < width; i++) {
    const byte: i32 = load<u8>(at + i);
    if ((byte & 0xc0) !== 0x80) return -1;
    code = (code << 6) | (byte & 0x3f);
  }
  if (width === 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) return -1;
  if (width === 4 && (code < 0x10000 || code > 0x10ffff)) return -1;
  return code;
}

/** Writes the ids of the `count` symbols at symbolsAt at `out`. Returns where they end, or 0. */
export function encodeSymbols(count: u32, out: usize): usize {
  if (model === 1) return out + (<usize>mergeSymbols(count, out) << 2);
  if (model === 4) {
    symbolCount = count;
    return out;
  }
  return model === 2 ? cutLongest(count, out) : cutBest(count, out);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function symbolAt(i: u32): u32 {
  return load<u32>(symbolsAt + (<usize>i << 2));
}

function cutLongest(count: u32, out: usize): usize {
  let to = out;
  let i: u32 = count > longestWord ? count : 0;
  let found: u32 = i;
  while (i < count) {
    let node = i === 0 ? 0 : inner;
    found = 0;
    let after = i;
    for (let j = i; j < count; j++) {
      node = nextNode(node, symbolAt(j));
      if (node === 0) break;
      const id = pieceAt(node);
      if (id === 0) continue;
      found = id;
      after = j + 1;
    }
    if (found === 0) break;
    store<u32>(to, found - 1);
    to += 4;
    i = after;
  }
  if (i === count && count <= longestWord) return to;
  if (unknownId < 0) return 0;
  store<u32>(out, unknownId);
  return out + 4;
}

function cutBest(count: u32, out: usize): usize {
  if (!findBest(symbolsAt, count, 0, false)) return 0;
  // Along the path from its end, to turn it around.
  let tokens: usize = 0;
  for (let at = count; at > 0; at = load<u32>(fromAt + (<usize>at << 2))) {
    store<u32>(ranksAt + (tokens++ << 2), at);
  }
  let to = out;
  let start: u32 = 0;
  while (tokens > 0) {
    let end = load<u32>(ranksAt + (--tokens << 2));
    let id = pieceOf(end);
    if (id === unknownId) {
      if (spellsUnknown) return 0;
      while (tokens > 0 && pieceOf(load<u32>(ranksAt + ((tokens - 1) << 2))) === unknownId) {
        end = load<u32>(ranksAt + (--tokens << 2));
      }
      id = wholeId(start, end);
    }
    store<u32>(to, id);
    to += 4;
    start = end;
  }
  return to;
}

/** Id of the best piece that ends at a place. */
// @ts-ignore
@inline
function pieceOf(end: u32): i32 {
  const id = load<i32>(piecesAt + (<usize>end << 2));
  return id < 0 ? unknownId : id;
}

/** Characters that are unknown one by one can be a piece together. */
function wholeId(start: u32, end: u32): i32 {
  let node: u32 = 0;
  for (let i = start; i < end; i++) {
    node = nextNode(node, symbolAt(i));
    if (node === 0) return unknownId;
  }
  const id = <i32>pieceAt(node);
  return id === 0 ? unknownId : id - 1;
}
