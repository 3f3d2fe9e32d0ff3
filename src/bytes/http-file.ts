import { EmbError } from '../errors.ts';
import type { Answer } from './http-connection.ts';
import { type Identity, identityOf, isSame, readContentRange, strongTag } from './http-identity.ts';
import { type Followed, type Network, readWhole, refuseEncoded } from './http-network.ts';
import type { HttpTarget } from './http-url.ts';
import { Interruption } from './retry.ts';

/** A file that comes whole because its server knows no ranges is taken up to this. */
export const mostWhole = 64 * 1024 * 1024;

/** Bytes from `start` up to `end` at most, as they come. */
export interface Part {
  chunks: AsyncGenerator<Uint8Array>;
}

/** What a remote file is opened with. */
export interface RemoteFileOptions {
  /** As the user would name it, for errors. */
  name: string;
  target: HttpTarget;
  network: Network;
  /** Known from elsewhere: a listing, the cache. Answers must agree with it. */
  identity?: Identity;
  /** The hub's commit that every answer must be of, shared by the files of a repository: the first answer sets it. */
  pin?: { commit?: string };
  /** Says what a refusal means, where the caller knows better than "answers 403". */
  explain?: (answer: Refusal) => EmbError | undefined;
  /** Called when an answer is of another content than what is known. */
  onChange?: () => void;
}

/** An answer that gives nothing. */
export interface Refusal {
  status: number;
  host: string;
  headers: Answer['headers'];
}

/** One file on a server: asks for its ranges and holds every answer against what is known of it. */
export class RemoteFile {
  readonly name: string;
  identity: Identity | undefined;
  /** All of it, when the server sends nothing less. */
  whole: Uint8Array | undefined;
  readonly #options: RemoteFileOptions;
  /** Where redirects led: later ranges go there directly. */
  #last: HttpTarget | undefined;

  constructor(options: RemoteFileOptions) {
    this.name = options.name;
    this.identity = options.identity;
    this.#options = options;
  }

  get network(): Network {
    return this.#options.network;
  }

  /** False until an answer came: then many requests at once would each be redirected. */
  get isFound(): boolean {
    return this.#last !== undefined;
  }

  /**
   * Asks for start..end. The first answer may be shorter than asked, and so may any.
   *
   * @param known an entity tag: the answer may be that nothing changed, and then there is no part
   * @throws EmbError "corrupt" when the file is not what it was, "unsupported" for a large file whole, "missing" as refused
   */
  async range(start: number, end: number, signal?: AbortSignal, known?: string): Promise<Part | undefined> {
    const headers: Record<string, string> = { range: `bytes=${start}-${end - 1}` };
    const tag = strongTag(this.identity);
    if (known !== undefined) headers['if-none-match'] = known;
    else if (tag !== undefined && this.#last !== undefined) headers['if-range'] = tag;
    const { answer, first, last } = await this.#ask(headers, signal);
    if (answer.status === 304 && known !== undefined) {
      answer.discard();
      this.#last = last;
      return undefined;
    }
    if (answer.status === 416) return this.#beyond(answer, first, start);
    if (answer.status !== 200 && answer.status !== 206) throw this.#refused(answer, first);
    refuseEncoded(answer, this.name);
    this.#last = last;
    this.#checkCommit(answer, first);
    return answer.status === 206
      ? this.#part(answer, first, start, end)
      : this.#all(answer, first, start, end);
  }

  async #ask(headers: Record<string, string>, signal?: AbortSignal): Promise<Followed> {
    const { target, network } = this.#options;
    const followed = await network.follow(this.#last ?? target, headers, this.name, signal);
    const { status } = followed.answer;
    if (this.#last === undefined || this.#last.url === target.url || ![401, 403, 404, 410].includes(status)) {
      return followed;
    }
    // A signed URL that has run out: the first host gives another.
    followed.answer.discard();
    this.#last = undefined;
    return network.follow(target, headers, this.name, signal);
  }

  #part(answer: Answer, first: Answer['headers'], start: number, end: number): Part {
    const header = answer.headers['content-range'];
    const range = readContentRange(header);
    if (range === undefined || !('start' in range) || range.start !== start || range.end > end) {
      answer.discard();
      const got = header === undefined ? 'no Content-Range' : `"${header.slice(0, 80)}"`;
      throw new EmbError(
        'corrupt',
        `${this.name}: ${answer.url.host} answers with ${got}, expected bytes ${start}-${end - 1}`,
        'the server or a proxy on the way breaks byte ranges: download the file',
      );
    }
    this.#learn(answer, first, range.total);
    return { chunks: limited(answer, range.end - range.start, answer.url.host) };
  }

