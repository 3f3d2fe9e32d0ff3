import { EmbError } from '../errors.ts';
import type { ByteSource } from '../types.ts';
import type { CachedFile } from './cache.ts';
import { RemoteFile, type RemoteFileOptions } from './http-file.ts';
import { fillExactly, ScanStream } from './http-scan.ts';
import { Segments } from './http-segments.ts';
import { RangeStream } from './http-stream.ts';
import { mergeRanges } from './ranges.ts';

/** The first request of a file: most headers and configs are shorter, and none of them is then asked for twice. */
const firstBytes = 64 * 1024;

/** A header that is read on is read ahead by as much as was read, up to this. */
const mostAhead = 4 * 1024 * 1024;

/** Unwanted bytes that cost less than another request. */
const gapBytes = 64 * 1024;

/** Longest merged range: another connection can take the next one. */
const longestMerged = 4 * 1024 * 1024;

/** Requests at a time; hubs count them. */
const mostParallel = 6;

/** Memory that is taken before the bytes for it have come. */
const unearned = 1024 * 1024;

/** How a remote file is opened. */
export interface HttpOptions extends Omit<RemoteFileOptions, 'onChange'> {
  /** Name of the file in the disk cache; absent: it is not cached. */
  cacheKey?: string;
  /** The key names one content for all time (a commit): what is cached needs no question to the server. */
  isPinned?: boolean;
}

/**
 * Opens one file on a server, to be read by byte ranges.
 *
 * Cost: one request for the first 64 KiB, which is kept; none when size or content are known (options.identity, a pinned entry in
 * the cache); an answer without body when the cached entry is still right.
 * @throws EmbError "missing", "corrupt" or "unsupported", without the URL's query, password or token
 */
export async function openHttp(options: HttpOptions): Promise<HttpSource> {
  const { network, cacheKey, isPinned } = options;
  let cached = cacheKey === undefined ? undefined : network.cache?.read(cacheKey);
  const known = options.identity;
  // A size from elsewhere that the cache contradicts: the entry is of something else.
  if (known !== undefined && known.byteLength !== cached?.byteLength) cached = undefined;
  const file = new RemoteFile({
    ...options,
    identity: (isPinned ? cached && identityIn(cached) : undefined) ?? known,
    onChange: () => {
      if (cacheKey !== undefined) network.cache?.remove(cacheKey);
    },
  });
  const segments = new Segments();
  const isCurrent = file.identity === undefined ? await learn(file, segments, cached) : isPinned === true;
  if (isCurrent && cached !== undefined) {
    file.identity ??= identityIn(cached);
    for (const { start, bytes } of cached.segments) segments.add(start, bytes);
  }
  return new HttpSource(file, segments, cacheKey, isCurrent ? segments.byteLength : 0);
}

function identityIn({ segments: _, ...identity }: CachedFile) {
  return identity;
}

/** The first request: size, validators and the first bytes. True when the server says that what is cached is still right. */
async function learn(file: RemoteFile, segments: Segments, cached: CachedFile | undefined): Promise<boolean> {
  const attempts = file.network.attempts(file.name);
  for (;;) {
    try {
      const part = await file.range(0, firstBytes, undefined, cached?.etag);
      if (part === undefined) return true;
      const parts: Uint8Array[] = [];
      for await (const chunk of part.chunks) parts.push(chunk);
      segments.add(0, Buffer.concat(parts));
      return false;
    } catch (error) {
      await attempts.pause(error);
    }
  }
}

/** Bytes of a file on a server. What is read without a buffer (headers, small files) is kept in memory and in the disk cache. */
export class HttpSource implements ByteSource {
  readonly name: string;
  readonly #file: RemoteFile;
  readonly #segments: Segments;
  readonly #cacheKey: string | undefined;
  /** Bytes that the disk cache's entry has. */
  #saved: number;
  /** The last of the reads that keep what they get: one at a time, or two would bring the same. */
  #keeping: Promise<unknown> = Promise.resolve();
  readonly #scan: ScanStream;
  readonly #stop = new AbortController();

  /** Use openHttp. */
  constructor(file: RemoteFile, segments: Segments, cacheKey: string | undefined, saved: number) {
    this.name = file.name;
    this.#file = file;
    this.#segments = segments;
    this.#cacheKey = cacheKey;
    this.#saved = saved;
    this.#scan = new ScanStream(file, () => this.#signal());
  }

  get byteLength(): number {
    return this.#file.identity?.byteLength ?? 0;
  }

  async read(start: number, end: number, into?: Uint8Array): Promise<Uint8Array> {
    const length = end - start;
    this.#check(start, end, into === undefined ? undefined : length, into);
    const here = this.#view(start, end);
    if (into !== undefined) {
      const target = into.subarray(0, length);
      if (here === undefined) await this.#scan.fill(target, start, this.byteLength);
      else target.set(here);
      return target;
    }
    if (here !== undefined) return here;
    if (this.#segments.hasRoom(length + mostAhead)) {
      const kept = this.#keeping.then(() => this.#keep(start, end));
      this.#keeping = kept.catch(() => {});
      await kept;
      const view = this.#view(start, end);
      if (view !== undefined) return view;
    }
    if (length > unearned) return this.#fetch(start, end);
    const target = new Uint8Array(length);
    await this.#scan.fill(target, start, this.byteLength);
    return target;
  }

