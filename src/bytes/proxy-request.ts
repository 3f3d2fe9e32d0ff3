import { Agent, type ClientRequest, request as plainRequest, type RequestOptions } from 'node:http';
import {
  Agent as SecureAgent,
  type RequestOptions as SecureOptions,
  request as secureRequest,
} from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';
import { EmbError } from '../errors.ts';
import { kept } from './http-connection.ts';
import type { ProxyServer } from './proxy.ts';
import { Interruption } from './retry.ts';

/** As Node has it: without a socket when there is an error. */
type Done = (error: Error | null, socket: Duplex) => void;

/** An http request through a proxy: the proxy is asked for the whole URL. */
export function requestThrough(
  proxy: ProxyServer,
  url: URL,
  options: RequestOptions,
  agents: Map<string, Agent>,
): ClientRequest {
  const headers = { ...options.headers, host: url.host, ...authorizationFor(proxy) };
  const isSecure = proxy.url.protocol === 'https:';
  const agent = kept(agents, `proxy ${proxy.url.protocol}`, () =>
    isSecure ? new SecureAgent({ keepAlive: true }) : new Agent({ keepAlive: true }),
  );
  const send = isSecure ? secureRequest : plainRequest;
  return send(proxy.url, { ...options, headers, path: url.href, agent });
}

/** Makes https connections through a proxy: CONNECT, then TLS to the far host inside. */
export class TunnelAgent extends SecureAgent {
  readonly #proxy: ProxyServer;
  readonly #timeout: number;

  constructor(proxy: ProxyServer, timeout: number) {
    super({ keepAlive: true });
    this.#proxy = proxy;
    this.#timeout = timeout;
  }

  // Node calls it with the options of tls.connect and takes the socket from the callback.
  override createConnection(options: SecureOptions & ConnectionOptions, callback: Done): undefined {
    const { url } = this.#proxy;
    const far = `${(options.host ?? '').includes(':') ? `[${options.host}]` : options.host}:${options.port}`;
    const headers = { host: far, ...authorizationFor(this.#proxy) };
    const send = url.protocol === 'https:' ? secureRequest : plainRequest;
    const request = send(url, { method: 'CONNECT', path: far, headers, agent: false });
    let isDone = false;
    const done = (error: Error | null, socket?: Duplex) => {
      if (!isDone) callback(error, socket as Duplex);
      isDone = true;
    };
    request.setTimeout(this.#timeout, () => {
      request.destroy(new Interruption(`proxy ${url.host} answers nothing for ${this.#timeout / 1000} s`));
    });
    request.on('error', (error) => done(proxyError(error, url)));
    request.on('connect', (response, socket) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        done(refusal(response.statusCode ?? 0, url, far));
        return;
      }
      socket.setTimeout(0);
      const secure = connect({ ...options, socket }, () => done(null, secure));
      secure.once('error', (error) => done(error));
    });
    request.end();
    return undefined;
  }
}

function authorizationFor({ authorization }: ProxyServer): Record<string, string> {
  return authorization === undefined ? {} : { 'proxy-authorization': authorization };
}

function refusal(status: number, url: URL, far: string): Error {
  const message = `proxy ${url.host} answers ${status} for ${far}`;
  if (status === 407)
    return new EmbError('missing', message, 'http://user:password@host:port in HTTPS_PROXY');
  if (status >= 500 || status === 429) return new Interruption(message);
  return new EmbError('missing', message, 'NO_PROXY names hosts that are asked directly');
}

function proxyError(error: Error, url: URL): Error {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ECONNREFUSED' && code !== 'ENOTFOUND') return error;
  const what = code === 'ENOTFOUND' ? 'is not found' : 'refuses the connection';
  return new EmbError(
    'missing',
    `proxy ${url.host} ${what}`,
    'HTTPS_PROXY and HTTP_PROXY name it, NO_PROXY goes around it',
  );
}
