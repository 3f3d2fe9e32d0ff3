/** True when the first bytes are those of a gz file. */
export function looksLikeGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b && head[2] === 8;
}

/** True when the first bytes are those of a bz2 file. */
export function looksLikeBzip2(head: Uint8Array): boolean {
  const isHeader =
    head[0] === 0x42 && head[1] === 0x5a && head[2] === 0x68 && head[3]! >= 0x31 && head[3]! <= 0x39;
  // A first block, or the end of an empty file.
  return isHeader && ((head[4] === 0x31 && head[5] === 0x41) || (head[4] === 0x17 && head[5] === 0x72));
}

/** True when the first bytes are those of an xz file. */
export function looksLikeXz(head: Uint8Array): boolean {
  return [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00].every((byte, index) => head[index] === byte);
}
