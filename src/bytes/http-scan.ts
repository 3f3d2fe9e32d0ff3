import type { RemoteFile } from './http-file.ts';
import { RangeStream } from './http-stream.ts';

/** A scan streams windows that double with what it has read: it asks rarely, and leaves little unread when it stops. */
const windows = { least: 2 * 1024 * 1024, most: 64 * 1024 * 1024 };

/** Reads one piece after the other: pieces that follow each other in the file share long answers. */
export class ScanStream {
  readonly #file: RemoteFile;
  readonly #signal: () => AbortSignal;
  #stream: RangeStream | undefined;
  #isBusy = false;
  /** Bytes read one after the other. */
  #run = { start: 0, end: -1 };

  /** signal: makes one for each request. */
  constructor(file: RemoteFile, signal: () => AbortSignal) {
    this.#file = file;
    this.#signal = signal;
  }

  /** Fills target from start on; byteLength is where the file ends. */
  async fill(target: Uint8Array, start: number, byteLength: number): Promise<void> {
    if (this.#isBusy) return fillExactly(this.#file, target, start, this.#signal());
    this.#isBusy = true;
    try {
      if (this.#run.end !== start) this.#run = { start, end: start };
      for (let done = 0; done < target.length; ) {
        const stream = await this.#streamAt(start + done, target.length - done, byteLength);
        const count = Math.min(target.length - done, stream.end - stream.at);
        await stream.take(target.subarray(done, done + count));
        done += count;
      }
      this.#run.end = start + target.length;
    } finally {
      this.#isBusy = false;
    }
  }

  async close(): Promise<void> {
    await this.#stream?.close();
    this.#stream = undefined;
  }

  /** The stream that goes on at this byte; a new window when there is none. */
  async #streamAt(at: number, wanted: number, byteLength: number): Promise<RangeStream> {
    if (this.#stream?.at === at && at < this.#stream.end) return this.#stream;
    await this.#stream?.close();
    const read = at - this.#run.start;
    const window = read === 0 ? 0 : Math.min(windows.most, Math.max(windows.least, 2 * read));
    const end = Math.min(byteLength, at + Math.max(window, wanted));
    this.#stream = new RangeStream(this.#file, at, end, this.#signal());
    return this.#stream;
  }
}

/** Fills target from start on by a request for just that. */
export async function fillExactly(
  file: RemoteFile,
  target: Uint8Array,
  start: number,
  signal: AbortSignal,
): Promise<void> {
  const stream = new RangeStream(file, start, start + target.length, signal);
  try {
    await stream.take(target);
  } finally {
    await stream.close();
  }
}
