/** The same bytes where typed arrays of `width` bytes can view them: src itself, or a copy when it starts between. */
export function aligned(src: Uint8Array, width: number): Uint8Array {
  return src.byteOffset % width === 0 ? src : src.slice();
}

/** Reverses the bytes of every group of 2, 4 or 8 bytes in place: big endian to little endian and back. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (width === 2) buffer.swap16();
  else if (width === 4) buffer.swap32();
  else if (width === 8) buffer.swap64();
}
