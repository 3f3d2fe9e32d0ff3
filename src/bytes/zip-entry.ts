import { pipeline, Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';
import { InflatedSource, StoredSource } from './zip-source.ts';

/** What the central directory says of an entry. */
export interface ZipRecord {
  name: string;
  encrypted: boolean;
  method: number;
  crc: number;
  compressedBytes: number;
  byteLength: number;
  /** Where the local header begins. */
  offset: number;
  nameBytes: number;
  /** Where the next entry, or the directory, begins. */
  limit: number;
}

/** One file in a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** 0 is stored, 8 deflate. */
  readonly method: number;
  readonly compressedBytes: number;
  /** Bytes of the content, as the directory says. */
  readonly byteLength: number;
  readonly encrypted: boolean;
  /**
   * The content by position: a window of the archive when stored; inflated into memory when it is first read otherwise, only its
   * first 4 KiB when no more is asked for.
   *
   * @param name how errors call it; archive/entry when absent
   * @throws EmbError "unsupported" for encryption, other methods and, when deflated, a content too large to hold
   */
  open(name?: string): Promise<ByteSource>;
  /** The content from its beginning, a piece at a time, each in memory of its own. @throws EmbError "corrupt" when size or CRC differ at the end */
  stream(): AsyncIterable<Uint8Array>;
  /** All of the content, its CRC checked. @throws EmbError "unsupported" beyond `limit` bytes */
  bytes(limit: number): Promise<Uint8Array>;
}

const localSignature = 0x04034b50;
const localBytes = 30;

/** Bytes read, and bytes inflated, at a time. */
const pieceBytes = 1 << 18;

/** Inflated at a time from entries that are smaller. */
const smallestPiece = 1 << 10;

/** Deflate makes at most 1032 bytes of one. */
const largestRatio = 1032;

/** Whatever the ratio, this much may be held: small archives of zeros open. */
const heldAnyway = 32 << 20;

/** Weights shrink to a half or so, text to a third: what shrinks more is not worth its memory. */
const heldRatio = 16;

/** A table of 900,000 rows of 300 float32. */
const mostHeld = 1 << 30;

const methods: Record<number, string> = {
  1: 'shrink',
  6: 'implode',
  9: 'deflate64',
  12: 'bzip2',
  14: 'lzma',
  93: 'zstd',
  95: 'xz',
  99: 'AES',
};

/** An entry of an archive as its directory describes it. Cost: none; the local header is read with the content. */
export function zipEntry(source: ByteSource, record: ZipRecord): ZipEntry {
  return new Entry(source, record);
}

class Entry implements ZipEntry {
  readonly #source: ByteSource;
  readonly #record: ZipRecord;
  #start: number | undefined;

  constructor(source: ByteSource, record: ZipRecord) {
    this.#source = source;
    this.#record = record;
  }

  get name(): string {
    return this.#record.name;
  }

  get method(): number {
    return this.#record.method;
  }

  get compressedBytes(): number {
    return this.#record.compressedBytes;
  }

  get byteLength(): number {
    return this.#record.byteLength;
  }

  get encrypted(): boolean {
    return this.#record.encrypted;
  }

