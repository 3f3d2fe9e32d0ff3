import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';

/** Content that is read from its beginning only, any number of times: what a gz file or a tar inside one holds. */
export interface StreamedContent {
  /** As the user would name it, for errors. */
  readonly name: string;
  /** Bytes that it takes in its file: what it may cost is measured by them. */
  readonly packedBytes: number;
  /** The content, a piece at a time. */
  stream(): AsyncIterable<Uint8Array>;
}

/** Reads that go forward. */
export interface Cursor {
  /** The bytes that follow the last ones; fewer than `into` holds only at the end. */
  fill(into: Uint8Array): Promise<number>;
  /** Reads [start, end) to `into`. A stream refuses to go back. */
  read(start: number, end: number, into: Uint8Array): Promise<void>;
  /** Reads many ranges, in order, as ByteSource does. */
  readMany(spans: Float64Array, into: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** A cursor at the beginning of a file or of streamed content. */
export function cursorOf(content: ByteSource | StreamedContent): Cursor {
  return 'stream' in content ? new StreamCursor(content) : new SourceCursor(content);
}

class SourceCursor implements Cursor {
  readonly #source: ByteSource;
  #position = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  async fill(into: Uint8Array): Promise<number> {
    const end = Math.min(this.#position + into.length, this.#source.byteLength);
    const count = end - this.#position;
    if (count > 0) await this.#source.read(this.#position, end, into);
    this.#position = end;
    return count;
  }

  async read(start: number, end: number, into: Uint8Array): Promise<void> {
    await this.#source.read(start, end, into);
  }

  async readMany(spans: Float64Array, into: Uint8Array): Promise<void> {
    await this.#source.readMany(spans, into);
  }

  async close(): Promise<void> {}
}

const nothing: Uint8Array = new Uint8Array(0);

class StreamCursor implements Cursor {
  readonly #name: string;
  readonly #pieces: AsyncIterator<Uint8Array>;
  /** What is left of the piece that came last. */
  #rest = nothing;
  #position = 0;

  constructor(content: StreamedContent) {
    this.#name = content.name;
    this.#pieces = content.stream()[Symbol.asyncIterator]();
  }

  async fill(into: Uint8Array): Promise<number> {
    let done = 0;
    while (done < into.length && (await this.#advance())) {
      const part = this.#take(into.length - done);
      into.set(part, done);
      done += part.length;
    }
    return done;
  }

  async read(start: number, end: number, into: Uint8Array): Promise<void> {
    if (start < this.#position) {
      throw new EmbError(
        'range',
        `${this.#name}: byte ${start} is asked for, expected at least ${this.#position}`,
      );
    }
    while (this.#position < start && (await this.#advance())) this.#take(start - this.#position);
    const count = this.#position < start ? 0 : await this.fill(into.subarray(0, end - start));
    if (count < end - start) {
      throw new EmbError(
        'corrupt',
        `${this.#name}: ends at byte ${this.#position}, expected at least ${end} bytes`,
      );
    }
  }

  async readMany(spans: Float64Array, into: Uint8Array): Promise<void> {
    for (let at = 0; at < spans.length; at += 3) {
      await this.read(spans[at], spans[at + 1], into.subarray(spans[at + 2]));
    }
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  /** False at the end. */
  async #advance(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#pieces.next();
      if (done === true) return false;
      this.#rest = value;
    }
    return true;
  }

  #take(most: number): Uint8Array {
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    this.#position += part.length;
    return part;
  }
}