  async readMany(spans: Float64Array, into: Uint8Array): Promise<void> {
    const wanted: { start: number; end: number; place: number }[] = [];
    for (let at = 0; at < spans.length; at += 3) {
      const [start, end, place] = spans.subarray(at, at + 3);
      this.#check(start, end, place + end - start, into);
      const here = this.#view(start, end);
      if (here !== undefined) into.set(here, place);
      else wanted.push({ start, end, place });
    }
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#stop.signal]);
    await inParallel(
      mergeRanges(wanted, gapBytes, longestMerged),
      // The first answer finds the way through redirects; the others then go there directly.
      () => this.#file.isFound,
      async ({ start, end, members }) => {
        const [alone] = members.length === 1 ? [wanted[members[0]]] : [];
        const bytes = alone
          ? into.subarray(alone.place, alone.place + end - start)
          : new Uint8Array(end - start);
        await fillExactly(this.#file, bytes, start, signal);
        if (alone) return;
        for (const member of members) {
          const span = wanted[member];
          into.set(bytes.subarray(span.start - start, span.end - start), span.place);
        }
      },
      // One failure ends the others.
    ).finally(() => stop.abort());
  }

  async close(): Promise<void> {
    this.#save();
    this.#stop.abort();
    await this.#scan.close();
  }

  #check(start: number, end: number, room: number | undefined, into: Uint8Array | undefined): void {
    if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end)) {
      throw new EmbError('range', `${this.name}: bytes ${start}..${end} are no range`);
    }
    if (end > this.byteLength) {
      throw new EmbError(
        'corrupt',
        `${this.name}: byte ${end} is asked for, expected at most ${this.byteLength}`,
        'the file may be truncated: compare its size with the published one',
      );
    }
    if (room !== undefined && into !== undefined && !(room >= end - start && room <= into.length)) {
      throw new EmbError('range', `${this.name}: buffer is ${into.length} bytes, expected at least ${room}`);
    }
    if (this.#stop.signal.aborted) throw new EmbError('range', `${this.name}: is closed`);
  }

  /** Bytes that are here already. */
  #view(start: number, end: number): Uint8Array | undefined {
    if (start === end) return new Uint8Array(0);
    return this.#file.whole?.subarray(start, end) ?? this.#segments.view(start, end);
  }

  /** Gets what is missing of start..end, and some ahead where a header is read on, and keeps it. */
  async #keep(start: number, end: number): Promise<void> {
    for (let at = start; at < end; ) {
      const before = this.#segments.before(at);
      at = before.end;
      if (at >= end) break;
      const ahead = at === 0 ? firstBytes : Math.min(before.length, mostAhead);
      const next = this.#segments.nextStart(at, this.byteLength);
      const stop = Math.min(next, Math.max(end, at + ahead));
      const bytes = await this.#fetch(at, stop);
      if (this.#file.whole !== undefined) break;
      this.#segments.add(at, bytes);
      at = stop;
    }
    if (this.#segments.byteLength === this.byteLength || this.#file.whole !== undefined) this.#save();
  }

  /** Exactly start..end, in memory that grows with what comes. */
  async #fetch(start: number, end: number): Promise<Uint8Array> {
    const stream = new RangeStream(this.#file, start, end, this.#signal());
    try {
      let bytes = new Uint8Array(Math.min(end - start, unearned));
      await stream.take(bytes);
      while (bytes.length < end - start) {
        const more = new Uint8Array(Math.min(end - start, 2 * bytes.length));
        more.set(bytes);
        await stream.take(more.subarray(bytes.length));
        bytes = more;
      }
      return bytes;
    } finally {
      await stream.close();
    }
  }

  /** One for each stream: a signal complains of many listeners, and many reads may be under way. */
  #signal(): AbortSignal {
    return AbortSignal.any([this.#stop.signal]);
  }

  #save(): void {
    const { whole, identity, network } = this.#file;
    const segments = whole === undefined ? this.#segments.list : [{ start: 0, bytes: whole }];
    const size = whole?.length ?? this.#segments.byteLength;
    if (this.#cacheKey === undefined || identity === undefined || size <= this.#saved) return;
    network.cache?.write(this.#cacheKey, { ...identity, segments: [...segments] });
    this.#saved = size;
  }
}

/** Calls work for every item, a few at a time; one alone first while isReady is false. The first failure is thrown. */
async function inParallel<Item>(
  items: readonly Item[],
  isReady: () => boolean,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  if (items.length > 0 && !isReady()) await work(items[next++]);
  const worker = async () => {
    while (next < items.length) await work(items[next++]);
  };
  await Promise.all(Array.from({ length: Math.min(mostParallel, items.length - next) }, worker));
}
