import { EmbError } from '../errors.ts';
import type { Environment } from '../types.ts';
import { DiskCache } from './cache.ts';
import { type Answer, Connections } from './http-connection.ts';
import { type HttpTarget, shownUrl } from './http-url.ts';
import { Attempts, defaultPatience, Interruption, type Patience, readRetryAfter } from './retry.ts';

/** Hops that a request may take: the hub needs two. */
const mostRedirects = 5;

/** Milliseconds; EMB_HTTP_TIMEOUT (seconds) sets both. */
const defaultTimeouts = { connect: 10_000, silence: 20_000 };

const redirects = [301, 302, 303, 307, 308];

/** Answers that another try may better. */
const passing = [408, 425, 429, 500, 502, 503, 504];

/** Where an answer came from, and what the first host said on the way. */
export interface Followed {
  answer: Answer;
  /** The last hop, to be asked directly the next time. */
  last: HttpTarget;
  /** Headers of the first host: of its redirect or of the answer itself. */
  first: Answer['headers'];
}

/** Everything that a run needs to ask servers: connections, proxies, patience, the cache on disk. */
export class Network {
  readonly env: Environment;
  readonly note: (message: string) => void;
  readonly #patience: Patience;
  readonly #connections: Connections;
  #cache: DiskCache | null | undefined;

  constructor(env: Environment, note: (message: string) => void, patience: Partial<Patience> = {}) {
    this.env = env;
    this.note = note;
    this.#patience = { ...defaultPatience, ...patience };
    this.#connections = new Connections(env, readTimeouts(env));
  }

  /** The cache on disk; undefined when its folder cannot be used, which is said once. */
  get cache(): DiskCache | undefined {
    if (this.#cache === undefined) this.#cache = DiskCache.open(this.env, this.note) ?? null;
    return this.#cache ?? undefined;
  }

  attempts(name: string): Attempts {
    return new Attempts(name, this.#patience, this.note);
  }

  /**
   * Sends a GET and follows its redirects by hand: Authorization goes to the first origin only, and never again once another was asked.
   *
   * @throws EmbError "missing" for a redirect from https to http, to no URL, or one too many
   * @throws Interruption for broken connections and answers that may pass (429, 5xx)
   */
  async follow(
    target: HttpTarget,
    headers: Record<string, string>,
    name: string,
    signal?: AbortSignal,
  ): Promise<Followed> {
    let { url, authorization } = target;
    const { origin } = url;
    let first: Answer['headers'] = {};
    for (let hops = 0; ; hops++) {
      const sent = { 'user-agent': 'emb', accept: '*/*', 'accept-encoding': 'identity', ...headers };
      const answer = await this.#connections.send(
        url,
        authorization === undefined ? sent : { ...sent, authorization },
        name,
        signal,
      );
      if (url.origin === origin) first = { ...first, ...answer.headers };
      const { location } = answer.headers;
      if (!redirects.includes(answer.status) || location === undefined) {
        if (passing.includes(answer.status)) throw interruption(answer);
        return { answer, first, last: authorization === undefined ? { url } : { url, authorization } };
      }
      answer.discard();
      if (hops === mostRedirects) {
        throw new EmbError('missing', `${name}: is redirected more than ${mostRedirects} times`);
      }
      url = nextHop(url, location, name);
      if (url.origin !== origin) authorization = undefined;
    }
  }

  /**
   * A whole small answer, such as JSON of an API.
   *
   * @param accept statuses whose body is wanted; another one is answered without it
   * @throws EmbError "unsupported" when it is longer than limit bytes
   */
  async fetchWhole(
    target: HttpTarget,
    name: string,
    limit: number,
  ): Promise<{ status: number; headers: Answer['headers']; body: Uint8Array }> {
    const attempts = this.attempts(name);
    for (;;) {
      try {
        const { answer, first } = await this.follow(target, {}, name);
        if (answer.status !== 200) {
          answer.discard();
          return { status: answer.status, headers: first, body: new Uint8Array(0) };
        }
        refuseEncoded(answer, name);
        return { status: 200, headers: first, body: await readWhole(answer, limit, name) };
      } catch (error) {
        await attempts.pause(error);
      }
    }
  }
}

/** The body of an answer in memory that grows with what comes, never with what is announced. @throws EmbError "unsupported" beyond limit */
export async function readWhole(answer: Answer, limit: number, name: string): Promise<Uint8Array> {
  const tooLong = (length: number | string) =>
    new EmbError(
      'unsupported',
      `${name}: ${answer.url.host} sends ${length} bytes, expected at most ${limit}`,
    );
  if (answer.length !== undefined && answer.length > limit) {
    answer.discard();
    throw tooLong(answer.length);
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.chunks()) {
    length += chunk.length;
    if (length > limit) throw tooLong(`more than ${limit}`);
    parts.push(chunk);
  }
  return Buffer.concat(parts, length);
}

/** Bytes of a compressed answer are not the file's. @throws EmbError "unsupported" naming the encoding */
export function refuseEncoded(answer: Answer, name: string): void {
  const encoding = answer.headers['content-encoding'];
  if (encoding === undefined || encoding === '' || encoding.toLowerCase() === 'identity') return;
  answer.discard();
  throw new EmbError(
    'unsupported',
    `${name}: ${answer.url.host} answers in the encoding ${JSON.stringify(encoding)}, expected identity`,
    'download the file and name its path',
  );
}

function interruption(answer: Answer): Interruption {
  const { status, headers, url } = answer;
  answer.discard();
  // The hub names the seconds until its limit is reset: RateLimit: "api";r=0;t=55
  const reset = status === 429 ? /;\s*t=(\d{1,6})\b/.exec(headers.ratelimit ?? '')?.[1] : undefined;
  const asked = readRetryAfter(headers['retry-after'] ?? reset);
  return new Interruption(
    `${url.host} answers ${status}${status === 429 ? ', too many requests' : ''}`,
    asked,
  );
}

function nextHop(from: URL, location: string, name: string): URL {
  let next: URL;
  try {
    next = new URL(location, from);
  } catch {
    // The one error of new URL(): not a URL.
    throw new EmbError('missing', `${name}: ${from.host} redirects to what is no URL`);
  }
  const isWeb = next.protocol === 'https:' || next.protocol === 'http:';
  if (!isWeb || (from.protocol === 'https:' && next.protocol !== 'https:')) {
    throw new EmbError(
      'missing',
      `${name}: ${from.host} redirects from ${from.protocol} to ${isWeb ? shownUrl(next) : next.protocol}, expected https:`,
    );
  }
  next.username = '';
  next.password = '';
  next.hash = '';
  return next;
}

function readTimeouts(env: Environment): { connect: number; silence: number } {
  const value = env.EMB_HTTP_TIMEOUT;
  if (!value) return defaultTimeouts;
  const seconds = Number(value);
  if (!(seconds > 0 && seconds <= 3600)) {
    throw new EmbError('usage', `EMB_HTTP_TIMEOUT is "${value}", expected seconds in 0..3600`);
  }
  return { connect: seconds * 1000, silence: seconds * 1000 };
}
