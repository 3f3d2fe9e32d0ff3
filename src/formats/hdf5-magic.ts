const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** True when the first bytes of a file are those of an HDF5 file without user block. */
export function looksLikeHdf5(head: Uint8Array): boolean {
  return signature.every((byte, index) => head[index] === byte);
}
