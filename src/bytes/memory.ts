import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';

/** Bytes that are in memory already: stdin, a zip entry, a test. Reads without `into` are views, not copies. */
export class MemorySource implements ByteSource {
  readonly name: string;
  readonly #bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.#bytes = bytes;
  }

  get byteLength(): number {
    return this.#bytes.length;
  }

  async read(start: number, end: number, into?: Uint8Array): Promise<Uint8Array> {
    if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end)) {
      throw new EmbError('range', `${this.name}: bytes ${start}..${end} are no range`);
    }
    if (end > this.#bytes.length) {
      throw new EmbError(
        'corrupt',
        `${this.name}: byte ${end} is asked for, expected at most ${this.#bytes.length}`,
      );
    }
    const view = this.#bytes.subarray(start, end);
    if (into === undefined) return view;
    into.set(view);
    return into.subarray(0, end - start);
  }

  async readMany(spans: Float64Array, into: Uint8Array): Promise<void> {
    for (let at = 0; at < spans.length; at += 3) {
      into.set(await this.read(spans[at], spans[at + 1]), spans[at + 2]);
    }
  }

  async close(): Promise<void> {}
}
