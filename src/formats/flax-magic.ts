/** True for a MessagePack map whose first key is a text, as Flax writes its parameters. */
export function looksLikeFlax(head: Uint8Array): boolean {
  const [code] = head;
  const at = code > 0x80 && code <= 0x8f ? 1 : code === 0xde ? 3 : code === 0xdf ? 5 : 0;
  if (at === 0) return false;
  const key = head[at];
  const [start, length] =
    key === 0xd9 ? [at + 2, head[at + 1]] : key >= 0xa0 && key < 0xc0 ? [at + 1, key & 0x1f] : [0, 0];
  if (length === 0) return false;
  const name = head.subarray(start, Math.min(start + length, head.length));
  return name.length > 0 && name.every((byte) => byte >= 0x20 && byte !== 0x7f);
}
