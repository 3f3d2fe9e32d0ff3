const blockBytes = 512;

/** True when the first bytes of a file are the header of a tar archive: its checksum is right. */
export function looksLikeTar(head: Uint8Array): boolean {
  if (head.length < blockBytes || head[0] === 0) return false;
  let sum = 0;
  for (let at = 0; at < blockBytes; at++) sum += at >= 148 && at < 156 ? 32 : head[at];
  return readOctal(head, 148, 8) === sum;
}

/** An octal number as tar headers write it; -1 when it is none. */
export function readOctal(header: Uint8Array, at: number, length: number): number {
  const field = Buffer.from(header.subarray(at, at + length)).toString('latin1');
  const digits = field.replace(/\0.*$/s, '').trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : -1;
}
