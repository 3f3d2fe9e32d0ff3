const encoder = new TextEncoder();

/** Writes the UTF-8 of text[from, from + units) into `room`, no half of a character, and gives how much was read and written. */
export function encodeBit(
  text: string,
  from: number,
  units: number,
  room: Uint8Array,
): { read: number; written: number } {
  let end = Math.min(text.length, from + units);
  // The two halves of a character must not be parted.
  if (end < text.length && isHigh(text.charCodeAt(end - 1)) && isLow(text.charCodeAt(end))) end--;
  return encoder.encodeInto(from === 0 && end === text.length ? text : text.slice(from, end), room);
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
