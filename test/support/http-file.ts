import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { openHttp } from '../../src/bytes/http.ts';
import { Network } from '../../src/bytes/http-network.ts';
import { parseHttpUrl, shownUrl } from '../../src/bytes/http-url.ts';
import { EmbError } from '../../src/errors.ts';
import { HubServer } from './hub-server.ts';

/** Started before the tests of the file that imports this, stopped after them. */
export let server: HubServer;
let folder: string;
/** What was said, and the milliseconds waited, in the test that runs. */
export let notes: string[];
export let pauses: number[];

beforeAll(async () => {
  server = await HubServer.start();
  folder = mkdtempSync(join(tmpdir(), 'emb-http-'));
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  server.reset();
  notes = [];
  pauses = [];
});

export const bytes = Uint8Array.from({ length: 400_000 }, (_, index) => (index * 7919) >> 5);

/** A network with a cache of its own and no real pauses. */
export function network(env: Record<string, string> = {}): Network {
  const cache = mkdtempSync(join(folder, 'cache-'));
  return new Network(
    { EMB_CACHE: cache, EMB_HTTP_TIMEOUT: '0.3', ...env },
    (message) => notes.push(message),
    {
      sleep: async (milliseconds) => {
        pauses.push(milliseconds);
      },
    },
  );
}

/** Opens a/b's file f. */
export function open(
  options: { name?: string; query?: string; cacheKey?: string; network?: Network; token?: string } = {},
) {
  const { url } = parseHttpUrl(`${server.url}/a/b/resolve/main/${options.name ?? 'f'}${options.query ?? ''}`);
  return openHttp({
    name: shownUrl(url),
    target: { url, authorization: options.token },
    network: options.network ?? network(),
    cacheKey: options.cacheKey,
  });
}

export async function refusal(work: Promise<unknown>): Promise<EmbError> {
  const error = await work.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(EmbError);
  return error as EmbError;
}
