/** LZMA as LZMA2 uses it: chunks that share a dictionary. Source: LZMA SDK, lzma-specification.txt. */

const states = 12;
const positionStates = 16;
const lengthStates = 4;
const alignBits = 4;
const firstFullModel = 14;

/** A length coder: choice, choice 2, low [16 × 8], mid [16 × 8], high [256]. */
const lengthProbabilities = 2 + 2 * positionStates * 8 + 256;

// Places of the probabilities in one array.
const isMatch = 0;
const isRep = isMatch + states * positionStates;
const isRepG0 = isRep + states;
const isRepG1 = isRepG0 + states;
const isRepG2 = isRepG1 + states;
const isRep0Long = isRepG2 + states;
const slots = isRep0Long + states * positionStates;
const special = slots + lengthStates * 64;
const align = special + 128;
const matchLengths = align + (1 << alignBits);
const repLengths = matchLengths + lengthProbabilities;
const literals = repLengths + lengthProbabilities;

/** Half of 2^11: either bit is as likely. */
const evenChance = 1024;

/** Why a chunk does not decode. */
export class LzmaError extends Error {}

/** Decodes the chunks of one LZMA2 stream into a window, which its caller moves. */
export class LzmaDecoder {
  /** What came last, up to `end`. */
  window: Uint8Array;
  end = 0;
  /** Bytes of the window that matches may reach back. */
  reach = 0;
  #probabilities = new Uint16Array(0);
  #literalContext = 0;
  #literalPosition = 0;
  #positionMask = 0;
  #state = 0;
  #reps = [0, 0, 0, 0];
  #input: Uint8Array = new Uint8Array(0);
  #at = 0;
  #range = 0;
  #code = 0;

  constructor(window: Uint8Array) {
    this.window = window;
  }

