/** True when the first bytes of a file are those of a zip archive. */
export function looksLikeZip(head: Uint8Array): boolean {
  const [p, k, kind, version] = head;
  return p === 0x50 && k === 0x4b && ((kind === 3 && version === 4) || (kind === 5 && version === 6));
}
