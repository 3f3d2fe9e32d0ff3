import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';

/** Bytes read at a time. */
const blockBytes = 1 << 18;

/** Little endian fields of a file, one after another. */
export class Fields {
  readonly #source: ByteSource;
  #block: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** Place in the file of the first byte of #block. */
  #base = 0;
  #at = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Place in the file of the next field. */
  get position(): number {
    return this.#base + this.#at;
  }

  get left(): number {
    return this.#source.byteLength - this.position;
  }

  async u8(): Promise<number> {
    const at = await this.#take(1, 'a byte');
    return this.#block[at]!;
  }

  async i32(what: string): Promise<number> {
    const at = await this.#take(4, what);
    return this.#view.getInt32(at, true);
  }

  async f32(what: string): Promise<number> {
    const at = await this.#take(4, what);
    return this.#view.getFloat32(at, true);
  }

  async f64(what: string): Promise<number> {
    const at = await this.#take(8, what);
    return this.#view.getFloat64(at, true);
  }

  /** A number of 64 bits that must be whole as a double. */
  async i64(what: string): Promise<number> {
    const at = await this.#take(8, what);
    const value = this.#view.getBigInt64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < -1n) {
      throw new EmbError('corrupt', `${this.#source.name}: "${what}" is ${value}, expected 0 to 2^53 - 1`);
    }
    return Number(value);
  }

  /** Bytes up to a NUL, which is passed over; at most `most`. Valid until the next call. */
  async text(most: number, what: string): Promise<Uint8Array> {
    let end = this.#block.indexOf(0, this.#at);
    if (end < 0) {
      await this.#load(Math.min(most + 1, this.left));
      end = this.#block.indexOf(0, this.#at);
    }
    if (end < 0 || end - this.#at > most) {
      throw new EmbError(
        'corrupt',
        `${this.#source.name}: "${what}" is longer than ${most} bytes, expected a NUL behind it`,
      );
    }
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end + 1;
    return bytes;
  }

  /** Passes over bytes, which must be there. */
  skip(bytes: number, what: string): void {
    if (bytes > this.left) throw this.#ended(bytes, what);
    this.#base = this.position + bytes;
    this.#at = 0;
    this.#block = new Uint8Array(0);
    this.#view = new DataView(new ArrayBuffer(0));
  }

  /** Where in the block a field begins that is then passed over. */
  async #take(bytes: number, what: string): Promise<number> {
    if (bytes > this.#block.length - this.#at) {
      if (bytes > this.left) throw this.#ended(bytes, what);
      await this.#load(bytes);
    }
    this.#at += bytes;
    return this.#at - bytes;
  }

  async #load(bytes: number): Promise<void> {
    const start = this.position;
    const end = Math.min(start + Math.max(bytes, blockBytes), this.#source.byteLength);
    this.#block = await this.#source.read(start, end);
    this.#view = new DataView(this.#block.buffer, this.#block.byteOffset, this.#block.length);
    this.#base = start;
    this.#at = 0;
  }

  #ended(bytes: number, what: string): EmbError {
    return new EmbError(
      'corrupt',
      `${this.#source.name}: "${what}" ends at byte ${this.position + bytes}, expected at most ${this.#source.byteLength}`,
      'the file may be truncated: compare its size with the published one',
    );
  }
}
