// The twin of the loop in ../../formats/gguf-cursor.ts, compiled by scripts/generate-wasm.mjs. Addresses are bytes in the arena.

/** No file is longer: what claims to be leads out of every block without turning over. */
const longest: u64 = 1 << 52;

/**
 * Passes over strings that stand behind their lengths (u64, little endian), as far as the block has the lengths.
 *
 * out: f64 the place behind the last one, from the block's start, then u32 how many are left
 */
export function passStrings(block: usize, byteLength: u32, from: u32, count: u32, out: usize): void {
  let at: u64 = from;
  const last: u64 = byteLength >= 8 ? byteLength - 8 : 0;
  if (byteLength >= 8) {
    while (count > 0 && at <= last) {
      const length = load<u64>(block + <usize>at);
      at += 8 + (length < longest ? length : longest);
      count--;
    }
  }
  store<f64>(out, <f64>at);
  store<u32>(out, count, 8);
}
