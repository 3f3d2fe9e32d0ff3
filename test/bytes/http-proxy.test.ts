import { readFileSync } from 'node:fs';
import { createServer as createPlain, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openHttp } from '../../src/bytes/http.ts';
import { Network } from '../../src/bytes/http-network.ts';
import { parseHttpUrl } from '../../src/bytes/http-url.ts';
import { proxyFor } from '../../src/bytes/proxy.ts';
import type { EmbError } from '../../src/errors.ts';
import { contentOf, send, serveRange } from '../support/hub-server.ts';

/** A key and a certificate for localhost that nobody trusts: openssl req -x509 -newkey ec -nodes -subj /CN=localhost. */
const pem = readFileSync('fixtures/hub/localhost.pem');
const bytes = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7919) >> 5);
const file = { content: contentOf(bytes), etag: '"1"', isLarge: false };

let plain: Server;
let secure: Server;
let proxy: Server;
/** Requests and tunnels as the proxy got them. */
let through: { method: string; target: string; headers: IncomingMessage['headers'] }[] = [];
let refusal: number | undefined;

const portOf = (server: Server) => (server.address() as AddressInfo).port;
const listen = (server: Server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

beforeAll(async () => {
  plain = createPlain((request, response) => serveRange(file, request, response));
  secure = createSecure({ key: pem, cert: pem }, (request, response) => {
    if (request.url !== '/down') return serveRange(file, request, response);
    send(response, 302, { location: `http://127.0.0.1:${portOf(plain)}/f` });
  });
  proxy = createPlain((request, response) => {
    through.push({ method: request.method!, target: request.url!, headers: request.headers });
    serveRange(file, request, response);
  });
  proxy.on('connect', (request, socket) => {
    through.push({ method: 'CONNECT', target: request.url!, headers: request.headers });
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal} No\r\n\r\n`);
      return;
    }
    const far = connect(portOf(secure), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      far.pipe(socket).pipe(far);
    });
    far.on('error', () => socket.destroy());
    socket.on('error', () => far.destroy());
  });
  for (const server of [plain, secure, proxy]) await listen(server);
});
afterAll(() => {
  for (const server of [plain, secure, proxy]) server.close();
});
beforeEach(() => {
  through = [];
  refusal = undefined;
  // Node reads it at every connection; the test's certificate is nobody's.
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
});
afterEach(() => {
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
});

function open(url: string, env: Record<string, string> = {}) {
  const network = new Network(env, () => {}, { sleep: async () => {}, attempts: 2 });
  return openHttp({ name: 'f', target: parseHttpUrl(url), network });
}
const failure = (work: Promise<unknown>) =>
  work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: EmbError) => error,
  );

describe('which proxy', () => {
  const env = { HTTPS_PROXY: 'http://secure:1', HTTP_PROXY: 'plain:2', NO_PROXY: '' };
  test.each([
    ['https://host/x', env, 'http://secure:1/'],
    ['http://host/x', env, 'http://plain:2/'],
    ['http://host/x', { ...env, http_proxy: 'http://lower:3' }, 'http://lower:3/'],
    ['https://host/x', { ALL_PROXY: 'https://all:4' }, 'https://all:4/'],
    ['https://host/x', { HTTP_PROXY: 'plain:2' }, undefined],
    ['https://host/x', { HTTPS_PROXY: '' }, undefined],
    ['https://host/x', {}, undefined],
  ])('%s with %j: %s', (url, variables, expected) => {
    expect(proxyFor(new URL(url), variables)?.url.href).toBe(expected);
  });

  test.each([
    ['https://host/x', '*', true],
    ['https://host/x', 'host', true],
    ['https://a.host/x', 'host', true],
    ['https://a.host/x', '.host', true],
    ['https://a.host/x', '*.host', true],
    ['https://ahost/x', 'host', false],
    ['https://HOST/x', 'other, host', true],
    ['https://host/x', 'host:443', true],
    ['https://host/x', 'host:80', false],
    ['https://host:8443/x', 'host:8443', true],
    ['https://10.1.2.3/x', '10.0.0.0/8', true],
    ['https://11.1.2.3/x', '10.0.0.0/8', false],
    ['https://10.1.2.3/x', '10.0.0.0/99', false],
    ['https://1.10.1.2/x', '10.1.2', false],
    ['https://[::1]/x', '::1', true],
    ['https://[::1]/x', '[::1]', true],
    ['https://[::1]/x', '::/64', true],
    ['https://[fe80::1]/x', '::/64', false],
    ['https://host/x', ' , ', false],
  ])('%s with NO_PROXY=%j: direct is %s', (url, list, isDirect) => {
    expect(proxyFor(new URL(url), { HTTPS_PROXY: 'p:1', NO_PROXY: list }) === undefined).toBe(isDirect);
  });

  test('a value that is no proxy is refused, its password not shown', () => {
    const read = (value: string) => () => proxyFor(new URL('https://x'), { HTTPS_PROXY: value });
    expect(read('socks5://me:secret@host')).toThrow(
      '"socks5:" proxies are not spoken, expected http: or https:',
    );
    expect(read('http://me:secret@:99999')).toThrow(/^HTTPS_PROXY is no URL$/);
  });
});

describe('through a proxy', () => {
  test('http: the proxy is asked for the whole URL', async () => {
    const source = await open('http://far.example/f?x=1', {
      HTTP_PROXY: `http://me:open@127.0.0.1:${portOf(proxy)}`,
    });
    expect(await source.read(100_000, 100_010, new Uint8Array(10))).toEqual(bytes.slice(100_000, 100_010));
    expect(through.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'GET http://far.example/f?x=1',
      'GET http://far.example/f?x=1',
    ]);
    expect(through[0]!.headers.host).toBe('far.example');
    expect(through[0]!.headers['proxy-authorization']).toBe(
      `Basic ${Buffer.from('me:open').toString('base64')}`,
    );
  });

  test('https: one tunnel for many ranges, and the proxy sees nothing of them', async () => {
    const env = { HTTPS_PROXY: `http://me:open@127.0.0.1:${portOf(proxy)}` };
    const source = await open('https://localhost/f', env);
    for (const start of [70_000, 100_000, 150_000]) {
      expect(await source.read(start, start + 5, new Uint8Array(5))).toEqual(bytes.slice(start, start + 5));
    }
    expect(through.map(({ method, target }) => `${method} ${target}`)).toEqual(['CONNECT localhost:443']);
    expect(through[0]!.headers['proxy-authorization']).toMatch(/^Basic /);
    expect(through[0]!.headers.authorization).toBeUndefined();
  });

  test.each([
    [407, 'proxy 127.0.0.1:PORT answers 407 for localhost:443'],
    [403, 'proxy 127.0.0.1:PORT answers 403 for localhost:443'],
    [502, 'f: proxy 127.0.0.1:PORT answers 502 for localhost:443, tried 2 times'],
  ])('a proxy that answers %i is said', async (status, message) => {
    refusal = status;
    const error = await failure(
      open('https://localhost/f', { HTTPS_PROXY: `me:secret@127.0.0.1:${portOf(proxy)}` }),
    );
    expect(error.message).toBe(message.replace('PORT', `${portOf(proxy)}`));
    expect(`${error.stack}${error.hint}`).not.toContain('secret');
  });

  test('a proxy that is not there is said', async () => {
    for (const url of ['https://localhost/f', 'http://localhost/f']) {
      const error = await failure(open(url, { ALL_PROXY: 'http://127.0.0.1:9' }));
      expect(error.message).toContain('proxy 127.0.0.1:9 refuses the connection');
    }
  });
});

describe('https', () => {
  test('a host with a certificate is asked', async () => {
    expect((await open(`https://127.0.0.1:${portOf(secure)}/f`)).byteLength).toBe(bytes.length);
  });

  test('a certificate that nobody trusts is refused', async () => {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    const error = await failure(open(`https://127.0.0.1:${portOf(secure)}/f`));
    expect(error.message).toMatch(
      /the certificate of 127.0.0.1:\d+ is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
    );
    expect(error.hint).toContain('NODE_EXTRA_CA_CERTS');
  });

  test('a redirect to http is refused', async () => {
    const error = await failure(open(`https://127.0.0.1:${portOf(secure)}/down`));
    expect(error.message).toMatch(/redirects from https: to http:\/\/127.0.0.1:\d+\/f, expected https:/);
  });

  test('a port that speaks no TLS is said', async () => {
    const error = await failure(open(`https://127.0.0.1:${portOf(plain)}/f`));
    expect(error.message).toMatch(/speaks? (no )?TLS|broke/);
  });
});
