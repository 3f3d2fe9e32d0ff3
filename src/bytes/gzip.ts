import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';

/** Bytes read, and bytes inflated, at a time. */
const pieceBytes = 1 << 18;

/** The bytes of a source in order, a piece at a time. */
export async function* piecesOf(source: ByteSource): AsyncIterable<Uint8Array> {
  for (let at = 0; at < source.byteLength; at += pieceBytes) {
    yield await source.read(at, Math.min(at + pieceBytes, source.byteLength));
  }
}

/**
 * What a gz file holds, all of its members one after another, a piece at a time.
 *
 * @throws EmbError "corrupt" where it does not inflate, ends early or a checksum differs
 */
export async function* gunzip(source: ByteSource): AsyncIterable<Uint8Array> {
  const inflate = createGunzip({ chunkSize: pieceBytes });
  pipeline(Readable.from(piecesOf(source), { highWaterMark: 1 }), inflate, () => {});
  try {
    for await (const piece of inflate) yield piece as Uint8Array;
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
    const { name, byteLength } = source;
    const why = (error as Error).message;
    throw new EmbError(
      'corrupt',
      `${name}: its ${byteLength} bytes do not inflate: ${why}`,
      'download it again',
    );
  } finally {
    inflate.destroy();
  }
}
