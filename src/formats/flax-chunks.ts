import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';

/** Stretches of a file as one source: an array that was cut into chunks. */
export class ChunkedSource implements ByteSource {
  readonly name: string;
  readonly byteLength: number;
  readonly #inner: ByteSource;
  readonly #starts: readonly number[];
  /** Where each chunk begins in the whole, and the end of the last. */
  readonly #edges: number[] = [0];

  constructor(inner: ByteSource, chunks: readonly { start: number; length: number }[]) {
    this.name = inner.name;
    this.#inner = inner;
    this.#starts = chunks.map(({ start }) => start);
    for (const { length } of chunks) this.#edges.push((this.#edges.at(-1) as number) + length);
    this.byteLength = this.#edges.at(-1) as number;
  }

  async read(start: number, end: number, into?: Uint8Array): Promise<Uint8Array> {
    if (!(start >= 0 && start <= end && end <= this.byteLength)) {
      throw new EmbError(
        'corrupt',
        `${this.name}: bytes ${start}..${end} of an array are asked for, expected at most ${this.byteLength}`,
      );
    }
    const target = into ?? new Uint8Array(end - start);
    let chunk = this.#chunkAt(start);
    for (let at = start; at < end; chunk++) {
      const stop = Math.min(end, this.#edges[chunk + 1]);
      if (stop === at) continue;
      const first = this.#starts[chunk] + at - this.#edges[chunk];
      await this.#inner.read(first, first + stop - at, target.subarray(at - start, stop - start));
      at = stop;
    }
    return target.subarray(0, end - start);
  }

  async readMany(spans: Float64Array, into: Uint8Array): Promise<void> {
    for (let at = 0; at < spans.length; at += 3) {
      const [start, end, place] = spans.subarray(at, at + 3);
      await this.read(start, end, into.subarray(place, place + end - start));
    }
  }

  async close(): Promise<void> {}

  /** The last chunk that begins at or before a byte. */
  #chunkAt(byte: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#edges[middle] <= byte) low = middle;
      else high = middle;
    }
    return low;
  }
}
