// Parts of merges by their names: the twin of list in ../../tokenizers/tokenizer-json-ordered.ts and of find in
// ../../tokenizers/tokenizer-json-vocabulary.ts.
import { putPair } from './bpe-pairs';

const prime: u32 = 0x01000193;

let bytesAt: usize = 0;
let offsetsAt: usize = 0;
let idsAt: usize = 0;
let entriesAt: usize = 0;
let slotsAt: usize = 0;
let slotMask: u32 = 0;
let marks: u32 = 0;
let hashStart: u32 = 0;

/** Names as a vocabulary has them, in columns of u32; `mask` is one less than there are slots, `high` the bits of a slot that are a hash's. */
export function openNames(
  bytes: usize,
  offsets: usize,
  ids: usize,
  entries: usize,
  slots: usize,
  mask: u32,
  high: u32,
  start: u32,
): void {
  bytesAt = bytes;
  offsetsAt = offsets;
  idsAt = ids;
  entriesAt = entries;
  slotsAt = slots;
  slotMask = mask;
  marks = high;
  hashStart = start;
}

/**
 * Writes the pairs that make the ids [from, to) to the columns of pairs. Those of an id are firsts[id] up to firsts[id + 1], and splits has, as
 * u16, the bytes of their left parts. Ranks are ids where the pairs are `numbered`, else places. False where a part is no name.
 */
export function findParts(from: u32, to: u32, firsts: usize, splits: usize, numbered: bool): bool {
  for (let id = from; id < to; id++) {
    const first = load<u32>(firsts + (<usize>id << 2));
    const last = load<u32>(firsts + (<usize>id << 2), 4);
    const entry = load<u32>(entriesAt + (<usize>id << 2)) - 1;
    if (first < last && <i32>entry < 0) return false;
    for (let at = first; at < last; at++) {
      const place = offsetsAt + (<usize>entry << 2);
      const start = bytesAt + load<u32>(place);
      const end = bytesAt + load<u32>(place, 4);
      const middle = start + load<u16>(splits + (<usize>at << 1));
      const left = find(start, middle);
      const right = find(middle, end);
      if (left < 0 || right < 0) return false;
      putPair(at, left, right, numbered ? id : at, id);
    }
  }
  return true;
}

/** Id of the entry of exactly these bytes, or -1. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function find(start: usize, end: usize): i32 {
  let hash = hashStart;
  for (let at = start; at < end; at++) hash = (hash ^ load<u8>(at)) * prime;
  let mixed = (hash ^ (hash >> 15)) * 0x2c1b3c6d;
  mixed ^= mixed >> 12;
  let slot = mixed & slotMask;
  let found = load<u32>(slotsAt + (<usize>slot << 2));
  for (; found !== 0; found = load<u32>(slotsAt + (<usize>slot << 2))) {
    if (((found ^ hash) & marks) === 0) {
      const entry = <usize>((found & ~marks) - 1);
      const from = bytesAt + load<u32>(offsetsAt + (entry << 2));
      const size = bytesAt + load<u32>(offsetsAt + (entry << 2), 4) - from;
      if (size === end - start && areSame(from, start, end)) return load<u32>(idsAt + (entry << 2));
    }
    slot = (slot + 1) & slotMask;
  }
  return -1;
}

/** Whether bytes at `from` are those of [start, end), behind which more may be read. */
// @ts-ignore
@inline
function areSame(from: usize, start: usize, end: usize): bool {
  if (start === end) return true;
  const shift = from - start;
  let at = start;
  for (; at + 8 < end; at += 8) if (load<u64>(at + shift) !== load<u64>(at)) return false;
  return (load<u64>(at + shift) ^ load<u64>(at)) << (<u64>(8 - (end - at)) << 3) === 0;
}
