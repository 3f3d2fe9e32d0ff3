import type { PackedStrings } from '../types.ts';
import { hashPrime, hashStart } from './tokenizer-json-strings.ts';

/** The hash of no bytes; each byte is mixed in by `hash = Math.imul(hash ^ byte, hashPrime)`. */
export { hashPrime, hashStart };

function slotOf(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 12);
}

/**
 * Finds strings by their bytes, where they lie: nothing is copied, and of equal strings the first is found.
 *
 * Cost: one pass over the bytes, 16 to 32 bytes of memory per string.
 */
export class StringIndex {
  readonly strings: PackedStrings;
  /** Pairs of hash and place + 1, 0 for an empty slot. */
  private readonly slots: Int32Array;
  private readonly mask: number;

  constructor(strings: PackedStrings) {
    this.strings = strings;
    const { bytes, starts, ends } = strings;
    const count = starts.length;
    const size = 2 ** Math.max(4, Math.ceil(Math.log2(count + 1)) + 1);
    const mask = size - 1;
    const slots = new Int32Array(2 * size);
    // One loop without calls: it runs once, while its code is still cold.
    for (let i = 0; i < count; i++) {
      const end = ends[i];
      let hash = hashStart;
      for (let at = starts[i]; at < end; at++) hash = Math.imul(hash ^ bytes[at], hashPrime);
      const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
      let slot = (mixed ^ (mixed >>> 12)) & mask;
      while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
      slots[2 * slot] = hash;
      slots[2 * slot + 1] = i + 1;
    }
    this.slots = slots;
    this.mask = mask;
  }

  /** The string of exactly these bytes, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    let hash = hashStart;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at], hashPrime);
    return this.findHashed(hash, bytes, start, end);
  }

  /** The string of exactly these bytes, whose hash is known, or -1. */
  findHashed(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const { slots, mask } = this;
    const { bytes: own, starts, ends } = this.strings;
    for (let slot = slotOf(hash) & mask; ; slot = (slot + 1) & mask) {
      const found = slots[2 * slot + 1] - 1;
      if (found < 0) return -1;
      if (slots[2 * slot] !== hash) continue;
      let from = starts[found];
      if (ends[found] - from !== end - start) continue;
      let at = start;
      while (at < end && bytes[at] === own[from]) {
        at++;
        from++;
      }
      if (at === end) return found;
    }
  }

  /** The string "left right" of two neighbors in bytes with a space between them, or -1. */
  findPair(bytes: Uint8Array, start: number, middle: number, end: number): number {
    const { slots, mask } = this;
    const { bytes: own, starts, ends } = this.strings;
    let hash = hashStart;
    for (let at = start; at < middle; at++) hash = Math.imul(hash ^ bytes[at], hashPrime);
    hash = Math.imul(hash ^ 0x20, hashPrime);
    for (let at = middle; at < end; at++) hash = Math.imul(hash ^ bytes[at], hashPrime);
    for (let slot = slotOf(hash) & mask; ; slot = (slot + 1) & mask) {
      const found = slots[2 * slot + 1] - 1;
      if (found < 0) return -1;
      if (slots[2 * slot] !== hash) continue;
      let from = starts[found];
      if (ends[found] - from !== end - start + 1) continue;
      let at = start;
      while (at < middle && bytes[at] === own[from]) {
        at++;
        from++;
      }
      if (at < middle || own[from++] !== 0x20) continue;
      while (at < end && bytes[at] === own[from]) {
        at++;
        from++;
      }
      if (at === end) return found;
    }
  }
}
