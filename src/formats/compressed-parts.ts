import { bunzip2 } from '../bytes/bzip2.ts';
import { gunzip } from '../bytes/gzip.ts';
import { cursorOf, type StreamedContent } from '../bytes/inflate.ts';
import { tarEntries } from '../bytes/tar.ts';
import { looksLikeTar } from '../bytes/tar-magic.ts';
import { unxz } from '../bytes/xz.ts';
import { openZip } from '../bytes/zip.ts';
import { StoredSource } from '../bytes/zip-source.ts';
import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';

/** Files of a compressed tar: each is looked at by a pass of its own. */
const mostStreamed = 32;

/** How a file is packed. */
export type Packing = 'zip' | 'gzip' | 'bzip2' | 'xz' | 'tar';

/** One of the contents of a packed file. */
export interface Part {
  /** In an archive; undefined for the one content of a gz file. */
  entry?: string;
  content: ByteSource | StreamedContent;
}

/** Bytes that decide what a content is. */
const headBytes = 512;

/** Content that may come of few bytes. */
const contentAnyway = 1 << 26;

/** Text compresses to a third; what comes out at more than this is made to. */
const mostRatio = 64;

const unpackers = { gzip: gunzip, bzip2: bunzip2, xz: unxz };

/**
 * What a packed file holds: its files for zip, tar and a tar inside gz, bz2 or xz, else the one content.
 *
 * Cost: of an archive its directory; a compressed tar is read to its end.
 */
export async function partsOf(source: ByteSource, packing: Packing): Promise<Part[]> {
  if (packing === 'zip') return zipParts(source);
  const content = packing === 'tar' ? source : unpacked(source, packing);
  if (packing !== 'tar' && !looksLikeTar(await headOf(content))) return [{ content }];
  const entries = await tarEntries(content);
  if ('stream' in content && entries.length > mostStreamed) {
    throw new EmbError(
      'unsupported',
      `${source.name}: holds ${entries.length} files, expected at most ${mostStreamed} in a compressed tar`,
      'each is a pass over the whole archive: unpack it first',
    );
  }
  return entries.map(({ name, start, byteLength }) => {
    const label = `${source.name}/${name}`;
    const part =
      'stream' in content
        ? streamedWindow(label, content, start, byteLength)
        : new StoredSource(label, source, byteLength, async () => start);
    return { entry: name, content: part };
  });
}

/** The first 512 bytes, or all of a shorter content. */
export async function headOf(content: ByteSource | StreamedContent): Promise<Uint8Array> {
  const cursor = cursorOf(content);
  try {
    const head = new Uint8Array(headBytes);
    return head.subarray(0, await cursor.fill(head));
  } finally {
    await cursor.close();
  }
}

async function zipParts(source: ByteSource): Promise<Part[]> {
  const { entries } = await openZip(source);
  return Promise.all(
    entries.map(async (entry) => {
      const label = `${source.name}/${entry.name}`;
      if (entry.method === 0 && !entry.encrypted)
        return { entry: entry.name, content: await entry.open(label) };
      const stream = () => bounded(label, entry.compressedBytes, entry.stream());
      return { entry: entry.name, content: { name: label, packedBytes: entry.compressedBytes, stream } };
    }),
  );
}

function unpacked(source: ByteSource, packing: keyof typeof unpackers): StreamedContent {
  const { name, byteLength } = source;
  const stream = () => bounded(name, byteLength, unpackers[packing](source));
  return { name, packedBytes: byteLength, stream };
}

/** One file of a tar inside a stream. */
function streamedWindow(
  name: string,
  outer: StreamedContent,
  start: number,
  byteLength: number,
): StreamedContent {
  async function* stream(): AsyncIterable<Uint8Array> {
    let at = 0;
    for await (const piece of outer.stream()) {
      const from = Math.max(0, start - at);
      const to = Math.min(piece.length, start + byteLength - at);
      if (from < to) yield piece.subarray(from, to);
      at += piece.length;
      if (at >= start + byteLength) return;
    }
  }
  return { name, packedBytes: Math.min(outer.packedBytes, byteLength), stream };
}

/** Stops what a few bytes blow up to without end. */
async function* bounded(
  name: string,
  packedBytes: number,
  pieces: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const most = Math.max(contentAnyway, packedBytes * mostRatio);
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > most) {
      throw new EmbError(
        'unsupported',
        `${name}: ${packedBytes} bytes decompress to more than ${most}, expected at most ${mostRatio} for each`,
        'decompress it first',
      );
    }
    yield piece;
  }
}
