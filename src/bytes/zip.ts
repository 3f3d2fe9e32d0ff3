import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';
import { type ZipEntry, type ZipRecord, zipEntry } from './zip-entry.ts';

export type { ZipEntry } from './zip-entry.ts';

/** A zip archive whose central directory is read and whose entries are not. */
export interface ZipArchive {
  readonly name: string;
  /** Files in the order of the directory; folders are left out. */
  readonly entries: readonly ZipEntry[];
  readonly comment: Uint8Array;
  find(name: string): ZipEntry | undefined;
  close(): Promise<void>;
}

const endSignature = 0x06054b50;
const endBytes = 22;
const locatorSignature = 0x07064b50;
const locatorBytes = 20;
const end64Signature = 0x06064b50;
const end64Bytes = 56;
const recordSignature = 0x02014b50;
const recordBytes = 46;
/** Fixed part of a local header. */
const localBytes = 30;

/** A comment's length is a u16. */
const longestComment = 0xffff;

/** About a million entries; model archives have thousands. */
const longestDirectory = 1 << 26;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Reads the central directory of a zip archive, zip64 included; no entry.
 *
 * Source: PKWARE APPNOTE 6.3.10. Sizes and offsets are the directory's; of a local header only its length counts. Entries that
 * overlap, a name that stands twice and an archive over several disks are refused.
 * Cost: one read of at most 66 KB at the end, one more for a directory that is longer.
 * @throws EmbError "corrupt" naming the fact that does not hold, "unsupported" for parts of an archive
 */
export async function openZip(source: ByteSource): Promise<ZipArchive> {
  const { name, byteLength } = source;
  const tailStart = Math.max(0, byteLength - endBytes - longestComment - locatorBytes);
  const tail = viewOf(await source.read(tailStart, byteLength));
  const at = findEnd(tail, name);
  const end = await readEnd(source, tail, tailStart, at);
  const { start, length } = end;
  const inTail = start >= tailStart;
  const directory = inTail
    ? new DataView(tail.buffer, tail.byteOffset + start - tailStart, length)
    : viewOf(await source.read(start, start + length));
  const records = readRecords(directory, end, name);
  checkLayout(records, start, name);
  const commentStart = at + endBytes;
  const comment = bytesOf(tail, commentStart, tail.getUint16(at + 20, true)).slice();
  const entries = records
    .filter((record) => !record.name.endsWith('/'))
    .map((record) => zipEntry(source, record));
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return { name, entries, comment, find: (wanted) => byName.get(wanted), close: () => source.close() };
}

interface Directory {
  start: number;
  length: number;
  count: number;
}

/** Where in the tail the end record lies: the last signature whose comment fits the file. */
function findEnd(tail: DataView, name: string): number {
  for (let at = tail.byteLength - endBytes; at >= 0; at--) {
    if (tail.getUint32(at, true) !== endSignature) continue;
    if (at + endBytes + tail.getUint16(at + 20, true) <= tail.byteLength) return at;
  }
  throw new EmbError(
    'corrupt',
    `${name}: has no end of central directory, expected a zip archive`,
    'the file may be truncated: compare its size with the published one',
  );
}

async function readEnd(
  source: ByteSource,
  tail: DataView,
  tailStart: number,
  at: number,
): Promise<Directory> {
  const { name } = source;
  let disk = tail.getUint16(at + 4, true);
  let count = tail.getUint16(at + 10, true);
  let length = tail.getUint32(at + 12, true);
  let start = tail.getUint32(at + 16, true);
  let limit = tailStart + at;
  const locator = at - locatorBytes;
  if (locator >= 0 && tail.getUint32(locator, true) === locatorSignature) {
    limit = u64(tail, locator + 8, `${name}: zip64 end record`);
    if (limit + end64Bytes > tailStart + locator) {
      throw new EmbError(
        'corrupt',
        `${name}: zip64 end record begins at byte ${limit}, expected at most ${tailStart + locator - end64Bytes}`,
      );
    }
    const record = viewOf(await source.read(limit, limit + end64Bytes));
    if (record.getUint32(0, true) !== end64Signature) {
      throw new EmbError('corrupt', `${name}: byte ${limit} begins no zip64 end record`);
    }
    disk = record.getUint32(16, true);
    count = u64(record, 32, `${name}: number of entries`);
    length = u64(record, 40, `${name}: length of the directory`);
    start = u64(record, 48, `${name}: start of the directory`);
  }
  if (disk !== 0) {
    throw new EmbError('unsupported', `${name}: is part ${disk + 1} of an archive, expected a whole one`);
  }
  if (start + length > limit) {
    throw new EmbError(
      'corrupt',
      `${name}: central directory ends at byte ${start + length}, expected at most ${limit}`,
    );
  }
  if (length > longestDirectory) {
    throw new EmbError(
      'unsupported',
      `${name}: central directory is ${length} bytes, expected at most ${longestDirectory}`,
    );
  }
  return { start, length, count };
}

