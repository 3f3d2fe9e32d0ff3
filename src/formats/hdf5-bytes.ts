import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';

/** Read at a time: headers are small and lie apart. */
const windowBytes = 1 << 13;

/** Reads the structures of an HDF5 file where its addresses point to. */
export class Hdf5File {
  readonly source: ByteSource;
  /** Bytes of an address, and of a length. */
  offsetBytes = 8;
  lengthBytes = 8;
  #headerBytes = 0;
  #window: DataView = new DataView(new ArrayBuffer(0));
  #windowStart = 0;

  constructor(source: ByteSource) {
    this.source = source;
  }

  /** A view of exactly these bytes. @throws EmbError "corrupt" when the file does not have them */
  async view(start: number, length: number, what: string): Promise<DataView> {
    const { byteLength } = this.source;
    if (!(start >= 0 && start + length <= byteLength)) {
      throw new EmbError(
        'corrupt',
        `${this.source.name}: ${what} ends at byte ${start + length}, expected at most ${byteLength}, the size of the file`,
      );
    }
    if (start < this.#windowStart || start + length > this.#windowStart + this.#window.byteLength) {
      const bytes = await this.source.read(
        start,
        Math.min(byteLength, start + Math.max(length, windowBytes)),
      );
      this.#window = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      this.#windowStart = start;
    }
    return new DataView(this.#window.buffer, this.#window.byteOffset + start - this.#windowStart, length);
  }

  /** A view that begins with a signature of four letters. */
  async signed(start: number, length: number, signature: string): Promise<DataView> {
    const view = await this.view(start, length, `the ${signature} block at byte ${start}`);
    for (let at = 0; at < signature.length; at++) {
      if (view.getUint8(at) !== signature.charCodeAt(at))
        this.fail(`byte ${start} begins no ${signature} block`);
    }
    return view;
  }

  /** Counts bytes of object headers, which don't share any. */
  countHeader(length: number): void {
    this.#headerBytes += length;
    if (this.#headerBytes > this.source.byteLength) this.fail('object headers overlap');
  }

  /** An address; undefined for the one of all ones, which stands for none. */
  address(view: DataView, at: number): number | undefined {
    const width = this.offsetBytes;
    if (at + width > view.byteLength) this.fail('a structure is shorter than its fields');
    for (let byte = 0; byte < width; byte++)
      if (view.getUint8(at + byte) !== 0xff) return this.size(view, at, width);
    return undefined;
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes. */
  size(view: DataView, at: number, width = this.lengthBytes): number {
    if (at + width > view.byteLength) this.fail('a structure is shorter than its fields');
    if (width === 1) return view.getUint8(at);
    if (width === 2) return view.getUint16(at, true);
    if (width === 4) return view.getUint32(at, true);
    const value = view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(`a size is ${value}, expected at most 2^53 - 1`);
    return Number(value);
  }

  fail(what: string): never {
    throw new EmbError('corrupt', `${this.source.name}: HDF5 is broken: ${what}`);
  }
}
