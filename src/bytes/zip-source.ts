import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';
import { MemorySource } from './memory.ts';

/** A header is read without inflating what follows it; small, since an archive may have thousands of them. */
const headBytes = 1 << 12;

/** A stored entry: a window of its archive, which stays the archive's to close. */
export class StoredSource implements ByteSource {
  readonly name: string;
  readonly byteLength: number;
  readonly #inner: ByteSource;
  readonly #findStart: () => Promise<number>;

  /** @param findStart where in `inner` the window begins; asked for with the first read */
  constructor(name: string, inner: ByteSource, byteLength: number, findStart: () => Promise<number>) {
    this.name = name;
    this.byteLength = byteLength;
    this.#inner = inner;
    this.#findStart = findStart;
  }

  async read(start: number, end: number, into?: Uint8Array): Promise<Uint8Array> {
    checkRange(this, start, end);
    const base = await this.#findStart();
    return this.#inner.read(base + start, base + end, into);
  }

  async readMany(spans: Float64Array, into: Uint8Array): Promise<void> {
    const base = await this.#findStart();
    const moved = spans.slice();
    for (let at = 0; at < spans.length; at += 3) {
      checkRange(this, spans[at], spans[at + 1]);
      moved[at] += base;
      moved[at + 1] += base;
    }
    await this.#inner.readMany(moved, into);
  }

  async close(): Promise<void> {}
}

/** A compressed entry: inflated into memory as far as it is asked for, its head or all of it. */
export class InflatedSource implements ByteSource {
  readonly name: string;
  readonly byteLength: number;
  readonly #stream: () => AsyncIterable<Uint8Array>;
  #head: Promise<Uint8Array> | undefined;
  #whole: Promise<Uint8Array> | undefined;

  constructor(name: string, byteLength: number, stream: () => AsyncIterable<Uint8Array>) {
    this.name = name;
    this.byteLength = byteLength;
    this.#stream = stream;
  }

  async read(start: number, end: number, into?: Uint8Array): Promise<Uint8Array> {
    checkRange(this, start, end);
    const isHead = this.#whole === undefined && end <= headBytes;
    return new MemorySource(this.name, await (isHead ? this.#readHead() : this.whole())).read(
      start,
      end,
      into,
    );
  }

  async readMany(spans: Float64Array, into: Uint8Array): Promise<void> {
    for (let at = 0; at < spans.length; at += 3) checkRange(this, spans[at], spans[at + 1]);
    await new MemorySource(this.name, await this.whole()).readMany(spans, into);
  }

  /** All bytes, inflated once. */
  whole(): Promise<Uint8Array> {
    this.#whole ??= this.#inflate(this.byteLength);
    return this.#whole;
  }

  /** Gives the memory back. */
  async close(): Promise<void> {
    this.#head = undefined;
    this.#whole = undefined;
  }

  #readHead(): Promise<Uint8Array> {
    this.#head ??= this.#inflate(Math.min(headBytes, this.byteLength));
    return this.#head;
  }

  /** The first bytes; the stream is read to its end, where it is checked, when all are asked for. */
  async #inflate(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let done = 0;
    for await (const piece of this.#stream()) {
      const part = piece.subarray(0, length - done);
      bytes.set(part, done);
      done += part.length;
      if (done === length && length < this.byteLength) break;
    }
    return bytes;
  }
}

function checkRange({ name, byteLength }: ByteSource, start: number, end: number): void {
  if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end)) {
    throw new EmbError('range', `${name}: bytes ${start}..${end} are no range`);
  }
  if (end > byteLength) {
    throw new EmbError('corrupt', `${name}: byte ${end} is asked for, expected at most ${byteLength}`);
  }
}