  /** The server sends the whole file whatever is asked for: taken when it is small. */
  async #all(answer: Answer, first: Answer['headers'], start: number, end: number): Promise<Part> {
    const length = answer.length ?? this.identity?.byteLength;
    if (length !== undefined) this.#learn(answer, first, length);
    if (length === undefined || length <= mostWhole) {
      this.whole = await readWhole(answer, mostWhole, this.name).catch((error) => {
        const isLong = error instanceof EmbError && error.code === 'unsupported';
        throw isLong ? this.#noRanges(`more than ${mostWhole}`, start, end) : error;
      });
      this.#learn(answer, first, this.whole.length);
      return { chunks: once(this.whole.subarray(start, end)) };
    }
    answer.discard();
    throw this.#noRanges(length, start, end);
  }

  #noRanges(length: number | string, start: number, end: number): EmbError {
    return new EmbError(
      'unsupported',
      `${this.name}: the server sends all ${length} bytes where ${end - start} were asked for, expected byte ranges`,
      'it does not serve parts of files: download the file and name its path',
    );
  }

  #beyond(answer: Answer, first: Answer['headers'], start: number): Part {
    answer.discard();
    const total = readContentRange(answer.headers['content-range'])?.total;
    if (start === 0 && total === 0 && (this.identity?.byteLength ?? 0) === 0) {
      this.#learn(answer, first, 0);
      return { chunks: once(new Uint8Array(0)) };
    }
    if (this.identity === undefined) {
      return this.#fail(`${answer.url.host} answers 416 for bytes from ${start} on, expected some`);
    }
    return this.#changed(`it has ${total ?? 'fewer'} bytes`, `${this.identity.byteLength}`);
  }

  /** Holds an answer against what is known; what it says first is known from then on. */
  #learn(answer: Answer, first: Answer['headers'], total: number): void {
    const said = identityOf(answer, first, total);
    const known = this.identity;
    if (known !== undefined && !isSame(known, said)) {
      answer.discard();
      if (known.byteLength !== total) this.#changed(`it has ${total} bytes`, `${known.byteLength}`);
      this.#changed(`its tag is ${said.linkedEtag ?? said.etag}`, `${known.linkedEtag ?? known.etag}`);
    }
    // The host that sends the bytes may be another one than last time, with tags of its own.
    this.identity = {
      byteLength: total,
      etag: said.etag ?? known?.etag,
      lastModified: said.lastModified ?? known?.lastModified,
      linkedEtag: said.linkedEtag ?? known?.linkedEtag,
    };
  }

  #checkCommit(answer: Answer, first: Answer['headers']): void {
    const { pin } = this.#options;
    const said = first['x-repo-commit'];
    if (pin === undefined || said === undefined) return;
    pin.commit ??= said;
    if (said === pin.commit) return;
    answer.discard();
    this.#changed(`it is of commit ${said}`, pin.commit);
  }

  #changed(is: string, was: string): never {
    this.#options.onChange?.();
    throw new EmbError(
      'corrupt',
      `${this.name}: changed while it was read: ${is.slice(0, 120)}, expected ${was.slice(0, 120)}`,
      'run it again',
    );
  }

  #fail(what: string): never {
    throw new EmbError('corrupt', `${this.name}: ${what}`);
  }

  #refused(answer: Answer, first: Answer['headers']): EmbError {
    answer.discard();
    const { status } = answer;
    const { host } = answer.url;
    const explained = this.#options.explain?.({ status, host, headers: { ...answer.headers, ...first } });
    if (explained !== undefined) return explained;
    if (status === 404 || status === 410) {
      return new EmbError('missing', `${this.name}: ${host} has no such file (${status})`, 'check the URL');
    }
    if (status === 401 || status === 403) {
      return new EmbError(
        'missing',
        `${this.name}: ${host} does not give it to us (${status})`,
        'the file is private, or a signed URL has run out',
      );
    }
    return new EmbError('missing', `${this.name}: ${host} answers ${status}, expected 206`);
  }
}

/** The first `count` bytes of a body; more than that is not read. @throws Interruption when it ends before them */
async function* limited(answer: Answer, count: number, host: string): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of answer.chunks()) {
    yield chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= Math.min(left, chunk.length);
    // With a length the body ends here by itself, and its connection can be used again.
    if (left === 0 && answer.length !== count) return;
  }
  if (left > 0) throw new Interruption(`${host} ends after ${count - left} of ${count} bytes`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
