import { EmbError } from '../errors.ts';

/** Bytes of a block, for each step of the level 1 to 9. */
export const blockRoom = 100_000;

const longestCode = 20;
const groupSymbols = 50;
const mostSelectors = 32768;

/** Bytes given out at a time. */
const pieceBytes = 1 << 17;

/** CRC-32 with the most significant bit first. */
const sums = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 24;
  for (let bit = 0; bit < 8; bit++) sum = (sum << 1) ^ (sum < 0 ? 0x04c11db7 : 0);
  return sum;
});

/** Codes of one table, by length; limits are those of codes filled up to 20 bits. */
interface Codes {
  shortest: number;
  /** First value, filled up, that is longer than this length. */
  limits: Int32Array;
  /** What to subtract from a code of this length to have its place in symbols. */
  bases: Int32Array;
  symbols: Uint16Array;
}

/** One block of a bzip2 stream. Memory for the largest one is reused. */
export class Bzip2Block {
  readonly #name: string;
  #input: Uint8Array = new Uint8Array(0);
  #at = 0;
  #bits = 0;
  #held = 0;
  #firstBit = 0;
  /** In the low byte the byte of the sorted column, above it where the next one is. */
  #sorted = new Uint32Array(0);
  #length = 0;
  #origin = 0;

  /** @param name as errors call the file */
  constructor(name: string) {
    this.#name = name;
  }

  /** Begins at a bit of the first byte. */
  begin(input: Uint8Array, bit: number): void {
    this.#input = input;
    this.#at = 0;
    this.#bits = 0;
    this.#held = 0;
    this.#firstBit = bit;
    if (bit > 0) this.read(bit);
  }

  /** Since begin. */
  get bitsRead(): number {
    return this.#at * 8 - this.#held - this.#firstBit;
  }

