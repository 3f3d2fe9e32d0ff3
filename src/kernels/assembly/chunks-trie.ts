// A trie of pieces over code points, in a table of its edges: a step touches one place in memory.
import { pairsAt } from './bpe-memory';

/**
 * A slot for every node but the roots: u64 (parent << 21 | code) + 1, or 0 where it is empty; u32 id + 1 of the piece that ends there, or 0; u32 the
 * lowest five bits of code points that go on, as bits. A node is the number of its slot; 0 is the root, and 1 that of pieces inside of words.
 */
const slotsAt: usize = pairsAt;
const codeBits: u64 = 21;

let factor: u64 = 0;
let shift: u64 = 0;
let mask: u32 = 0;
let free: u32 = 0;
/** u32 by code point: the child of the root, or 0. */
let rootsAt: usize = 0;
/** A bit for every value of a hash two bits longer than that of the slots, set where two neighbors in a piece have it. */
let jointsAt: usize = 0;

/** Begins a trie with 2^bits slots. `hashFactor` is odd and unknown from outside; there are 2^(bits - 1) bytes, all 0, at `joints`. */
export function openNodes(bits: i32, hashFactor: u64, roots: usize, joints: usize): void {
  factor = hashFactor;
  shift = <u64>(64 - bits);
  mask = (1 << bits) - 1;
  // An eighth stays empty, so that looking for what is not there ends.
  free = mask - (mask >> 3);
  rootsAt = roots;
  jointsAt = joints;
  // No key is like these.
  store<u64>(slotsAt, -1);
  store<u64>(slotsAt, -1, 16);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function placeOf(node: u32): usize {
  return slotsAt + (<usize>node << 4);
}

// @ts-ignore
@inline
function keyOf(node: u32, code: u32): u64 {
  return ((<u64>node << codeBits) | code) + 1;
}

// @ts-ignore
@inline
function jointOf(left: u32, right: u32): u32 {
  return <u32>((((<u64>left << codeBits) | right) * factor) >> (shift - 2));
}

/** Learns that a piece has two characters beside each other. */
export function addJoint(left: u32, right: u32): void {
  const bit = jointOf(left, right);
  const place = jointsAt + <usize>(bit >> 3);
  store<u8>(place, load<u8>(place) | (<u8>1 << <u8>(bit & 7)));
}

/** Whether a piece may have two characters beside each other. */
// @ts-ignore
@inline
export function mayJoin(left: u32, right: u32): bool {
  const bit = jointOf(left, right);
  return ((load<u8>(jointsAt + <usize>(bit >> 3)) >> (bit & 7)) & 1) !== 0;
}

/** Id + 1 of the piece that ends in a node, or 0. */
// @ts-ignore
@inline
export function pieceAt(node: u32): u32 {
  return load<u32>(placeOf(node), 8);
}

export function setPiece(node: u32, id: u32): void {
  store<u32>(placeOf(node), id + 1, 8);
}

/** Makes a child of a node, which has none for this code point. 0 when there is no room. */
export function addNode(node: u32, code: u32): u32 {
  if (free === 0) return 0;
  free--;
  const key = keyOf(node, code);
  let slot = <u32>((key * factor) >> shift);
  while (load<u64>(placeOf(slot)) !== 0) slot = (slot + 1) & mask;
  store<u64>(placeOf(slot), key);
  if (node === 0) store<u32>(rootsAt + (<usize>code << 2), slot);
  else store<u32>(placeOf(node), load<u32>(placeOf(node), 12) | (1 << (code & 31)), 12);
  return slot;
}

/** The node after the root, or 0. */
// @ts-ignore
@inline
export function firstNode(code: u32): u32 {
  return load<u32>(rootsAt + (<usize>code << 2));
}

/** The node after another one, or 0. */
// @ts-ignore
@inline
export function nextNode(node: u32, code: u32): u32 {
  if (node === 0) return firstNode(code);
  // Most walks end here, in memory that they needed anyway.
  if (((load<u32>(placeOf(node), 12) >> (code & 31)) & 1) === 0) return 0;
  const key = keyOf(node, code);
  let slot = <u32>((key * factor) >> shift);
  let found = load<u64>(placeOf(slot));
  while (found !== key && found !== 0) {
    slot = (slot + 1) & mask;
    found = load<u64>(placeOf(slot));
  }
  return found === 0 ? 0 : slot;
}
