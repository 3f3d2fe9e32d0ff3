/** Words up to this many bytes fit an entry's first two numbers. */
export const keyBytes = 8;
/** Longer words than this are not kept. */
const longestWord = 96;
/** At most half of these slots are used (1 MiB of slots). */
const mostSlots = 2 ** 18;
const fewestSlots = 2 ** 6;
/** A slot's low bits say where its entry is, its high bits are the word's hash. */
const placeBits = 21;
export const placeMask = 2 ** placeBits - 1;
/** Numbers before an entry's remaining bytes and ids. */
export const headNumbers = 3;

/** Which bytes of the eight from a word's start belong to it, as two little-endian numbers. */
export const lowMasks = Int32Array.of(0, 0xff, 0xffff, 0xffffff, -1, -1, -1, -1, -1);
export const highMasks = Int32Array.of(0, 0, 0, 0, 0, 0xff, 0xffff, 0xffffff, -1);

/**
 * Tokens of words that were seen before.
 *
 * Block: an entry is k0, k1, bytes | tokens << 8, then the bytes after the eighth, then the ids. Bytes are little-endian
 * numbers, zero-padded. Entries lie in the order of their words' first appearance, so that those of frequent words are
 * close together. A slot is hash << 21 | place of the entry, or 0; place 0 is never used.
 *
 * Cost: at most 9 MiB; when that is full the cache starts anew, so no text can grow it further.
 */
export class WordCache {
  slots = new Int32Array(fewestSlots);
  /** 32 minus the binary logarithm of the number of slots. */
  shift = 26;
  mask = fewestSlots - 1;
  entries = new Int32Array(256);
  private length = 1;
  private used = 0;

  /** Place of the entry of a word whose hashOf is known, or 0. */
  find(view: DataView, start: number, end: number, hash: number): number {
    const size = end - start;
    if (size > keyBytes) return this.findLong(view, start, end, hash);
    const { slots, entries, mask } = this;
    const k0 = view.getInt32(start, true) & lowMasks[size];
    const k1 = view.getInt32(start + 4, true) & highMasks[size];
    for (let at = hash >>> this.shift; slots[at] !== 0; at = (at + 1) & mask) {
      const place = slots[at] & placeMask;
      if (entries[place] === k0 && entries[place + 1] === k1 && (entries[place + 2] & 255) === size)
        return place;
    }
    return 0;
  }

  /** Place of the entry of a word of more than 8 bytes, or 0. `view` is over the text and its padding. */
  findLong(view: DataView, start: number, end: number, hash: number): number {
    const size = end - start;
    if (size > longestWord) return 0;
    const { slots, entries, mask } = this;
    for (let at = hash >>> this.shift; ; at = (at + 1) & mask) {
      const slot = slots[at];
      if (slot === 0) return 0;
      if ((slot ^ (hash << placeBits)) >>> placeBits !== 0) continue;
      const place = slot & placeMask;
      if ((entries[place + 2] & 255) === size && isKept(entries, place, view, start, end)) return place;
    }
  }

  /** Keeps a word that was not found. */
  add(view: DataView, start: number, end: number, hash: number, ids: Int32Array, count: number): void {
    const size = end - start;
    if (size > longestWord) return;
    const rest = restNumbers(size);
    this.reserve(headNumbers + rest + count);
    const { entries } = this;
    const place = this.length;
    const tail = Math.min(size, keyBytes);
    entries[place] = view.getInt32(start, true) & lowMasks[tail];
    entries[place + 1] = view.getInt32(start + 4, true) & highMasks[tail];
    entries[place + 2] = size | (count << 8);
    let to = place + headNumbers;
    for (let from = start + keyBytes; from < end; from += 4) entries[to++] = numberAt(view, from, end);
    for (let i = 0; i < count; i++) entries[to++] = ids[i];
    this.length = to;
    this.put(hash, place);
    this.used++;
  }

  private put(hash: number, place: number): void {
    const { slots, mask } = this;
    let at = hash >>> this.shift;
    while (slots[at] !== 0) at = (at + 1) & mask;
    slots[at] = (hash << placeBits) | place;
  }

  /** Makes room for one more entry of so many numbers. */
  private reserve(numbers: number): void {
    if (this.length + numbers > placeMask || 2 * this.used >= mostSlots) {
      this.slots.fill(0);
      this.used = 0;
      this.length = 1;
    }
    if (2 * this.used > this.mask) this.spread();
    if (this.length + numbers <= this.entries.length) return;
    const larger = new Int32Array(Math.min(placeMask + 1, 4 * (this.length + numbers)));
    larger.set(this.entries.subarray(0, this.length));
    this.entries = larger;
  }

  /** Twice as many slots. */
  private spread(): void {
    const { entries } = this;
    const slots = 2 * (this.mask + 1);
    this.slots = new Int32Array(slots);
    this.mask = slots - 1;
    this.shift--;
    for (let place = 1; place < this.length; ) {
      const size = entries[place + 2] & 255;
      const rest = restNumbers(size);
      let hash = mixKey(entries[place], entries[place + 1], size);
      for (let i = 0; i < rest; i++) hash = mixNext(hash, entries[place + headNumbers + i]);
      this.put(hash, place);
      place += headNumbers + rest + (entries[place + 2] >>> 8);
    }
  }
}

/** Numbers that hold the bytes after the eighth. */
export function restNumbers(size: number): number {
  return size <= keyBytes ? 0 : (size - keyBytes + 3) >> 2;
}

/** The four bytes at `at` that lie before `end`. */
function numberAt(view: DataView, at: number, end: number): number {
  const number = view.getInt32(at, true);
  return end - at >= 4 ? number : number & lowMasks[end - at];
}

function isKept(entries: Int32Array, place: number, view: DataView, start: number, end: number): boolean {
  if (entries[place] !== view.getInt32(start, true)) return false;
  if (entries[place + 1] !== view.getInt32(start + 4, true)) return false;
  let at = place + headNumbers;
  for (let from = start + keyBytes; from < end; from += 4) {
    if (entries[at++] !== numberAt(view, from, end)) return false;
  }
  return true;
}

// Odd and unknown from outside, so that no text can be written whose words all meet in one slot.
const lowFactor = (Math.floor(Math.random() * 2 ** 32) | 0x10001) >>> 0;
const highFactor = (Math.floor(Math.random() * 2 ** 32) | 0x10001) >>> 0;

/** Hash of a word of at most 8 bytes; its high bits are the ones to use. */
export function mixKey(k0: number, k1: number, size: number): number {
  const mixed = Math.imul(k0, lowFactor) ^ Math.imul(k1 + size, highFactor);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
}

/** Takes four more bytes into a hash. */
function mixNext(hash: number, number: number): number {
  const mixed = Math.imul(hash ^ number, lowFactor);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
}

/** Hash of a word. `view` is over the text and its padding. */
export function hashOf(view: DataView, start: number, end: number): number {
  const size = end - start;
  if (size > keyBytes) return hashLong(view, start, end);
  const k0 = view.getInt32(start, true) & lowMasks[size];
  return mixKey(k0, view.getInt32(start + 4, true) & highMasks[size], size);
}

/** Hash of a word of more than 8 bytes. */
export function hashLong(view: DataView, start: number, end: number): number {
  let hash = mixKey(view.getInt32(start, true), view.getInt32(start + 4, true), end - start);
  for (let from = start + keyBytes; from < end; from += 4) hash = mixNext(hash, numberAt(view, from, end));
  return hash;
}
