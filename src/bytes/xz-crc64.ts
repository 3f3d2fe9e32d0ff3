/** Tables for two halves of the ECMA-182 polynomial, least significant bit first. */
const lows = new Uint32Array(256);
const highs = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let [low, high] = [byte, 0];
  for (let bit = 0; bit < 8; bit++) {
    const out = low & 1;
    low = ((low >>> 1) | (high << 31)) >>> 0;
    high >>>= 1;
    if (out === 1) {
      low = (low ^ 0xd7870f42) >>> 0;
      high = (high ^ 0xc96c5795) >>> 0;
    }
  }
  lows[byte] = low;
  highs[byte] = high;
}

/** CRC-64 as xz uses it, in two halves, low and high; goes on from `before`. */
export function crc64(
  bytes: Uint8Array,
  before: readonly [low: number, high: number],
): [low: number, high: number] {
  let low = ~before[0];
  let high = ~before[1];
  for (const byte of bytes) {
    const index = (low ^ byte) & 255;
    low = ((low >>> 8) | (high << 24)) ^ lows[index];
    high = (high >>> 8) ^ highs[index];
  }
  return [~low >>> 0, ~high >>> 0];
}