  /** lc, lp and pb in one byte. */
  setProperties(value: number): void {
    const lc = value % 9;
    const lp = Math.floor(value / 9) % 5;
    const pb = Math.floor(value / 45);
    if (pb > 4 || lc + lp > 4) throw new LzmaError(`has the LZMA properties ${value}`);
    this.#literalContext = lc;
    this.#literalPosition = lp;
    this.#positionMask = (1 << pb) - 1;
    const count = literals + (0x300 << (lc + lp));
    if (count !== this.#probabilities.length) this.#probabilities = new Uint16Array(count);
    this.resetState();
  }

  get hasProperties(): boolean {
    return this.#probabilities.length > 0;
  }

  resetState(): void {
    this.#probabilities.fill(evenChance);
    this.#state = 0;
    this.#reps = [0, 0, 0, 0];
  }

  /** Empties the dictionary; places count from here. */
  forget(): void {
    this.end = 0;
    this.reach = 0;
  }

  /** Decodes a chunk that makes exactly `length` bytes; the window has room for them. */
  decode(input: Uint8Array, length: number): void {
    this.#input = input;
    this.#at = 5;
    this.#range = 0xffffffff;
    if (input.length < 5 || input[0] !== 0) throw new LzmaError('has a chunk that does not begin with 0');
    this.#code = ((input[1] << 24) | (input[2] << 16) | (input[3] << 8) | input[4]) >>> 0;
    const target = this.end + length;
    const { window } = this;
    while (this.end < target) {
      const positionState = this.end & this.#positionMask;
      if (this.#bit(isMatch + this.#state * positionStates + positionState) === 0) {
        this.#literal();
        continue;
      }
      const count = this.#match(positionState);
      if (count === 0) {
        window[this.end] = window[this.end - this.#reps[0] - 1];
        this.end++;
        this.reach++;
        continue;
      }
      const distance = this.#reps[0] + 1;
      if (distance > this.reach) throw new LzmaError(`reaches back ${distance} bytes, of ${this.reach}`);
      if (this.end + count > target) throw new LzmaError('has a match that leaves its chunk');
      let from = this.end - distance;
      for (const stop = this.end + count; this.end < stop; ) window[this.end++] = window[from++];
      this.reach += count;
    }
    this.#normalize();
    if (this.#at !== input.length) {
      throw new LzmaError(`has a chunk of ${input.length} bytes, of which ${this.#at} decode`);
    }
  }

  #literal(): void {
    const { window } = this;
    const last = this.reach > 0 ? window[this.end - 1] : 0;
    const place = this.end & ((1 << this.#literalPosition) - 1);
    const context = (place << this.#literalContext) + (last >> (8 - this.#literalContext));
    const base = literals + 0x300 * context;
    let symbol = 1;
    if (this.#state >= 7) {
      const distance = this.#reps[0] + 1;
      if (distance > this.reach) throw new LzmaError(`reaches back ${distance} bytes, of ${this.reach}`);
      let matched = window[this.end - distance];
      while (symbol < 0x100) {
        const expected = (matched >> 7) & 1;
        matched <<= 1;
        const bit = this.#bit(base + ((1 + expected) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (bit !== expected) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(base + symbol);
    window[this.end++] = symbol;
    this.reach++;
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  /** Reads a match, whose distance is then the first of the reps. Returns its length; 0 is one byte of the last distance. */
  #match(positionState: number): number {
    const state = this.#state;
    const reps = this.#reps;
    if (this.#bit(isRep + state) === 0) {
      const count = this.#length(matchLengths, positionState);
      const distance = this.#distance(Math.min(count - 2, lengthStates - 1));
      this.#reps = [distance, reps[0], reps[1], reps[2]];
      this.#state = state < 7 ? 7 : 10;
      return count;
    }
    if (this.#bit(isRepG0 + state) === 0) {
      if (this.#bit(isRep0Long + state * positionStates + positionState) === 0) {
        if (reps[0] + 1 > this.reach) {
          throw new LzmaError(`reaches back ${reps[0] + 1} bytes, of ${this.reach}`);
        }
        this.#state = state < 7 ? 9 : 11;
        return 0;
      }
    } else {
      let which = 1;
      if (this.#bit(isRepG1 + state) === 1) which = 2 + this.#bit(isRepG2 + state);
      const distance = reps[which];
      for (let at = which; at > 0; at--) reps[at] = reps[at - 1];
      reps[0] = distance;
    }
    this.#state = state < 7 ? 8 : 11;
    return this.#length(repLengths, positionState);
  }

  #length(base: number, positionState: number): number {
    if (this.#bit(base) === 0) return 2 + this.#tree(base + 2 + positionState * 8, 3);
    if (this.#bit(base + 1) === 0) return 10 + this.#tree(base + 2 + (positionStates + positionState) * 8, 3);
    return 18 + this.#tree(base + 2 + 2 * positionStates * 8, 8);
  }

  #distance(lengthState: number): number {
    const slot = this.#tree(slots + lengthState * 64, 6);
    if (slot < 4) return slot;
    const direct = (slot >> 1) - 1;
    const base = 2 | (slot & 1);
    if (slot < firstFullModel) {
      const start = base << direct;
      return start + this.#reverseTree(special + start - slot, direct);
    }
    // Up to 2^32 - 1, which no 32-bit shift holds.
    const upper = base * 2 ** direct + this.#directBits(direct - alignBits) * 2 ** alignBits;
    return upper + this.#reverseTree(align, alignBits);
  }

  #tree(base: number, bits: number): number {
    let node = 1;
    for (let index = 0; index < bits; index++) node = (node << 1) | this.#bit(base + node);
    return node - (1 << bits);
  }

  #reverseTree(base: number, bits: number): number {
    let node = 1;
    let value = 0;
    for (let index = 0; index < bits; index++) {
      const bit = this.#bit(base + node);
      node = (node << 1) | bit;
      value |= bit << index;
    }
    return value;
  }

  #directBits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++) {
      this.#normalize();
      this.#range >>>= 1;
      const bit = this.#code >= this.#range ? 1 : 0;
      if (bit === 1) this.#code -= this.#range;
      value = value * 2 + bit;
    }
    return value;
  }

  #bit(place: number): number {
    this.#normalize();
    const chance = this.#probabilities[place];
    const bound = (this.#range >>> 11) * chance;
    if (this.#code < bound) {
      this.#range = bound;
      this.#probabilities[place] = chance + ((2048 - chance) >>> 5);
      return 0;
    }
    this.#range -= bound;
    this.#code -= bound;
    this.#probabilities[place] = chance - (chance >>> 5);
    return 1;
  }

  #normalize(): void {
    if (this.#range >= 0x1000000) return;
    if (this.#at >= this.#input.length) throw new LzmaError('has a chunk that ends too early');
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | this.#input[this.#at++]) >>> 0;
  }
}
