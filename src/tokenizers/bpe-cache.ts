/** Words up to this many bytes are their own key. */
export const keyBytes = 8;
/** Longer words than this are not kept. */
const longestWord = 96;
/** At most half of these slots are used (4 MiB of slots); then the cache starts anew, so no text can grow it further. */
const mostSlots = 2 ** 18;
const fewestSlots = 2 ** 6;

/**
 * Tokens of words that were seen before.
 *
 * Block: a slot is four numbers: k0, k1, bytes | tokens << 8, value. k0 and k1 are the word's bytes, zero-padded, or, of
 * words longer than 8 bytes, their hash and where the arena keeps them. value is the id of a word of one token, otherwise
 * where `ids` keeps its ids. An empty slot has 0 in the third place.
 */
export class WordCache {
  slots = new Int32Array(4 * fewestSlots);
  /** 32 minus the binary logarithm of the number of slots. */
  shift = 26;
  mask = fewestSlots - 1;
  ids = new Int32Array(64);
  private idCount = 0;
  private used = 0;
  private arena = new Uint8Array(256);
  private arenaView: DataView = new DataView(this.arena.buffer);
  private arenaLength = 0;

  /**
   * First number of the slot of a word of more than 8 bytes, or -1. `view` is over the same bytes.
   */
  findLong(view: DataView, start: number, end: number): number {
    const size = end - start;
    if (size > longestWord) return -1;
    const hash = hashLong(view, start, end);
    const { slots, mask } = this;
    for (let at = hash >>> this.shift; ; at = (at + 1) & mask) {
      const meta = slots[4 * at + 2];
      if (meta === 0) return -1;
      if (
        slots[4 * at] === hash &&
        (meta & 255) === size &&
        this.isKept(slots[4 * at + 1], view, start, size)
      ) {
        return 4 * at;
      }
    }
  }

  private isKept(place: number, view: DataView, start: number, size: number): boolean {
    const { arenaView } = this;
    const last = size - 4;
    for (let i = 0; i < last; i += 4) {
      if (arenaView.getInt32(place + i, true) !== view.getInt32(start + i, true)) return false;
    }
    return arenaView.getInt32(place + last, true) === view.getInt32(start + last, true);
  }

  /** Keeps a word that was not found; k0 and k1 are its key where it has at most 8 bytes. */
  add(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    k0: number,
    k1: number,
    ids: Int32Array,
    count: number,
  ): void {
    const size = end - start;
    if (size > longestWord) return;
    if (2 * this.used > this.mask) this.grow();
    let first = k0;
    let second = k1;
    let hash: number;
    if (size <= keyBytes) hash = mixKey(k0, k1, size);
    else {
      hash = hashLong(view, start, end);
      first = hash;
      second = this.keepBytes(bytes, start, end);
    }
    this.put(hash, first, second, size | (count << 8), count === 1 ? ids[0] : this.keepIds(ids, count));
    this.used++;
  }

  private put(hash: number, k0: number, k1: number, meta: number, value: number): void {
    const { slots, mask } = this;
    let at = hash >>> this.shift;
    while (slots[4 * at + 2] !== 0) at = (at + 1) & mask;
    slots[4 * at] = k0;
    slots[4 * at + 1] = k1;
    slots[4 * at + 2] = meta;
    slots[4 * at + 3] = value;
  }

  private keepBytes(bytes: Uint8Array, start: number, end: number): number {
    const place = this.arenaLength;
    this.arenaLength += end - start;
    if (this.arenaLength > this.arena.length) {
      const larger = new Uint8Array(2 * this.arenaLength);
      larger.set(this.arena.subarray(0, place));
      this.arena = larger;
      this.arenaView = new DataView(larger.buffer);
    }
    for (let i = start; i < end; i++) this.arena[place + i - start] = bytes[i];
    return place;
  }

  private keepIds(ids: Int32Array, count: number): number {
    const place = this.idCount;
    this.idCount += count;
    if (this.idCount > this.ids.length) {
      const larger = new Int32Array(2 * this.idCount);
      larger.set(this.ids.subarray(0, place));
      this.ids = larger;
    }
    for (let i = 0; i < count; i++) this.ids[place + i] = ids[i];
    return place;
  }

  private grow(): void {
    const old = this.slots;
    const slots = (this.mask + 1) * 4;
    if (slots > mostSlots) {
      old.fill(0);
      this.used = 0;
      this.idCount = 0;
      this.arenaLength = 0;
      return;
    }
    this.slots = new Int32Array(4 * slots);
    this.mask = slots - 1;
    this.shift -= 2;
    for (let i = 0; i < old.length; i += 4) {
      const meta = old[i + 2];
      if (meta === 0) continue;
      const size = meta & 255;
      const hash = size <= keyBytes ? mixKey(old[i], old[i + 1], size) : old[i];
      this.put(hash, old[i], old[i + 1], meta, old[i + 3]);
    }
  }
}

// Odd and unknown from outside, so that no text can be written whose words all meet in one slot.
const lowFactor = (Math.floor(Math.random() * 2 ** 32) | 0x10001) >>> 0;
const highFactor = (Math.floor(Math.random() * 2 ** 32) | 0x10001) >>> 0;

/** Hash of a word of at most 8 bytes; its high bits are the ones to use. */
export function mixKey(k0: number, k1: number, size: number): number {
  const mixed = Math.imul(k0, lowFactor) ^ Math.imul(k1 + size, highFactor);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
}

/** The same for longer words: four bytes at a time, the last four overlapping. */
function hashLong(view: DataView, start: number, end: number): number {
  const last = end - 4;
  let hash = end - start;
  for (let i = start; i < last; i += 4) {
    hash = Math.imul(hash ^ view.getInt32(i, true), lowFactor);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ view.getInt32(last, true), highFactor);
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
}
