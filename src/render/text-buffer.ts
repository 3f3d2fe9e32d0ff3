import { loadShortestKernel, type ShortestKernel } from '../kernels/shortest.ts';
import { longestShortest, type NonFiniteStyle, writeShortest, writeShortestList } from '../text/shortest.ts';
import type { Sink } from '../types.ts';

/** Text is given to the sink from here on; one row may be longer. */
const enough = 64 * 1024;

/** After so many floats the kernel has repaid its start. */
const manyFloats = 20_000;

const writers: Record<NonFiniteStyle, (value: number, out: Uint8Array, at: number) => number> = {
  json: (value, out, at) => writeShortest(value, out, at, 'json'),
  plain: (value, out, at) => writeShortest(value, out, at, 'plain'),
};

const encoder = new TextEncoder();

/** Rows of text on their way to the sink, as UTF-8: floats are written as bytes, without a string for each. */
export class TextBuffer {
  #bytes = new Uint8Array(2 * enough);
  #length = 0;
  #floats = 0;
  #kernel: ShortestKernel | undefined;

  /** Lone surrogates become U+FFFD. */
  text(text: string): void {
    // A UTF-16 unit takes at most three bytes of UTF-8.
    this.#reserve(text.length * 3);
    this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
  }

  /** The shortest decimals of values[start..end), with one separator character between two of them. */
  floats(values: Float32Array, start: number, end: number, separator: string, style: NonFiniteStyle): void {
    this.#reserve((end - start) * (longestShortest + 1));
    const byte = separator.charCodeAt(0);
    this.#floats += end - start;
    this.#length = this.#kernel
      ? this.#kernel.writeList(values, start, end, byte, this.#bytes, this.#length, writers[style])
      : writeShortestList(values, start, end, byte, this.#bytes, this.#length, style);
  }

  /** True when the text is worth a write. */
  get isLong(): boolean {
    return this.#length >= enough;
  }

  /** Hands the text over, and lets others run. */
  async flush(sink: Sink): Promise<void> {
    if (this.#length > 0) sink.write(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    if (this.#floats >= manyFloats && !this.#kernel) this.#kernel = await loadShortestKernel();
    await sink.flush();
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
