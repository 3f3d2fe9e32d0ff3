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
 * Cost: one pass over the bytes, 8 to 12 bytes of memory per string.
 */
export class StringIndex {
  readonly strings: PackedStrings;
  /** By slot: the first string there + 1, 0 for none. */
  private readonly heads: Int32Array;
  /** By string: the next one in its slot + 1. */
  private readonly nexts: Int32Array;
  private readonly mask: number;

  constructor(strings: PackedStrings) {
    this.strings = strings;
    const { bytes, starts, ends } = strings;
    const count = starts.length;
    const size = 2 ** Math.max(4, Math.ceil(Math.log2(count + 1)));
    const mask = size - 1;
    const heads = new Int32Array(size);
    const nexts = new Int32Array(count);
    // What another chunk exports is a call in the bundle.
    const [first, prime] = [hashStart, hashPrime];
    // One loop without calls: it runs once, while its code is still cold. Backwards, so that the first of equal ones leads.
    for (let i = count - 1; i >= 0; i--) {
      const end = ends[i];
      let hash = first;
      for (let at = starts[i]; at < end; at++) hash = Math.imul(hash ^ bytes[at], prime);
      const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
      const slot = (mixed ^ (mixed >>> 12)) & mask;
      nexts[i] = heads[slot];
      heads[slot] = i + 1;
    }
    this.heads = heads;
    this.nexts = nexts;
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
    const { heads, nexts, mask } = this;
    const { bytes: own, starts, ends } = this.strings;
    for (let found = heads[slotOf(hash) & mask] - 1; found >= 0; found = nexts[found] - 1) {
      let from = starts[found];
      if (ends[found] - from !== end - start) continue;
      let at = start;
      while (at < end && bytes[at] === own[from]) {
        at++;
        from++;
      }
      if (at === end) return found;
    }
    return -1;
  }

  /** The string "left right" of two neighbors in bytes with a space between them, or -1. */
  findPair(bytes: Uint8Array, start: number, middle: number, end: number): number {
    const { heads, nexts, mask } = this;
    const { bytes: own, starts, ends } = this.strings;
    let hash = hashStart;
    for (let at = start; at < middle; at++) hash = Math.imul(hash ^ bytes[at], hashPrime);
    hash = Math.imul(hash ^ 0x20, hashPrime);
    for (let at = middle; at < end; at++) hash = Math.imul(hash ^ bytes[at], hashPrime);
    for (let found = heads[slotOf(hash) & mask] - 1; found >= 0; found = nexts[found] - 1) {
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
    return -1;
  }
}
