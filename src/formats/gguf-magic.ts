/** GGUF */
const magic = [0x47, 0x47, 0x55, 0x46];

/** True when the first bytes of a file are those of a GGUF file. */
export function looksLikeGguf(head: Uint8Array): boolean {
  return magic.every((byte, index) => head[index] === byte);
}
