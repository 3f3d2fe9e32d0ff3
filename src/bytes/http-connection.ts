import { Agent, type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { Environment } from '../types.ts';
import { connectionError } from './http-errors.ts';
import { type ProxyServer, proxyFor } from './proxy.ts';
import { Interruption } from './retry.ts';

/** How long a server may be silent. Milliseconds. */
export interface Timeouts {
  /** Until a connection stands: name, TCP, proxy, TLS. */
  connect: number;
  /** Between two signs of life. */
  silence: number;
}

/** Slower than this on average is a stall too: a byte now and then must not hold us forever. Bytes a second. */
const slowest = 1024;

/** Time that every body has, however short. Milliseconds. */
const leastTime = 60_000;

/** A redirect's body is read to keep its connection, up to this. */
const worthDraining = 16 * 1024;

/** One answer: its head is read, its body not yet. */
export class Answer {
  readonly status: number;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly #message: IncomingMessage;
  readonly #request: ClientRequest;
  readonly #silence: number;
  readonly #name: string;

  constructor(url: URL, name: string, request: ClientRequest, message: IncomingMessage, silence: number) {
    this.url = url;
    this.status = message.statusCode ?? 0;
    this.headers = Object.fromEntries(
      Object.entries(message.headers).map(([key, value]) => [
        key,
        Array.isArray(value) ? value.join(', ') : value,
      ]),
    );
    this.#name = name;
    this.#request = request;
    this.#message = message;
    this.#silence = silence;
  }

  /** Content-Length; undefined when the answer does not say it. */
  get length(): number | undefined {
    const text = this.headers['content-length'];
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  }

  /**
   * The body. Leaving the loop early closes the connection; the clock stands still between two chunks.
   *
   * @throws Interruption when it breaks off or stalls
   */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const { host } = this.url;
    const message = this.#message;
    const iterator = message[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    let received = 0;
    let waited = 0;
    let whole = false;
    let stall: Interruption | undefined;
    try {
      for (;;) {
        const before = Date.now();
        const timer = setTimeout(() => {
          stall = new Interruption(`${host} sends nothing for ${this.#silence / 1000} s`);
          this.#request.destroy();
        }, this.#silence);
        const next = await iterator.next().finally(() => clearTimeout(timer));
        if (next.done) break;
        waited += Date.now() - before;
        received += next.value.length;
        if (waited > leastTime && received / slowest < waited / 1000) {
          throw new Interruption(`${host} sends ${received} bytes in ${Math.round(waited / 1000)} s`);
        }
        yield next.value;
      }
      if (this.length !== undefined && received < this.length) {
        throw new Interruption(`${host} ends after ${received} of ${this.length} bytes`);
      }
      whole = true;
    } catch (error) {
      throw stall ?? bodyError(error, this.#name, host, received, this.length);
    } finally {
      if (!whole) this.discard();
    }
  }

  /** Ends it unread. A short body is drained, so that the connection can be used again. */
  discard(): void {
    if (this.length !== undefined && this.length <= worthDraining && !this.#message.readableFlowing) {
      this.#message.setTimeout(this.#silence, () => this.#request.destroy());
      this.#message.resume();
    } else {
      this.#request.destroy();
    }
  }
}

function bodyError(
  error: unknown,
  name: string,
  host: string,
  received: number,
  length: number | undefined,
): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET') {
    const expected = length === undefined ? '' : ` of ${length}`;
    return new Interruption(`${host} breaks off after ${received}${expected} bytes`);
  }
  return connectionError(error, name, host, false);
}

/** Sends requests over kept connections, through proxies where the environment names them. */
export class Connections {
  readonly #env: Environment;
  readonly #timeouts: Timeouts;
  readonly #agents = new Map<string, Agent>();

  constructor(env: Environment, timeouts: Timeouts) {
    this.#env = env;
    this.#timeouts = timeouts;
  }

  /**
   * Sends one GET and gives the head of its answer; redirects are not followed.
   *
   * @throws Interruption, or EmbError "missing" when another try would not help
   */
  async send(url: URL, headers: Record<string, string>, name: string, signal?: AbortSignal): Promise<Answer> {
    const { connect, silence } = this.#timeouts;
    const { request, host } = await this.#request(url, headers);
    const secure = url.protocol === 'https:';
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const wait = (milliseconds: number, what: string) => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          // Rejected here: a request that has no connection yet would not say that it was destroyed.
          reject(new Interruption(`${host} ${what} for ${milliseconds / 1000} s`));
          request.destroy();
        }, milliseconds);
      };
      wait(connect, 'does not take a connection');
      // Not http's own option: that binds the connection, which others use later, to this signal for good.
      const stop = () => {
        clearTimeout(timer);
        reject(new Interruption(`${host} is not asked any more`));
        request.destroy();
      };
      if (signal?.aborted) stop();
      signal?.addEventListener('abort', stop, { once: true });
      request.on('close', () => signal?.removeEventListener('abort', stop));
      request.on('socket', (socket) => {
        const stands = () => wait(silence, 'answers nothing');
        if (socket.connecting) socket.once(secure ? 'secureConnect' : 'connect', stands);
        else stands();
      });
      request.on('error', (error) => {
        clearTimeout(timer);
        reject(connectionError(error, name, host, request.reusedSocket));
      });
      request.on('response', (message) => {
        clearTimeout(timer);
        // Heard by whoever reads the body; without a listener it would end the process.
        message.on('error', () => {});
        resolve(new Answer(url, name, request, message, silence));
      });
      request.end();
    });
  }

  /** host: who is talked to, for errors. */
  async #request(
    url: URL,
    headers: Record<string, string>,
  ): Promise<{ request: ClientRequest; host: string }> {
    const proxy = proxyFor(url, this.#env);
    const options: RequestOptions = { method: 'GET', headers };
    const { host } = url;
    if (url.protocol === 'https:') {
      const { request } = await import('node:https');
      return { request: request(url, { ...options, agent: await this.#secureAgent(proxy) }), host };
    }
    if (proxy === undefined) {
      return { request: plainRequest(url, { ...options, agent: this.#plainAgent() }), host };
    }
    const { requestThrough } = await import('./proxy-request.ts');
    const request = requestThrough(proxy, url, options, this.#agents);
    return { request, host: `proxy ${proxy.url.host}` };
  }

  #plainAgent(): Agent {
    return kept(this.#agents, 'http:', () => new Agent({ keepAlive: true }));
  }

  async #secureAgent(proxy: ProxyServer | undefined): Promise<Agent> {
    if (proxy === undefined) {
      const { Agent: SecureAgent } = await import('node:https');
      return kept(this.#agents, 'https:', () => new SecureAgent({ keepAlive: true }));
    }
    const { TunnelAgent } = await import('./proxy-request.ts');
    const { connect } = this.#timeouts;
    return kept(this.#agents, `tunnel ${proxy.url.href}`, () => new TunnelAgent(proxy, connect));
  }
}

/** The entry of a map, made when it is missing. */
export function kept<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
