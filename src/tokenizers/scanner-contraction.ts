/**
 * End of `(?i:'s|'t|'re|'ve|'m|'ll|'d)` at `at`, or `at` when there is none.
 *
 * Under Unicode case folding, which Rust's and Oniguruma's (?i) use, ſ (U+017F) is an s.
 */
export function contractionEnd(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== 0x27) return at;
  const raw = bytes[at + 1];
  const first = raw | 0x20;
  if (raw >= 0x80) return raw === 0xc5 && bytes[at + 2] === 0xbf ? at + 3 : at;
  if (raw < 0x41) return at;
  if (first === 0x73 || first === 0x64 || first === 0x6d || first === 0x74) return at + 2;
  const second = bytes[at + 2];
  if (second < 0x41 || second >= 0x80) return at;
  if (first === 0x6c && (second | 0x20) === 0x6c) return at + 3;
  if ((first === 0x76 || first === 0x72) && (second | 0x20) === 0x65) return at + 3;
  return at;
}
