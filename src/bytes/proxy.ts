import { BlockList, isIP } from 'node:net';
import { EmbError } from '../errors.ts';
import type { Environment } from '../types.ts';
import { basicAuthorization } from './http-url.ts';

/** A server that requests go through. */
export interface ProxyServer {
  /** http: or https:, without user and password. */
  url: URL;
  authorization?: string;
}

/**
 * The proxy that the environment names for a URL; undefined for none.
 *
 * HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, NO_PROXY against them; lower case before upper, as curl has them.
 * Source: https://everything.curl.dev/usingcurl/proxies/env.html
 * @throws EmbError "usage" for a value that is no URL, "unsupported" for socks
 */
export function proxyFor(url: URL, env: Environment): ProxyServer | undefined {
  const names = url.protocol === 'https:' ? ['https_proxy', 'all_proxy'] : ['http_proxy', 'all_proxy'];
  for (const name of names.flatMap((lower) => [lower, lower.toUpperCase()])) {
    const value = env[name]?.trim();
    if (value) return isExempt(url, env.no_proxy || env.NO_PROXY || '') ? undefined : readProxy(name, value);
  }
  return undefined;
}

function readProxy(name: string, value: string): ProxyServer {
  let url: URL;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
  } catch {
    // The one error of new URL(). The value may hold a password: it is not shown.
    throw new EmbError('usage', `${name} is no URL`, 'http://host:port');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new EmbError(
      'unsupported',
      `${name}: "${url.protocol}" proxies are not spoken, expected http: or https:`,
    );
  }
  const authorization = basicAuthorization(url);
  url.username = '';
  url.password = '';
  return authorization === undefined ? { url } : { url, authorization };
}

/** NO_PROXY: `*`, host names (subdomains are meant too), host:port, addresses, address/bits. */
function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => entry === '*' || matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  const range = /^\[?([0-9a-f:.]+)\]?\/(\d{1,3})$/.exec(entry);
  if (range) return isWithin(host, range[1], Number(range[2]));
  const withPort = /^(\[.*\]|[^:]+):(\d+)$/.exec(entry);
  if (withPort && withPort[2] !== port) return false;
  const name = (withPort?.[1] ?? entry).replace(/^\[|\]$/g, '').replace(/^\*?\./, '');
  return name !== '' && (host === name || (isIP(host) === 0 && host.endsWith(`.${name}`)));
}

function isWithin(host: string, address: string, bits: number): boolean {
  const family = isIP(address);
  if (family === 0 || isIP(host) !== family || bits > (family === 4 ? 32 : 128)) return false;
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  const block = new BlockList();
  block.addSubnet(address, bits, kind);
  return block.check(host, kind);
}
