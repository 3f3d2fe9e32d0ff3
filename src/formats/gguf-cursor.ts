import { FileSource } from '../bytes/file.ts';
import { EmbError } from '../errors.ts';
import type { PassStrings } from '../kernels/strings.ts';
import type { ByteSource } from '../types.ts';

/** The first read, which holds most of what is no vocabulary. */
const firstBlock = 1 << 16;

/** Reads double with what has been read, up to this: few requests of a remote file, and little read beyond the header. */
const largestBlock = 1 << 22;

/** Blocks that stay in memory, so that a vocabulary is not read twice: more than any real header has. */
const keptBytes = 1 << 24;

/** A file on disk is read again where it is asked for, so its blocks need no memory but one that is used again and again. */
const localBlock = 1 << 18;

/** What the version field says of the file. */
export interface Layout {
  version: number;
  littleEndian: boolean;
  /** Bytes of a count or a length: 4 in version 1. */
  countBytes: 4 | 8;
}

/** The header's bytes in blocks; what was read is kept as far as it is not large. */
export class HeaderBytes {
  readonly source: ByteSource;
  private readonly kept: { start: number; bytes: Uint8Array }[] = [];
  private keptLength = 0;

  constructor(source: ByteSource) {
    this.source = source;
  }

  /** A block from `start` on: at least `needed` bytes, which the file must have. buffer: where one that is not kept may lie. */
  async block(start: number, needed: number, buffer?: () => Uint8Array): Promise<Uint8Array> {
    const known = this.covering(start, start + needed);
    if (known !== undefined) return known.bytes.subarray(start - known.start);
    if (buffer !== undefined && this.source instanceof FileSource && needed <= localBlock && start > 0) {
      return this.source.read(start, Math.min(this.source.byteLength, start + localBlock), buffer());
    }
    const size = Math.max(needed, Math.min(largestBlock, Math.max(firstBlock, start)));
    const bytes = await this.source.read(start, Math.min(this.source.byteLength, start + size));
    if (this.keptLength + bytes.length <= keptBytes) {
      this.kept.push({ start, bytes });
      this.keptLength += bytes.length;
    }
    return bytes;
  }

  /** Exactly [start, end), from memory where it is there. */
  async read(start: number, end: number): Promise<Uint8Array> {
    const known = this.covering(start, end);
    if (known !== undefined) return known.bytes.subarray(start - known.start, end - known.start);
    return this.join(start, end) ?? this.source.read(start, end);
  }

  private covering(start: number, end: number) {
    return this.kept.find((block) => block.start <= start && end <= block.start + block.bytes.length);
  }

  private join(start: number, end: number): Uint8Array | undefined {
    const pieces: Uint8Array[] = [];
    let at = start;
    for (const { start: from, bytes } of this.kept) {
      if (at >= end || from > at || from + bytes.length <= at) continue;
      const piece = bytes.subarray(at - from, Math.min(bytes.length, end - from));
      pieces.push(piece);
      at += piece.length;
    }
    return at < end ? undefined : Buffer.concat(pieces);
  }
}

/**
 * Reads the fields of a header in order, block by block.
 *
 * Readers of numbers are synchronous: `want` makes sure of their bytes first.
 */
export class Cursor {
  at: number;
  readonly layout: Layout;
  readonly header: HeaderBytes;
  private block: Uint8Array = new Uint8Array(0);
  private buffer: Uint8Array | undefined;
  private blockStart = 0;
  private view = new DataView(this.block.buffer);

  constructor(header: HeaderBytes, layout: Layout, at: number) {
    this.header = header;
    this.layout = layout;
    this.at = at;
  }

  get name(): string {
    return this.header.source.name;
  }

  /** Bytes from here to the end of the file. */
  get rest(): number {
    return this.header.source.byteLength - this.at;
  }

  /** True when so many bytes are here already. */
  has(bytes: number): boolean {
    return this.at >= this.blockStart && this.at + bytes <= this.blockStart + this.block.length;
  }

