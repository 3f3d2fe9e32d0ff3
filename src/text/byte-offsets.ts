/**
 * Where every UTF-16 offset of a text lies in its UTF-8; a lone surrogate counts 3 bytes, those of the U+FFFD that takes its place there.
 *
 * Shape: [text.length + 1]; an offset within a surrogate pair is that of the character.
 * Cost: one pass; no array for ASCII.
 * @returns undefined where all offsets are the same
 */
export function byteOffsets(text: string): Uint32Array | undefined {
  let at = 0;
  while (at < text.length && text.charCodeAt(at) < 0x80) at++;
  if (at === text.length) return undefined;
  const offsets = new Uint32Array(text.length + 1);
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    offsets[i] = bytes;
    const codePoint = text.codePointAt(i) as number;
    if (codePoint > 0xffff) {
      offsets[++i] = bytes;
      bytes += 4;
    } else bytes += codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : 3;
  }
  offsets[text.length] = bytes;
  return offsets;
}