  /** A number of at most 24 bits. */
  read(count: number): number {
    while (this.#held < count) {
      if (this.#at >= this.#input.length) throw this.corrupt('ends within a block');
      this.#bits = (this.#bits << 8) | this.#input[this.#at++];
      this.#held += 8;
    }
    this.#held -= count;
    return (this.#bits >>> this.#held) & ((1 << count) - 1);
  }

  corrupt(what: string): EmbError {
    return new EmbError('corrupt', `${this.#name}: ${what}, expected bzip2`, 'download it again');
  }

  /** Decodes a block of at most `room` bytes, behind its magic number and checksum, and turns its sorting back. */
  decode(room: number): void {
    if (this.read(1) === 1) {
      throw new EmbError('unsupported', `${this.#name}: has a block of bzip2 0.9.0, expected 0.9.5 or later`);
    }
    this.#origin = this.read(24);
    const bytes = this.#readAlphabet();
    const tableCount = this.read(3);
    const selectorCount = this.read(15);
    if (tableCount < 2 || tableCount > 6 || selectorCount === 0) {
      throw this.corrupt(`has a block of ${tableCount} tables and ${selectorCount} selectors`);
    }
    const selectors = this.#readSelectors(selectorCount, tableCount);
    const tables = Array.from({ length: tableCount }, () => this.#readCodes(bytes.length + 2));
    if (this.#sorted.length < room) this.#sorted = new Uint32Array(room);
    const counts = this.#readSymbols(bytes, tables, selectors, room);
    if (this.#origin >= this.#length) {
      throw this.corrupt(`has a block of ${this.#length} bytes that begins at ${this.#origin}`);
    }
    let start = 0;
    for (let byte = 0; byte < 256; byte++) {
      const count = counts[byte];
      counts[byte] = start;
      start += count;
    }
    const sorted = this.#sorted;
    for (let place = 0; place < this.#length; place++) sorted[counts[sorted[place] & 255]++] |= place << 8;
  }

  /** The bytes that the block uses, in order. */
  #readAlphabet(): Uint8Array {
    const groups = this.read(16);
    const bytes: number[] = [];
    for (let group = 0; group < 16; group++) {
      if ((groups & (0x8000 >> group)) === 0) continue;
      const used = this.read(16);
      for (let low = 0; low < 16; low++) if ((used & (0x8000 >> low)) !== 0) bytes.push(group * 16 + low);
    }
    if (bytes.length === 0) throw this.corrupt('has a block without bytes');
    return Uint8Array.from(bytes);
  }

  #readSelectors(count: number, tableCount: number): Uint8Array {
    const order = Uint8Array.from({ length: tableCount }, (_, table) => table);
    const selectors = new Uint8Array(Math.min(count, mostSelectors));
    for (let index = 0; index < count; index++) {
      let place = 0;
      while (this.read(1) === 1) {
        if (++place >= tableCount) throw this.corrupt('has a selector of no table');
      }
      selectors[index] = moveToFront(order, place);
    }
    return selectors;
  }

  #readCodes(symbolCount: number): Codes {
    const lengths = new Uint8Array(symbolCount);
    let length = this.read(5);
    for (let symbol = 0; symbol < symbolCount; symbol++) {
      for (;;) {
        if (length < 1 || length > longestCode) throw this.corrupt(`has a code of ${length} bits`);
        if (this.read(1) === 0) break;
        length += this.read(1) === 0 ? 1 : -1;
      }
      lengths[symbol] = length;
    }
    const codes: Codes = {
      shortest: Math.min(...lengths),
      limits: new Int32Array(longestCode + 1),
      bases: new Int32Array(longestCode + 1),
      symbols: new Uint16Array(symbolCount),
    };
    let code = 0;
    let place = 0;
    for (let bits = 1; bits <= longestCode; bits++) {
      codes.bases[bits] = code - place;
      for (let symbol = 0; symbol < symbolCount; symbol++) {
        if (lengths[symbol] !== bits) continue;
        codes.symbols[place++] = symbol;
        code++;
      }
      codes.limits[bits] = Math.min(code, 1 << bits) << (longestCode - bits);
      code <<= 1;
    }
    return codes;
  }

  /** Fills the block with bytes as they were sorted. Returns how often each occurs. */
  #readSymbols(bytes: Uint8Array, tables: Codes[], selectors: Uint8Array, room: number): Uint32Array {
    const order = bytes.slice();
    const counts = new Uint32Array(256);
    const sorted = this.#sorted;
    const end = bytes.length + 1;
    let length = 0;
    let run = 0;
    let runUnit = 1;
    let codes = tables[0];
    for (let index = 0; ; index++) {
      if (index % groupSymbols === 0) {
        const group = index / groupSymbols;
        if (group >= selectors.length) throw this.corrupt('has a block with more symbols than selectors');
        codes = tables[selectors[group]];
      }
      const symbol = this.#readSymbol(codes);
      if (symbol <= 1) {
        run += runUnit << symbol;
        runUnit <<= 1;
        if (run > room) throw this.corrupt(`has a block longer than ${room} bytes`);
        continue;
      }
      if (length + run + (symbol === end ? 0 : 1) > room) {
        throw this.corrupt(`has a block longer than ${room} bytes`);
      }
      if (run > 0) {
        counts[order[0]] += run;
        sorted.fill(order[0], length, length + run);
        length += run;
        run = 0;
        runUnit = 1;
      }
      if (symbol === end) break;
      const byte = moveToFront(order, symbol - 1);
      counts[byte]++;
      sorted[length++] = byte;
    }
    this.#length = length;
    return counts;
  }

  #readSymbol(codes: Codes): number {
    while (this.#held < longestCode) {
      // Behind a symbol come at least the ten bytes of an end.
      if (this.#at >= this.#input.length) throw this.corrupt('ends within a block');
      this.#bits = (this.#bits << 8) | this.#input[this.#at++];
      this.#held += 8;
    }
    const value = (this.#bits >>> (this.#held - longestCode)) & ((1 << longestCode) - 1);
    let bits = codes.shortest;
    while (bits <= longestCode && value >= codes.limits[bits]) bits++;
    const place = bits > longestCode ? -1 : (value >>> (longestCode - bits)) - codes.bases[bits];
    if (place < 0 || place >= codes.symbols.length) throw this.corrupt('has a code of no symbol');
    this.#held -= bits;
    return codes.symbols[place];
  }

  /** The bytes of the block, each piece in memory of its own. @throws EmbError "corrupt" at the end when the checksum differs */
  *pieces(expectedSum: number): Generator<Uint8Array> {
    let piece = new Uint8Array(pieceBytes);
    let used = 0;
    let sum = -1;
    let entry = this.#sorted[this.#origin];
    let last = -1;
    let repeats = 0;
    for (let index = 0; index < this.#length; index++) {
      entry = this.#sorted[entry >>> 8];
      const byte = entry & 255;
      let count = 1;
      let value = byte;
      // Behind four equal bytes stands how often the byte comes again.
      if (repeats === 4) {
        count = byte;
        value = last;
        repeats = 0;
        last = -1;
      } else {
        repeats = byte === last ? repeats + 1 : 1;
        last = byte;
      }
      if (used + count > pieceBytes) {
        yield piece.subarray(0, used);
        piece = new Uint8Array(pieceBytes);
        used = 0;
      }
      for (; count > 0; count--) {
        piece[used++] = value;
        sum = (sum << 8) ^ sums[(sum >>> 24) ^ value];
      }
    }
    if (used > 0) yield piece.subarray(0, used);
    if (~sum >>> 0 !== expectedSum) {
      const [is, expected] = [~sum >>> 0, expectedSum].map((value) => value.toString(16).padStart(8, '0'));
      throw this.corrupt(`has a block with the CRC ${is}, expected ${expected}`);
    }
  }
}

/** Takes the value at a place and puts it first. */
function moveToFront(order: Uint8Array, place: number): number {
  const value = order[place];
  for (let at = place; at > 0; at--) order[at] = order[at - 1];
  order[0] = value;
  return value;
}
