/** Exports of src/kernels/assembly/{units,bpe-cache}.ts, and where the ids of a call lie: its text comes before them. */
export interface TextExports {
  openUnits(): void;
  expectUnits(units: number): void;
  encodeUnits(from: number, count: number, to: number): number;
  textAt: { value: number };
  textRoom: { value: number };
  idsAt: { value: number };
}

/** Free bytes of a kernel's memory for text that always take a character. */
export const leastRoom = 6;

/** Writes texts into a kernel's memory as UTF-8, bit by bit; lone surrogates become U+FFFD. */
export class TextBits {
  private readonly wasm: TextExports;
  /** Reading a global of WebAssembly is a call, and lines are short. */
  private readonly textAt: number;
  private readonly textRoom: number;
  private readonly idsAt: number;
  /** The memory for ids, where UTF-16 waits: copying it there and making UTF-8 of it takes half the time of TextEncoder. */
  private readonly units: Buffer;
  private readonly bitUnits: number;

  /** A bit has at most `bitUnits` UTF-16 units, and at least 2. */
  constructor(wasm: TextExports, buffer: ArrayBuffer, bitUnits: number) {
    this.wasm = wasm;
    this.bitUnits = bitUnits;
    this.textAt = wasm.textAt.value;
    this.textRoom = wasm.textRoom.value;
    this.idsAt = wasm.idsAt.value;
    this.units = Buffer.from(buffer, this.idsAt, 2 * bitUnits);
    wasm.openUnits();
  }

  /** Begins a text of so many units. */
  begin(units: number): void {
    this.wasm.expectUnits(units);
  }

  /** Writes the next characters from text[from] on behind the `held` bytes of the memory for text, which has leastRoom, and gives how much was read and written. */
  write(text: string, from: number, held: number): { read: number; written: number } {
    const { wasm, units, bitUnits, idsAt } = this;
    // No unit takes more than three bytes.
    const most = Math.min(bitUnits, Math.floor((this.textRoom - held) / 3));
    let end = Math.min(text.length, from + most);
    // The two halves of a character must not be parted.
    if (end < text.length && isHigh(text.charCodeAt(end - 1)) && isLow(text.charCodeAt(end))) end--;
    units.write(from === 0 && end === text.length ? text : text.slice(from, end), 'utf16le');
    const at = this.textAt + held;
    return { read: end - from, written: wasm.encodeUnits(idsAt, end - from, at) - at };
  }
}

const isHigh = (unit: number) => unit >>> 10 === 0x36;
const isLow = (unit: number) => unit >>> 10 === 0x37;

/** UTF-16 units of so many bytes of UTF-8. */
export function countUnits(bytes: Uint8Array, length: number): number {
  let units = 0;
  for (let i = 0; i < length; i++) units += (bytes[i] & 0xc0) === 0x80 ? 0 : bytes[i] >= 0xf0 ? 2 : 1;
  return units;
}

/** A factor for hashes, unknown from outside, so that no text or vocabulary can be written whose words or pairs all meet in one slot. */
export function randomOdd(): bigint {
  const half = () => BigInt(Math.floor(Math.random() * 2 ** 32));
  return (half() << 32n) | half() | 1n;
}
