import { EmbError } from '../errors.ts';
import type { RemoteFile } from './http-file.ts';
import { type Attempts, Interruption } from './retry.ts';

/** Answers with less than this, again and again, are no progress. */
const leastProgress = 4096;

/**
 * The bytes of one range in order, whatever happens to connections on the way: it goes on where a broken answer stopped.
 *
 * Bytes that nobody takes stay with the server: the connection waits.
 */
export class RangeStream {
  readonly #file: RemoteFile;
  readonly #signal: AbortSignal | undefined;
  readonly #attempts: Attempts;
  readonly end: number;
  #at: number;
  #chunks: AsyncGenerator<Uint8Array> | undefined;
  #rest: Uint8Array = new Uint8Array(0);
  /** Bytes that came since the last failure. */
  #progress = 0;

  constructor(file: RemoteFile, start: number, end: number, signal?: AbortSignal) {
    this.#file = file;
    this.#at = start;
    this.end = end;
    this.#signal = signal;
    this.#attempts = file.network.attempts(file.name);
  }

  /** Where the next byte is from. */
  get at(): number {
    return this.#at;
  }

  /** Fills target with the next bytes. @throws EmbError when they cannot be had */
  async take(target: Uint8Array): Promise<void> {
    for (let done = 0; done < target.length; ) {
      if (this.#rest.length === 0) await this.#pull();
      const count = Math.min(this.#rest.length, target.length - done);
      target.set(this.#rest.subarray(0, count), done);
      this.#rest = this.#rest.subarray(count);
      this.#at += count;
      done += count;
    }
    if (this.#at === this.end) await this.close();
  }

  /** Gets the next chunk, from a new request when there is none under way. */
  async #pull(): Promise<void> {
    while (this.#rest.length === 0) {
      try {
        this.#chunks ??= (await this.#file.range(this.#at, this.end, this.#signal))?.chunks;
        const next = await this.#chunks?.next();
        if (next !== undefined && !next.done) {
          this.#rest = next.value;
          this.#progress += next.value.length;
          if (this.#progress >= leastProgress) this.#attempts.succeed();
          continue;
        }
        this.#chunks = undefined;
        if (this.#progress < leastProgress) {
          throw new Interruption(
            `answers of ${this.#progress} bytes where ${this.end - this.#at} are missing`,
          );
        }
        this.#progress = 0;
      } catch (error) {
        this.#chunks = undefined;
        this.#progress = 0;
        if (this.#signal?.aborted) throw new EmbError('range', `${this.#file.name}: is closed`);
        await this.#attempts.pause(error);
      }
    }
  }

  /** Lets the connection go: kept when the answer is at its end, closed otherwise. */
  async close(): Promise<void> {
    const chunks = this.#chunks;
    this.#chunks = undefined;
    if (chunks === undefined) return;
    try {
      if (this.#at === this.end) await chunks.next();
      await chunks.return(undefined);
    } catch (error) {
      // Every byte is here; how its connection ends is of no interest.
      if (!(error instanceof Interruption)) throw error;
    }
  }
}
