import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';

/** Bytes read at a time while values are walked over. */
const windowBytes = 1 << 16;

/** What a value is, by its first byte; the content of text, bin and ext follows and is the caller's to read or skip. */
export type MsgpackValue =
  | { kind: 'nothing' }
  | { kind: 'boolean'; value: boolean }
  | { kind: 'number'; value: number }
  /** Members, not counting keys. */
  | { kind: 'map' | 'array'; length: number }
  /** Bytes. */
  | { kind: 'text' | 'bytes'; length: number }
  | { kind: 'extension'; length: number; type: number };

/**
 * Walks MessagePack values in a file without reading what is skipped.
 *
 * Source: https://github.com/msgpack/msgpack/blob/master/spec.md.
 * @throws EmbError "corrupt", naming the byte, from every member, where the file ends within a value
 */
export class MsgpackCursor {
  readonly #source: ByteSource;
  #window: DataView = new DataView(new ArrayBuffer(0));
  #windowStart = 0;
  #at = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Where the next value, or content, begins. */
  get at(): number {
    return this.#at;
  }

  /** The head of the value here. */
  async next(): Promise<MsgpackValue> {
    const code = await this.#number(1, 'u');
    if (code < 0x80) return { kind: 'number', value: code };
    if (code < 0x90) return { kind: 'map', length: code & 0xf };
    if (code < 0xa0) return { kind: 'array', length: code & 0xf };
    if (code < 0xc0) return { kind: 'text', length: code & 0x1f };
    if (code >= 0xe0) return { kind: 'number', value: code - 0x100 };
    if (code === 0xc0) return { kind: 'nothing' };
    if (code === 0xc2 || code === 0xc3) return { kind: 'boolean', value: code === 0xc3 };
    if (code >= 0xc4 && code <= 0xc6) return { kind: 'bytes', length: await this.#size(code - 0xc4) };
    if (code >= 0xc7 && code <= 0xc9) {
      return this.#extension(await this.#size(code - 0xc7));
    }
    if (code === 0xca || code === 0xcb) {
      return { kind: 'number', value: await this.#number(code === 0xca ? 4 : 8, 'f') };
    }
    if (code >= 0xcc && code <= 0xcf) return { kind: 'number', value: await this.#size(code - 0xcc) };
    if (code >= 0xd0 && code <= 0xd3) {
      return { kind: 'number', value: await this.#number(1 << (code - 0xd0), 'i') };
    }
    if (code >= 0xd4 && code <= 0xd8) return this.#extension(1 << (code - 0xd4));
    if (code >= 0xd9 && code <= 0xdb) return { kind: 'text', length: await this.#size(code - 0xd9) };
    if (code === 0xdc || code === 0xdd) return { kind: 'array', length: await this.#size(code - 0xdb) };
    if (code === 0xde || code === 0xdf) return { kind: 'map', length: await this.#size(code - 0xdd) };
    return this.fail(`0x${code.toString(16)} begins no value`);
  }

  /** The content of a text, or of bytes that are one. */
  async text(length: number): Promise<string> {
    await this.#need(length);
    const start = this.#window.byteOffset + this.#at - this.#windowStart;
    this.#at += length;
    return Buffer.from(this.#window.buffer, start, length).toString('utf8');
  }

  /** Passes over content. */
  skip(length: number): void {
    if (this.#at + length > this.#source.byteLength)
      this.fail(`${length} bytes follow, more than the file has`);
    this.#at += length;
  }

  fail(what: string): never {
    throw new EmbError(
      'corrupt',
      `${this.#source.name}: MessagePack is broken before byte ${this.#at}: ${what}`,
    );
  }

  async #extension(length: number): Promise<MsgpackValue> {
    return { kind: 'extension', length, type: await this.#number(1, 'i') };
  }

  /** An unsigned number of 2^power bytes. */
  #size(power: number): Promise<number> {
    return this.#number(1 << power, 'u');
  }

  async #number(width: number, form: 'u' | 'i' | 'f'): Promise<number> {
    await this.#need(width);
    const at = this.#at - this.#windowStart;
    this.#at += width;
    const view = this.#window;
    if (form === 'f') return width === 4 ? view.getFloat32(at) : view.getFloat64(at);
    if (width === 1) return form === 'u' ? view.getUint8(at) : view.getInt8(at);
    if (width === 2) return form === 'u' ? view.getUint16(at) : view.getInt16(at);
    if (width === 4) return form === 'u' ? view.getUint32(at) : view.getInt32(at);
    return Number(form === 'u' ? view.getBigUint64(at) : view.getBigInt64(at));
  }

  /** Makes sure that the next bytes are in the window. */
  async #need(length: number): Promise<void> {
    const end = this.#at + length;
    if (this.#at >= this.#windowStart && end <= this.#windowStart + this.#window.byteLength) return;
    const { byteLength } = this.#source;
    if (end > byteLength) this.fail(`${length} bytes are expected, the file has ${byteLength - this.#at}`);
    const last = Math.min(byteLength, this.#at + Math.max(length, windowBytes));
    const bytes = await this.#source.read(this.#at, last);
    this.#window = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#windowStart = this.#at;
  }
}
