/** What a token stands for: \n, \t, \r, \xE4 and any other character behind a backslash. */
export function unescapeRwkv(token: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(token.length);
  return bytes.subarray(0, unescapeInto(token, bytes, 0));
}

const escapes: Record<number, number> = { 116: 9, 110: 10, 114: 13 };

/** The same into `out` from `start` on; gives where it ends. */
export function unescapeInto(token: Uint8Array, out: Uint8Array, start: number): number {
  let to = start;
  for (let i = 0; i < token.length; i++) {
    const byte = token[i];
    if (byte !== 0x5c || i + 1 === token.length) {
      if (byte !== 0x5c) out[to++] = byte;
      continue;
    }
    const kind = token[++i];
    if (kind !== 0x78) out[to++] = escapes[kind] ?? kind;
    else if (i + 2 < token.length) {
      out[to++] = hexDigit(token[i + 1]) * 16 + hexDigit(token[i + 2]);
      i += 2;
    } else i = token.length;
  }
  return to;
}

function hexDigit(byte: number): number {
  return byte >= 0x61 ? byte - 0x57 : byte - 0x30;
}