  /** Reads on until so many bytes are here. @throws EmbError "corrupt" when the file ends before */
  async want(bytes: number, what: string): Promise<void> {
    if (this.has(bytes)) return;
    if (bytes > this.rest) {
      const { byteLength } = this.header.source;
      throw new EmbError(
        'corrupt',
        `${this.name}: ${what} ends at byte ${this.at + bytes}, expected at most ${byteLength}, the size of the file`,
        'the file may be truncated: compare its size with the published one',
      );
    }
    // What a string leads over between two blocks is read too, so that the kept ones have no holes.
    const end = this.blockStart + this.block.length;
    const start = this.at > end && this.at - end <= firstBlock ? end : this.at;
    this.block = await this.header.block(start, bytes + this.at - start, () => {
      this.buffer ??= new Uint8Array(localBlock);
      return this.buffer;
    });
    this.blockStart = start;
    this.view = new DataView(this.block.buffer, this.block.byteOffset, this.block.length);
  }

  u32(): number {
    const value = this.view.getUint32(this.at - this.blockStart, this.layout.littleEndian);
    this.at += 4;
    return value;
  }

  i32(): number {
    return this.u32() | 0;
  }

  f32(): number {
    const value = this.view.getFloat32(this.at - this.blockStart, this.layout.littleEndian);
    this.at += 4;
    return value;
  }

  f64(): number {
    const value = this.view.getFloat64(this.at - this.blockStart, this.layout.littleEndian);
    this.at += 8;
    return value;
  }

  u8(): number {
    return this.block[this.at++ - this.blockStart];
  }

  i8(): number {
    return (this.u8() << 24) >> 24;
  }

  u16(): number {
    const value = this.view.getUint16(this.at - this.blockStart, this.layout.littleEndian);
    this.at += 2;
    return value;
  }

  i16(): number {
    return (this.u16() << 16) >> 16;
  }

  /** A number while it is exact as one. */
  u64(): number | bigint {
    const value = this.view.getBigUint64(this.at - this.blockStart, this.layout.littleEndian);
    this.at += 8;
    return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  }

  i64(): number | bigint {
    const value = BigInt.asIntN(64, BigInt(this.u64()));
    const isExact = value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER;
    return isExact ? Number(value) : value;
  }

  /** A count or a length; beyond 2^53 it is rounded, which is too large for any file just the same. */
  count(): number {
    return this.layout.countBytes === 4 ? this.u32() : Number(this.u64());
  }

  /** The text of the next `length` bytes, which are here; what is no UTF-8 becomes U+FFFD. */
  text(length: number): string {
    const start = this.at - this.blockStart;
    this.at += length;
    const { buffer, byteOffset } = this.block;
    return Buffer.from(buffer, byteOffset + start, length).toString('utf8');
  }

  /** Passes over as many of `count` strings as this block has the lengths of, and gives how many are left. */
  passStrings(count: number, walk?: PassStrings): number {
    const { block, layout, blockStart } = this;
    const { countBytes, littleEndian } = layout;
    const isPlain = littleEndian && countBytes === 8;
    if (isPlain && walk !== undefined) {
      const place = walk(block, this.at - blockStart, count);
      if (place.left < count) {
        this.at = blockStart + place.at;
        return place.left;
      }
    }
    const last = block.length - countBytes;
    let at = this.at - blockStart;
    let left = count;
    while (left > 0 && at <= last) {
      // Bytes, not a DataView: this runs once over a whole vocabulary, while its code is cold.
      const isShort =
        isPlain &&
        (block[at + 1] | block[at + 2] | block[at + 3] | block[at + 4] | block[at + 5] | block[at + 6]) ===
          0 &&
        block[at + 7] === 0;
      at += countBytes + (isShort ? block[at] : lengthAt(block, at, layout));
      left--;
    }
    this.at = blockStart + at;
    return left;
  }
}

/** The length that stands at a place, in either byte order. */
export function lengthAt(bytes: Uint8Array, at: number, { littleEndian, countBytes }: Layout): number {
  let length = 0;
  for (let i = 0; i < countBytes; i++) {
    length = length * 256 + bytes[at + (littleEndian ? countBytes - 1 - i : i)];
  }
  return length;
}
