import { readFileSync } from 'node:fs';
import type { ByteSource } from '../../src/types.ts';

/** A fixture's path. */
export function fixture(name: string): string {
  return `fixtures/${name}`;
}

/** float32 values that a maker wrote as base64. */
export function unpack(base64: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return new Float32Array(bytes.buffer);
}

export function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

/** Bits, so that -0 and 0 differ; every NaN is the same NaN. */
export function bitsOf(values: Float32Array): number[] {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Array.from(values, (value, index) => (Number.isNaN(value) ? 0x7fc00000 : bits[index]));
}

/** A source that remembers which bytes were asked for. */
export class CountingSource implements ByteSource {
  readonly reads: { start: number; end: number }[] = [];
  readonly #inner: ByteSource;

  constructor(inner: ByteSource) {
    this.#inner = inner;
  }

  get name(): string {
    return this.#inner.name;
  }

  get byteLength(): number {
    return this.#inner.byteLength;
  }

  get bytesRead(): number {
    return this.reads.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  read(start: number, end: number, into?: Uint8Array): Promise<Uint8Array> {
    this.reads.push({ start, end });
    return this.#inner.read(start, end, into);
  }

  /** Counts a read for every stretch that is one in the file and in memory. */
  async readMany(spans: Float64Array, into: Uint8Array): Promise<void> {
    let last: { start: number; end: number } | undefined;
    for (let at = 0; at < spans.length; at += 3) {
      const [start, end, place] = spans.subarray(at, at + 3);
      if (
        last !== undefined &&
        start === last.end &&
        place === spans[at - 1] + (spans[at - 2] - spans[at - 3])
      )
        last.end = end;
      else {
        last = { start, end };
        this.reads.push(last);
      }
    }
    await this.#inner.readMany(spans, into);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** A safetensors file of this header and so many bytes of data. */
export function safetensors(header: unknown, data: number | Uint8Array): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, typeof data === 'number' ? Buffer.alloc(data) : data]);
}
