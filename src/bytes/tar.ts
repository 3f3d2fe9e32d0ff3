import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';
import { cursorOf, type StreamedContent } from './inflate.ts';
import { looksLikeTar, readOctal } from './tar-magic.ts';

/** A file in a tar archive. */
export interface TarEntry {
  readonly name: string;
  /** Where its content begins in the archive. */
  readonly start: number;
  readonly byteLength: number;
}

const blockBytes = 512;

/** Pax headers and long names; real ones have some hundred bytes. */
const longestExtra = 1 << 16;

/** Archives of models and vectors have some files. */
const mostEntries = 10_000;

/**
 * The files of a tar archive in their order: ustar, old, with GNU long names and pax headers.
 *
 * Cost: one read for each header; a compressed archive is read to its end.
 * @throws EmbError "corrupt" for a header whose checksum is wrong or an archive that ends within a file
 */
export async function tarEntries(content: ByteSource | StreamedContent): Promise<TarEntry[]> {
  const cursor = cursorOf(content);
  const entries: TarEntry[] = [];
  const header = new Uint8Array(blockBytes);
  let extra: Map<string, string> = new Map();
  let at = 0;
  try {
    for (;;) {
      if (!('stream' in content) && at + blockBytes > content.byteLength) return entries;
      if (at > 0 || entries.length > 0) await cursor.read(at, at + blockBytes, header);
      else if ((await cursor.fill(header)) < blockBytes) throw badHeader(content.name, at);
      if (header.every((byte) => byte === 0)) return entries;
      if (!looksLikeTar(header)) throw badHeader(content.name, at);
      at += blockBytes;
      const size = Number(extra.get('size') ?? sizeOf(header));
      const end = at + size;
      if (!Number.isSafeInteger(end) || size < 0 || (!('stream' in content) && end > content.byteLength)) {
        throw new EmbError(
          'corrupt',
          `${content.name}: file of ${size} bytes at byte ${at} leaves the tar archive`,
        );
      }
      const kind = String.fromCharCode(header[156]!);
      if (kind === 'L' || kind === 'x') {
        if (size > longestExtra) {
          throw new EmbError(
            'unsupported',
            `${content.name}: tar header at byte ${at} is ${size} bytes, expected at most ${longestExtra}`,
          );
        }
        const bytes = new Uint8Array(size);
        await cursor.read(at, end, bytes);
        if (kind === 'L') extra.set('path', text(bytes, 0, size));
        else extra = new Map([...extra, ...readPax(bytes)]);
      } else {
        if (kind === '0' || kind === '\0' || kind === '7') {
          entries.push({ name: extra.get('path') ?? nameOf(header), start: at, byteLength: size });
        }
        if (kind !== 'g') extra = new Map();
      }
      if (entries.length > mostEntries) {
        throw new EmbError('unsupported', `${content.name}: holds more than ${mostEntries} files`);
      }
      at = Math.ceil(end / blockBytes) * blockBytes;
    }
  } finally {
    await cursor.close();
  }
}

function badHeader(name: string, at: number): EmbError {
  return new EmbError(
    'corrupt',
    `${name}: byte ${at} begins no tar header: its checksum is wrong`,
    'download it again',
  );
}

/** Octal digits, or a binary number of eight bytes and more behind a first byte with its upper bit set. */
function sizeOf(header: Uint8Array): number {
  if ((header[124]! & 0x80) === 0) return readOctal(header, 124, 12);
  return header.subarray(125, 136).reduce((value, byte) => value * 256 + byte, 0);
}

function nameOf(header: Uint8Array): string {
  const name = text(header, 0, 100);
  const isUstar = text(header, 257, 5) === 'ustar';
  const prefix = isUstar && header[262] === 0 ? text(header, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Up to the first NUL. */
function text(bytes: Uint8Array, at: number, length: number): string {
  const part = bytes.subarray(at, at + length);
  const end = part.indexOf(0);
  return Buffer.from(part.subarray(0, end < 0 ? part.length : end)).toString('utf8');
}

/** Records "length key=value\n". */
function readPax(bytes: Uint8Array): Map<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(Buffer.from(bytes.subarray(at, Math.max(at, space))).toString('latin1'));
    if (space < 0 || !Number.isInteger(length) || length <= space - at + 1) break;
    const record = Buffer.from(bytes.subarray(space + 1, at + length - 1)).toString('utf8');
    const equals = record.indexOf('=');
    if (equals > 0) found.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return found;
}