  async open(name = `${this.#source.name}/${printable(this.name)}`): Promise<ByteSource> {
    this.#checkReadable();
    const { method, byteLength, compressedBytes } = this.#record;
    if (method === 0) return new StoredSource(name, this.#source, byteLength, () => this.#contentStart());
    const most = Math.min(mostHeld, Math.max(heldAnyway, compressedBytes * heldRatio));
    if (byteLength > most) {
      throw new EmbError(
        'unsupported',
        `${this.#label} inflates from ${compressedBytes} to ${byteLength} bytes, expected at most ${most} to be read by position`,
        'unzip it first',
      );
    }
    return new InflatedSource(name, byteLength, () => this.stream());
  }

  async *stream(): AsyncIterable<Uint8Array> {
    this.#checkReadable();
    const { byteLength, method } = this.#record;
    let length = 0;
    let sum = 0;
    for await (const piece of method === 0 ? this.#stored() : this.#inflated()) {
      length += piece.length;
      if (length > byteLength) break;
      sum = crc32(piece, sum);
      yield piece;
    }
    if (length !== byteLength) {
      const much = length > byteLength ? 'more than ' : '';
      throw new EmbError(
        'corrupt',
        `${this.#label} inflates to ${much}${Math.min(length, byteLength)} bytes, expected ${byteLength}`,
      );
    }
    this.#checkSum(sum);
  }

  async bytes(limit: number): Promise<Uint8Array> {
    const { byteLength } = this.#record;
    if (byteLength > limit) {
      throw new EmbError('unsupported', `${this.#label} is ${byteLength} bytes, expected at most ${limit}`);
    }
    const source = await this.open();
    if (source instanceof InflatedSource) return source.whole();
    const bytes = await source.read(0, byteLength);
    this.#checkSum(crc32(bytes));
    return bytes;
  }

  async *#stored(): AsyncIterable<Uint8Array> {
    const start = await this.#contentStart();
    const end = start + this.#record.compressedBytes;
    for (let at = start; at < end; at += pieceBytes) {
      yield await this.#source.read(at, Math.min(at + pieceBytes, end));
    }
  }

  async *#inflated(): AsyncIterable<Uint8Array> {
    const chunkSize = Math.min(pieceBytes, Math.max(smallestPiece, this.#record.byteLength));
    const inflate = createInflateRaw({ chunkSize });
    pipeline(Readable.from(this.#stored(), { highWaterMark: 1 }), inflate, () => {});
    try {
      for await (const piece of inflate) yield piece as Uint8Array;
    } catch (error) {
      if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
      throw new EmbError('corrupt', `${this.#label} does not inflate: ${(error as Error).message}`);
    } finally {
      inflate.destroy();
    }
  }

  /** Where the content begins, behind the local header. */
  async #contentStart(): Promise<number> {
    if (this.#start !== undefined) return this.#start;
    const { offset, compressedBytes, limit } = this.#record;
    const header = await this.#source.read(offset, offset + localBytes);
    const view = new DataView(header.buffer, header.byteOffset, header.length);
    if (view.getUint32(0, true) !== localSignature) {
      throw new EmbError('corrupt', `${this.#label}: byte ${offset} begins no local header`);
    }
    const start = offset + localBytes + view.getUint16(26, true) + view.getUint16(28, true);
    if (start + compressedBytes > limit) {
      throw new EmbError(
        'corrupt',
        `${this.#label} ends at byte ${start + compressedBytes}, expected at most ${limit}, where the next part begins`,
      );
    }
    this.#start = start;
    return start;
  }

  #checkReadable(): void {
    const { encrypted, method, compressedBytes, byteLength } = this.#record;
    if (encrypted) {
      throw new EmbError('unsupported', `${this.#label} is encrypted`, 'unzip it with its password first');
    }
    if (method !== 0 && method !== 8) {
      const how = methods[method] ?? `method ${method}`;
      throw new EmbError(
        'unsupported',
        `${this.#label} is compressed with ${how}, expected deflate or none`,
        'unzip it first',
      );
    }
    if (byteLength > compressedBytes * largestRatio) {
      throw new EmbError(
        'corrupt',
        `${this.#label} is ${byteLength} bytes, expected at most ${compressedBytes * largestRatio}, ${largestRatio} for each of its ${compressedBytes} compressed bytes`,
      );
    }
  }

  /** 0 is what writers leave that skip the sum (torch.serialization.set_crc32_options). */
  #checkSum(sum: number): void {
    const { crc } = this.#record;
    if (sum === crc || crc === 0) return;
    throw new EmbError('corrupt', `${this.#label} has the CRC ${hex(sum)}, expected ${hex(crc)}`);
  }

  get #label(): string {
    return `${this.#source.name}: entry ${JSON.stringify(this.name)}`;
  }
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}

/** Names are anyone's bytes; errors are one line. */
function printable(name: string): string {
  return name.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (mark) => `\\u${hex(mark.charCodeAt(0)).slice(4)}`);
}
