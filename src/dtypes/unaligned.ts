/** The same bytes where typed arrays of `width` bytes can view them: src itself, or a copy when it starts between. */
export function aligned(src: Uint8Array, width: number): Uint8Array {
  return src.byteOffset % width === 0 ? src : src.slice();
}

/** Reverses the bytes of every group of `width` bytes in place: big endian to little endian and back. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  if (width === 1) return;
  for (let start = 0; start + width <= bytes.length; start += width) {
    for (let left = start, right = start + width - 1; left < right; left++, right--) {
      const byte = bytes[left];
      bytes[left] = bytes[right];
      bytes[right] = byte;
    }
  }
}
