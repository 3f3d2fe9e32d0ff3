import { cursorOf, type StreamedContent } from '../bytes/inflate.ts';
import { MemorySource } from '../bytes/memory.ts';
import { EmbError } from '../errors.ts';
import type { ByteSource, TensorFile, TensorInfo } from '../types.ts';
import { looksLikeBzip2, looksLikeGzip, looksLikeXz } from './compressed-magic.ts';
import { headOf, type Packing, type Part, partsOf } from './compressed-parts.ts';
import { openTextTable } from './text-vectors.ts';
import { looksLikeTextVectors } from './text-vectors-magic.ts';
import { openWord2vecTable } from './word2vec.ts';
import { looksLikeWord2vec } from './word2vec-magic.ts';

/** Content up to this is decompressed once and kept. */
const smallContent = 1 << 23;

/** Content other than word vectors is held to be read by position: this much whatever its file takes ... */
const heldAnyway = 1 << 25;
/** ... or so many times its file, as weights compress at most, up to a table of 900,000 rows of 300. */
const heldRatio = 16;
const mostHeld = 1 << 30;

/** Names in an error: enough to know the archive by. */
const namesShown = 5;

const endings: Record<Packing, RegExp> = {
  gzip: /\.gz$/i,
  bzip2: /\.bz2$/i,
  xz: /\.xz$/i,
  tar: /\.tar$/i,
  zip: /\.zip$/i,
};

/** A table of word vectors in a packed file. */
interface Table {
  entry: string | undefined;
  content: ByteSource | StreamedContent;
  kind: 'text vectors' | 'word2vec';
}

/**
 * Opens word vectors, text or word2vec's binary form, inside zip, gz, bz2, xz, tar and a compressed tar, without unpacking them to disk.
 *
 * In an archive every file of word vectors is a tensor that is named as the file; others are let be. The one content of a gz, bz2 or xz
 * file may also be of any other format, which is then held in memory.
 * Cost: a pass over each table for its words, and one up to the last row for each time that rows are read; memory for the words.
 * @throws EmbError "unsupported" naming the files of an archive without word vectors, and for contents that are too large to hold
 */
export async function openCompressedText(source: ByteSource, packing: Packing): Promise<TensorFile> {
  const parts = await partsOf(source, packing);
  const isSingle = parts.length === 1 && parts[0]!.entry === undefined;
  const tables: Table[] = [];
  for (const part of parts) {
    const content = isSingle ? ((await small(part.content)) ?? part.content) : part.content;
    const kind = await kindOf(content);
    if (kind !== undefined) tables.push({ entry: part.entry, content, kind });
    else if (isSingle) return openHeld(content, source, packing);
  }
  if (tables.length === 0) throw noTables(source, packing, parts);
  return openTables(tables, source, packing);
}

async function openTables(tables: Table[], source: ByteSource, packing: Packing): Promise<TensorFile> {
  const tensors: TensorInfo[] = [];
  const notes: string[] = [];
  for (const { entry, content, kind } of tables) {
    const open = kind === 'word2vec' ? openWord2vecTable : openTextTable;
    const table = await open(content, source, entry ?? 'vectors');
    tensors.push(table.tensor);
    notes.push(...table.notes.map((note) => (tables.length > 1 ? `${entry}: ${note}` : note)));
  }
  return {
    format: `${tables[0]!.kind} in ${packing}`,
    name: source.name,
    tensors,
    metadata: new Map(),
    // Several tables have their words each.
    ...(tensors.length === 1 ? { vocabulary: tensors[0]!.vocabulary } : {}),
    notes,
    close: () => source.close(),
  };
}

async function kindOf(content: ByteSource | StreamedContent): Promise<Table['kind'] | undefined> {
  const head = await headOf(content);
  // How long a stream is, nobody knows before it was read.
  const byteLength =
    'stream' in content ? (head.length < 512 ? head.length : Number.POSITIVE_INFINITY) : content.byteLength;
  if (looksLikeTextVectors(head, { byteLength })) return 'text vectors';
  return looksLikeWord2vec(head, { byteLength }) ? 'word2vec' : undefined;
}

/** The content in memory, when it is small. */
async function small(content: ByteSource | StreamedContent): Promise<MemorySource | undefined> {
  if (!('stream' in content)) return undefined;
  const bytes = await readUpTo(content, smallContent);
  return bytes === undefined ? undefined : new MemorySource(content.name, bytes);
}

/** All of a stream; undefined when it is longer than `most` bytes. */
async function readUpTo(content: StreamedContent, most: number): Promise<Uint8Array | undefined> {
  const cursor = cursorOf(content);
  let bytes = new Uint8Array(Math.min(most, 1 << 16) + 1);
  let length = 0;
  try {
    for (;;) {
      const count = await cursor.fill(bytes.subarray(length));
      length += count;
      if (length > most) return undefined;
      if (length < bytes.length) return bytes.slice(0, length);
      const larger = new Uint8Array(Math.min(2 * bytes.length, most + 1));
      larger.set(bytes);
      bytes = larger;
    }
  } finally {
    await cursor.close();
  }
}

/** Opens the one content of a file by what it is, from memory. */
async function openHeld(
  content: ByteSource | StreamedContent,
  source: ByteSource,
  packing: Packing,
): Promise<TensorFile> {
  const name = source.name.replace(endings[packing], '');
  const head = await headOf(content);
  if (looksLikeGzip(head) || looksLikeBzip2(head) || looksLikeXz(head)) {
    throw new EmbError(
      'unsupported',
      `${source.name}: is compressed twice, expected once`,
      'decompress it first',
    );
  }
  if (head.length === 0) {
    throw new EmbError(
      'corrupt',
      `${source.name}: holds no bytes, expected a model file`,
      'download it again',
    );
  }
  const inner = new MemorySource(name, await bytesOf(content, source));
  // The registry of formats loads this file.
  const { openTensorFile } = await import('./index.ts');
  const file = await openTensorFile(inner);
  return {
    ...file,
    format: `${file.format} in ${packing}`,
    close: async () => {
      await file.close();
      await source.close();
    },
  };
}

async function bytesOf(content: ByteSource | StreamedContent, source: ByteSource): Promise<Uint8Array> {
  if (!('stream' in content)) return content.read(0, content.byteLength);
  const most = Math.min(mostHeld, Math.max(heldAnyway, source.byteLength * heldRatio));
  const bytes = await readUpTo(content, most);
  if (bytes !== undefined) return bytes;
  throw new EmbError(
    'unsupported',
    `${source.name}: decompresses to more than ${most} bytes, expected at most that to be read by position`,
    'decompress it first',
  );
}

function noTables({ name }: ByteSource, packing: Packing, parts: readonly Part[]): EmbError {
  const shown = parts.slice(0, namesShown).map(({ entry }) => JSON.stringify((entry ?? '').slice(0, 80)));
  if (parts.length > namesShown) shown.push(`${parts.length - namesShown} more`);
  return new EmbError(
    'unsupported',
    `${name}: is a ${packing} archive of ${shown.join(', ') || 'nothing'}, expected word vectors`,
    'unpack it and name a file',
  );
}