function readRecords(directory: DataView, { start, count }: Directory, name: string): ZipRecord[] {
  const length = directory.byteLength;
  if (count * recordBytes > length) {
    throw new EmbError(
      'corrupt',
      `${name}: central directory is ${length} bytes, expected at least ${count * recordBytes} for ${count} entries`,
    );
  }
  const records: ZipRecord[] = [];
  const seen = new Set<string>();
  let at = 0;
  while (records.length < count) {
    if (at + recordBytes > length || directory.getUint32(at, true) !== recordSignature) {
      throw new EmbError(
        'corrupt',
        `${name}: byte ${start + at} begins no directory entry, expected number ${records.length + 1} of ${count}`,
      );
    }
    const nameBytes = directory.getUint16(at + 28, true);
    const extraBytes = directory.getUint16(at + 30, true);
    const next = at + recordBytes + nameBytes + extraBytes + directory.getUint16(at + 32, true);
    if (next > length) {
      throw new EmbError(
        'corrupt',
        `${name}: directory entry ${records.length + 1} ends at byte ${start + next}, expected at most ${start + length}`,
      );
    }
    const record = readRecord(directory, at, name);
    if (seen.has(record.name)) {
      throw new EmbError('corrupt', `${name}: has two entries named ${JSON.stringify(record.name)}`);
    }
    seen.add(record.name);
    records.push(record);
    at = next;
  }
  if (at !== length) {
    throw new EmbError(
      'corrupt',
      `${name}: ${count} entries take ${at} bytes of the central directory, expected ${length}`,
    );
  }
  return records;
}

function readRecord(directory: DataView, at: number, archive: string): ZipRecord {
  const nameBytes = directory.getUint16(at + 28, true);
  const name = decodeName(bytesOf(directory, at + recordBytes, nameBytes));
  const record: ZipRecord = {
    name,
    encrypted: (directory.getUint16(at + 8, true) & 1) === 1,
    method: directory.getUint16(at + 10, true),
    crc: directory.getUint32(at + 16, true),
    compressedBytes: directory.getUint32(at + 20, true),
    byteLength: directory.getUint32(at + 24, true),
    offset: directory.getUint32(at + 42, true),
    nameBytes,
    limit: 0,
  };
  const extraStart = at + recordBytes + nameBytes;
  const extra = new DataView(
    directory.buffer,
    directory.byteOffset + extraStart,
    directory.getUint16(at + 30, true),
  );
  readZip64(extra, record, `${archive}: entry ${JSON.stringify(name)}`);
  if (record.method === 0 && !record.encrypted && record.compressedBytes !== record.byteLength) {
    throw new EmbError(
      'corrupt',
      `${archive}: entry ${JSON.stringify(name)} is stored as ${record.compressedBytes} bytes, expected its size, ${record.byteLength}`,
    );
  }
  return record;
}

/** Replaces the sizes and the offset that do not fit 32 bits. */
function readZip64(extra: DataView, record: ZipRecord, label: string): void {
  const wide = (['byteLength', 'compressedBytes', 'offset'] as const).filter(
    (key) => record[key] === 0xffffffff,
  );
  if (wide.length === 0) return;
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const length = extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === 1) {
      if (length < 8 * wide.length || at + 4 + length > extra.byteLength) break;
      wide.forEach((key, index) => {
        record[key] = u64(extra, at + 4 + 8 * index, label);
      });
      return;
    }
    at += 4 + length;
  }
  throw new EmbError('corrupt', `${label} has no zip64 sizes, expected ${wide.length}`);
}

/** No two entries share a byte, and all lie before the directory. Sets how far each may reach. */
function checkLayout(records: readonly ZipRecord[], directoryStart: number, name: string): void {
  const byOffset = [...records].sort((a, b) => b.offset - a.offset);
  let limit = directoryStart;
  for (const record of byOffset) {
    const end = record.offset + localBytes + record.nameBytes + record.compressedBytes;
    if (end > limit) {
      throw new EmbError(
        'corrupt',
        `${name}: entry ${JSON.stringify(record.name)} ends at byte ${end}, expected at most ${limit}, where the next part begins`,
      );
    }
    record.limit = limit;
    limit = record.offset;
  }
}

/** UTF-8 where it is that, whatever the flag says; one character a byte otherwise. */
function decodeName(bytes: Uint8Array): string {
  const text = utf8.decode(bytes);
  return text.includes('\ufffd') ? Buffer.from(bytes).toString('latin1') : text;
}

function u64(view: DataView, at: number, label: string): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new EmbError('corrupt', `${label} is ${value}, expected at most 2^53 - 1`);
  }
  return Number(value);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function bytesOf(view: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, length);
}
