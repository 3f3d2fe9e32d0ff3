import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openHttp } from '../../src/bytes/http.ts';
import { Network } from '../../src/bytes/http-network.ts';
import { parseHttpUrl, shownUrl } from '../../src/bytes/http-url.ts';
import { EmbError } from '../../src/errors.ts';
import { HubServer, send, serveRange } from '../support/hub-server.ts';

let server: HubServer;
let folder: string;
let notes: string[];
let pauses: number[];

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

const bytes = Uint8Array.from({ length: 400_000 }, (_, index) => (index * 7919) >> 5);

function network(env: Record<string, string> = {}): Network {
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
function open(
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

async function refusal(work: Promise<unknown>): Promise<EmbError> {
  const error = await work.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(EmbError);
  return error as EmbError;
}

describe('a file on a server', () => {
  test('is opened by one request, which brings its size and its first bytes', async () => {
    server.add('a/b', 'f', bytes);
    const source = await open();
    expect(source.byteLength).toBe(bytes.length);
    expect(await source.read(0, 1000)).toEqual(Buffer.from(bytes.subarray(0, 1000)));
    expect(await source.read(10, 65_536)).toEqual(Buffer.from(bytes.subarray(10, 65_536)));
    expect(server.seen.map(({ range }) => range)).toEqual(['bytes=0-65535']);
    await source.close();
    await expect(source.read(0, 1)).rejects.toThrow('is closed');
  });

  test('gives exactly the range, into given memory when there is some', async () => {
    server.add('a/b', 'f', bytes);
    const source = await open();
    const into = new Uint8Array(500);
    const view = await source.read(300_000, 300_400, into);
    expect(view.buffer).toBe(into.buffer);
    expect(view).toEqual(bytes.slice(300_000, 300_400));
    expect(into.subarray(400)).toEqual(new Uint8Array(100));
    expect(await source.read(7, 7)).toEqual(new Uint8Array(0));
    await expect(source.read(9, 400_001)).rejects.toThrow(
      'byte 400001 is asked for, expected at most 400000',
    );
    await expect(source.read(5, 4)).rejects.toThrow('bytes 5..4 are no range');
    await expect(source.read(0, 501, into)).rejects.toThrow('buffer is 500 bytes, expected at least 501');
  });

  test('readMany joins neighbors, asks for the rest at once, and puts every range in its place', async () => {
    server.add('a/b', 'f', bytes);
    const source = await open();
    const ranges = [
      [300_000, 300_100, 0],
      [300_200, 300_300, 100],
      [10, 20, 200],
      [399_990, 400_000, 210],
      [100_000, 100_010, 220],
      [300_050, 300_060, 230],
    ];
    const into = new Uint8Array(240);
    await source.readMany(Float64Array.from(ranges.flat()), into);
    for (const [start, end, place] of ranges) {
      expect(into.subarray(place, place! + end! - start!)).toEqual(bytes.slice(start, end));
    }
    expect(
      server.seen
        .slice(1)
        .map(({ range }) => range)
        .sort(),
    ).toEqual(['bytes=100000-100009', 'bytes=300000-300299', 'bytes=399990-399999']);
  });

  test('a header that is read on is asked for in steps that grow', async () => {
    server.add('a/b', 'f', bytes);
    const source = await open();
    for (let at = 0; at < 400_000; at += 10_000) {
      const got = await source.read(at, at + 10_000);
      expect(Buffer.compare(got, bytes.subarray(at, at + 10_000))).toBe(0);
    }
    expect(server.seen.map(({ range }) => range)).toEqual([
      'bytes=0-65535',
      'bytes=65536-131071',
      'bytes=131072-262143',
      'bytes=262144-399999',
    ]);
  });

  test('a scan is few requests, whose bytes are not asked for before they are wanted', async () => {
    const large = new Uint8Array(12 << 20).map((_, index) => (index * 31) >> 3);
    server.add('a/b', 'f', large);
    const source = await open();
    const block = new Uint8Array(1 << 18);
    for (let at = 1000; at + block.length < large.length; at += block.length) {
      const got = await source.read(at, at + block.length, block);
      expect(Buffer.compare(got, large.subarray(at, at + block.length))).toBe(0);
    }
    expect(server.seen.length).toBeLessThan(8);
    await source.close();
    expect(server.sent).toBeLessThan(13 << 20);
  });

  test('reads at the same time do not disturb each other', async () => {
    server.add('a/b', 'f', bytes);
    const source = await open();
    const starts = Array.from({ length: 40 }, (_, index) => (index * 9973) % 390_000);
    const read = await Promise.all(
      starts.map((start, index) =>
        source.read(start, start + 9000, index % 2 ? new Uint8Array(9000) : undefined),
      ),
    );
    for (const [index, start] of starts.entries()) {
      expect(Buffer.compare(read[index]!, bytes.subarray(start, start + 9000))).toBe(0);
    }
  });

  test('closing leaves connections that others use alone, and ends reads that are under way', async () => {
    server.add('a/b', 'f', bytes);
    const shared = network();
    const uncaught: unknown[] = [];
    const hear = (error: unknown) => uncaught.push(error);
    process.on('uncaughtException', hear);
    const first = await open({ network: shared });
    // A scan that ends before its answer does, and several connections that are then idle.
    server.add('a/b', 'long', {
      byteLength: (20 << 20) + 100,
      read: (start, end) => new Uint8Array(end - start),
    });
    const scanned = await open({ network: shared, name: 'long' });
    const block = new Uint8Array(1 << 20);
    for (let at = 0; at < 20 << 20; at += block.length) await scanned.read(at, at + block.length, block);
    await scanned.close();
    const spans = [100_000, 200_000, 300_000].flatMap((start, index) => [start, start + 10, index * 10]);
    await first.readMany(Float64Array.from(spans), new Uint8Array(30));
    await first.close();
    const second = await open({ network: shared });
    expect(await second.read(300_000, 300_010, new Uint8Array(10))).toEqual(bytes.slice(300_000, 300_010));
    server.fault = () => true;
    const read = refusal(second.read(100_000, 100_010, new Uint8Array(10)));
    await second.close();
    expect((await read).message).toContain('is closed');
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off('uncaughtException', hear);
    expect(uncaught).toEqual([]);
    expect(pauses).toEqual([]);
  });

  test('an empty file is empty', async () => {
    server.add('a/b', 'f', '');
    expect((await open()).byteLength).toBe(0);
  });
});

describe('redirects', () => {
  test('are followed, later ranges go straight to where they led', async () => {
    server.add('a/b', 'f', bytes, true);
    const source = await open();
    await source.read(200_000, 200_010, new Uint8Array(10));
    expect(server.seen.map(({ origin }) => origin)).toEqual(['hub', 'cdn', 'cdn']);
  });

  test('the token goes to the first origin only', async () => {
    server.add('a/b', 'f', bytes, true);
    const source = await open({ token: 'Bearer hf_secret' });
    await source.read(200_000, 200_010, new Uint8Array(10));
    for (const { origin, headers } of server.seen) {
      expect(headers.authorization).toBe(origin === 'hub' ? 'Bearer hf_secret' : undefined);
    }
  });

  test('the token is not given again to the first origin when another one leads back', async () => {
    server.add('a/b', 'f', bytes);
    server.fault = (_, response, { origin, path }) => {
      if (path.includes('back')) return false;
      send(response, 302, {
        location: origin === 'hub' ? `${server.cdnUrl}/x` : `${server.url}/a/b/resolve/back/f`,
      });
      return true;
    };
    await open({ token: 'Bearer hf_secret' });
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer hf_secret',
      undefined,
      undefined,
    ]);
  });

  test('a password in the URL is sent to its host and shown nowhere', async () => {
    server.add('a/b', 'f', bytes);
    const target = parseHttpUrl(
      `${server.url.replace('//', '//me:open%20sesame@')}/a/b/resolve/main/none?key=secret`,
    );
    const error = await refusal(openHttp({ name: shownUrl(target.url), target, network: network() }));
    expect(server.seen[0]!.headers.authorization).toBe(
      `Basic ${Buffer.from('me:open sesame').toString('base64')}`,
    );
    expect(server.seen[0]!.path).toContain('?key=secret');
    expect(`${error.stack} ${error.hint}`).not.toMatch(/sesame|secret/);
  });

  test('a signed URL that has run out is asked for anew', async () => {
    server.add('a/b', 'f', bytes, true);
    const source = await open();
    let refused = 0;
    server.fault = (_, response, { origin }) => {
      if (origin !== 'cdn' || refused > 0) return false;
      refused++;
      send(response, 403, {});
      return true;
    };
    expect(await source.read(200_000, 200_010, new Uint8Array(10))).toEqual(bytes.slice(200_000, 200_010));
    expect(server.seen.map(({ origin }) => origin)).toEqual(['hub', 'cdn', 'cdn', 'hub', 'cdn']);
  });

  test.each([
    ['that go round', () => `${server.url}/round`, 'is redirected more than 5 times'],
    ['to another scheme', () => 'file:///etc/passwd', 'redirects from http: to file:, expected https:'],
    ['to what is no URL', () => 'http://[', 'redirects to what is no URL'],
  ])('%s are refused', async (_, location, message) => {
    server.fault = (_request, response) => {
      send(response, 302, { location: location() });
      return true;
    };
    expect((await refusal(open())).message).toContain(message);
  });
});

describe('a server that fails for a while', () => {
  const failing = (times: number, status: number, headers: Record<string, string> = {}) => {
    let left = times;
    server.fault = (_, response) => {
      if (left-- <= 0) return false;
      send(response, status, headers);
      return true;
    };
  };

  test.each([429, 500, 502, 503, 504, 408])('is asked again after a %i, later and later', async (status) => {
    server.add('a/b', 'f', bytes);
    failing(3, status);
    expect((await open()).byteLength).toBe(bytes.length);
    expect(pauses).toHaveLength(3);
    for (const [index, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(250 * 2 ** index);
      expect(pause).toBeLessThanOrEqual(500 * 2 ** index);
    }
  });

  test('says when it wants to be asked again, and that is said', async () => {
    server.add('a/b', 'f', bytes);
    failing(1, 429, { 'retry-after': '7' });
    await open();
    expect(pauses).toEqual([7000]);
    expect(notes.join()).toMatch(/answers 429, too many requests: next try in 7 s/);
  });

  test('is not waited for longer than a minute', async () => {
    failing(9, 429, { 'retry-after': '3600' });
    const error = await refusal(open());
    expect(error.message).toContain(
      'answers 429, too many requests, to be tried again in 3600 s, expected at most 60 s',
    );
    expect(pauses).toEqual([]);
  });

  test('is given up after five tries', async () => {
    failing(99, 503);
    expect((await refusal(open())).message).toMatch(/answers 503, tried 5 times$/);
    expect(server.seen).toHaveLength(5);
  });

  test('is not asked again when it says no', async () => {
    failing(99, 403);
    expect((await refusal(open())).message).toContain('does not give it to us (403)');
    failing(99, 404);
    expect((await refusal(open())).message).toContain('has no such file (404)');
    expect(server.seen).toHaveLength(2);
  });

  test('breaks off: what is missing is asked for, not what came', async () => {
    server.add('a/b', 'f', bytes);
    const source = await open();
    const cuts = [30_000, 50_000];
    server.fault = (request, response) => {
      const cut = cuts.shift();
      if (cut === undefined) return false;
      const start = Number(/\d+/.exec(request.headers.range!)![0]);
      response.writeHead(206, {
        'content-range': `bytes ${start}-299999/400000`,
        'content-length': 300_000 - start,
      });
      response.write(bytes.subarray(start, start + cut), () => response.destroy());
      return true;
    };
    const got = await source.read(100_000, 300_000, new Uint8Array(200_000));
    expect(Buffer.compare(got, bytes.subarray(100_000, 300_000))).toBe(0);
    expect(server.seen.slice(1).map(({ range }) => range)).toEqual([
      'bytes=100000-299999',
      'bytes=130000-299999',
      'bytes=180000-299999',
    ]);
  });

  test('answers with less than was asked for: the rest is asked for', async () => {
    server.add('a/b', 'f', bytes);
    const source = await open();
    server.fault = (request, response) => {
      const start = Number(/\d+/.exec(request.headers.range!)![0]);
      const end = Math.min(200_000, start + 40_000);
      send(
        response,
        206,
        { 'content-range': `bytes ${start}-${end - 1}/400000` },
        bytes.subarray(start, end),
      );
      return true;
    };
    const got = await source.read(100_000, 200_000, new Uint8Array(100_000));
    expect(Buffer.compare(got, bytes.subarray(100_000, 200_000))).toBe(0);
    expect(pauses).toEqual([]);
  });

  test('gives a byte at a time: no end of requests', async () => {
    server.add('a/b', 'f', bytes);
    const source = await open();
    server.fault = (request, response) => {
      const start = Number(/\d+/.exec(request.headers.range!)![0]);
      send(
        response,
        206,
        { 'content-range': `bytes ${start}-${start}/400000` },
        bytes.subarray(start, start + 1),
      );
      return true;
    };
    expect((await refusal(source.read(100_000, 200_000, new Uint8Array(100_000)))).message).toContain(
      'answers of 1 bytes where 99995 are missing, tried 5 times',
    );
  });

  test.each([
    ['before it answers', () => {}],
    [
      'in its answer',
      (response: Parameters<typeof send>[0]) => {
        response.writeHead(206, { 'content-range': 'bytes 0-65535/400000', 'content-length': '65536' });
        response.write(bytes.subarray(0, 100));
      },
    ],
  ])('stalls %s: it is tried again, then given up', async (_, begin) => {
    server.fault = (_request, response) => {
      begin(response);
      return true;
    };
    expect((await refusal(open())).message).toMatch(
      /(answers nothing|sends nothing) for 0.3 s, tried 5 times/,
    );
  });

  test('closes kept connections: nobody notices', async () => {
    server.add('a/b', 'f', bytes);
    const source = await open();
    for (let at = 100_000; at < 400_000; at += 50_000) {
      await source.read(at, at + 10, new Uint8Array(10));
      server.closeConnections();
    }
    expect(pauses).toEqual([]);
  });
});

describe('a server that lies', () => {
  test('the tag changes half way: the rows are not mixed', async () => {
    server.add('a/b', 'f', bytes);
    const source = await open();
    server.file('a/b', 'f').etag = '"2"';
    const error = await refusal(source.read(200_000, 200_010, new Uint8Array(10)));
    expect(error.code).toBe('corrupt');
    expect(error.message).toMatch(/changed while it was read: its tag is "2", expected "a\/b\/f\/1"/);
  });

  test('the tag changes and ranges are served all the same', async () => {
    server.add('a/b', 'f', bytes);
    const source = await open();
    server.fault = (request, response) => {
      delete request.headers['if-range'];
      serveRange({ ...server.file('a/b', 'f'), etag: '"2"' }, request, response);
      return true;
    };
    expect((await refusal(source.read(200_000, 200_010, new Uint8Array(10)))).message).toContain(
      'changed while',
    );
  });

  test('the size changes, or the file is shorter than it was', async () => {
    server.add('a/b', 'f', bytes);
    const source = await open();
    server.file('a/b', 'f').content = {
      byteLength: 150_000,
      read: (start, end) => bytes.subarray(start, end),
    };
    expect((await refusal(source.read(100_000, 100_010, new Uint8Array(10)))).message).toContain(
      'changed while it was read: it has 150000 bytes, expected 400000',
    );
    expect((await refusal(source.read(200_000, 200_010, new Uint8Array(10)))).message).toContain(
      'changed while it was read: it has 150000 bytes, expected 400000',
    );
  });

  test('it knows no ranges: a small file comes whole, once', async () => {
    server.add('a/b', 'f', bytes);
    server.fault = (request) => {
      delete request.headers.range;
      return false;
    };
    const source = await open();
    expect(await source.read(300_000, 300_010)).toEqual(Buffer.from(bytes.subarray(300_000, 300_010)));
    await source.readMany(Float64Array.of(5, 9, 0, 399_000, 399_004, 4), new Uint8Array(8));
    expect(server.seen).toHaveLength(1);
  });

  test('it knows no ranges: a large file is refused with both numbers, and not read', async () => {
    server.add('a/b', 'f', { byteLength: 5e9, read: (start, end) => new Uint8Array(end - start) });
    server.fault = (request) => {
      delete request.headers.range;
      return false;
    };
    const error = await refusal(open());
    expect(error.code).toBe('unsupported');
    expect(error.message).toContain('the server sends all 5000000000 bytes where 65536 were asked for');
    expect(server.sent).toBeLessThan(20e6);
  });

  test('a body without end and without length is left', async () => {
    server.fault = (_, response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write(new Uint8Array(1 << 20)));
      };
      response.on('drain', more);
      more();
      return true;
    };
    expect((await refusal(open())).message).toContain('sends all more than 67108864 bytes');
  });

  test('more than the announced range is not taken', async () => {
    server.add('a/b', 'f', bytes);
    const source = await open();
    server.fault = (_, response) => {
      response.writeHead(206, { 'content-range': 'bytes 200000-200009/400000' });
      const more = () => {
        while (!response.destroyed && response.write(new Uint8Array(1 << 16).fill(1)));
      };
      response.on('drain', more);
      more();
      return true;
    };
    expect(await source.read(200_000, 200_010, new Uint8Array(10))).toEqual(new Uint8Array(10).fill(1));
  });

  test.each([
    'bytes 0-9/400000',
    'bytes 200000-200010/400000',
    'bytes 200000-199999/400000',
    'bytes 200000-200009/200005',
    'bytes 200000-200009/*',
    'lines 200000-200009/400000',
    '',
  ])('Content-Range %j is refused', async (range) => {
    server.add('a/b', 'f', bytes);
    const source = await open();
    server.fault = (_, response) => {
      send(response, 206, { 'content-range': range }, new Uint8Array(10));
      return true;
    };
    const error = await refusal(source.read(200_000, 200_010, new Uint8Array(10)));
    expect(error.code).toBe('corrupt');
    expect(error.message).toContain('expected bytes 200000-200009');
  });

  test('a compressed answer is refused', async () => {
    server.fault = (_, response) => {
      send(response, 200, { 'content-encoding': 'gzip' }, new Uint8Array(10));
      return true;
    };
    expect((await refusal(open())).message).toContain('answers in the encoding "gzip", expected identity');
    expect(server.seen[0]!.headers['accept-encoding']).toBe('identity');
  });

  test('what is no HTTP is refused', async () => {
    server.fault = (_, response) => {
      response.socket!.end('SSH-2.0-OpenSSH_9.2\r\n');
      return true;
    };
    expect((await refusal(open())).message).toContain('is no HTTP');
  });

  test('a size of petabytes costs no memory', async () => {
    server.fault = (_, response) => {
      send(response, 206, { 'content-range': 'bytes 0-9/900000000000000' }, new Uint8Array(10));
      return true;
    };
    const source = await open();
    expect(source.byteLength).toBe(9e14);
    const before = process.memoryUsage().arrayBuffers;
    await refusal(source.read(100, 30_000_000));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4e6);
  });
});

describe('answers with bytes changed', () => {
  /** Numerical Recipes' linear congruential generator: the same answers in every run. */
  let state = 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const head = [
    'HTTP/1.1 206 Partial Content',
    'Content-Range: bytes 0-99/1000',
    'Content-Length: 100',
    'ETag: "a"',
    'Content-Encoding: identity',
    'Location: /x',
    'Retry-After: 1',
    '',
    '',
  ].join('\r\n');

  test('end in bytes or in an EmbError, 300 times', async () => {
    let answered = 0;
    const shared = new Network({ EMB_CACHE: '/dev/null/x', EMB_HTTP_TIMEOUT: '0.05' }, () => {}, {
      attempts: 2,
      sleep: async () => {},
    });
    server.fault = (_, response) => {
      const bytes = Buffer.from(head + 'x'.repeat(100), 'latin1');
      for (let count = random(4); count > 0; count--) {
        bytes[random(head.length)] = random(3) === 0 ? random(256) : 48 + random(10);
      }
      response.socket?.end(random(4) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes);
      return true;
    };
    for (let round = 0; round < 300; round++) {
      try {
        const source = await open({ network: shared });
        await source.read(0, Math.min(50, source.byteLength));
        answered++;
      } catch (error) {
        if (!(error instanceof EmbError)) throw error;
      }
    }
    expect(answered).toBeGreaterThan(20);
    expect(answered).toBeLessThan(280);
  });
});

describe('what is cached on disk', () => {
  test('an unchanged header is not sent again', async () => {
    server.add('a/b', 'f', bytes);
    const shared = network();
    const first = await open({ cacheKey: 'k', network: shared });
    await first.read(0, 200_000);
    await first.close();
    const sent = server.sent;
    server.seen.length = 0;
    const second = await open({ cacheKey: 'k', network: shared });
    expect(second.byteLength).toBe(400_000);
    expect(Buffer.compare(await second.read(0, 200_000), bytes.subarray(0, 200_000))).toBe(0);
    expect(server.seen.map(({ status }) => status)).toEqual([304]);
    expect(sent).toBe(200_000);
    expect(server.sent).toBe(0);
  });

  test('a changed header is', async () => {
    server.add('a/b', 'f', bytes);
    const shared = network();
    const first = await open({ cacheKey: 'k', network: shared });
    await first.close();
    server.file('a/b', 'f').etag = '"2"';
    server.file('a/b', 'f').content = {
      byteLength: 70_000,
      read: (start, end) => new Uint8Array(end - start).fill(2),
    };
    const second = await open({ cacheKey: 'k', network: shared });
    expect(second.byteLength).toBe(70_000);
    expect(await second.read(0, 3)).toEqual(Buffer.from([2, 2, 2]));
  });

  test('rows are not kept', async () => {
    server.add('a/b', 'f', bytes);
    const shared = network();
    const source = await open({ cacheKey: 'k', network: shared });
    await source.readMany(Float64Array.of(300_000, 300_010, 0), new Uint8Array(10));
    await source.read(350_000, 350_010, new Uint8Array(10));
    await source.close();
    expect(shared.cache?.read('k')?.segments.map(({ start, bytes: kept }) => [start, kept.length])).toEqual([
      [0, 65_536],
    ]);
  });
});

describe('URLs and hosts', () => {
  test.each([
    ['nonsense', 'nonsense: is no URL'],
    ['ftp://host/file?secret', 'ftp://host/file: "ftp:" is not opened, expected https:'],
    ['http://me:secret@:99999/', 'is no URL'],
  ])('%s is refused', (text, message) => {
    let error: unknown;
    try {
      parseHttpUrl(text);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(EmbError);
    expect((error as EmbError).message).toContain(message);
    expect((error as EmbError).message).not.toContain('secret');
  });

  test('an IPv6 host is asked', async () => {
    const { url } = parseHttpUrl('http://[::1]:9/x');
    const error = await refusal(openHttp({ name: 'x', target: { url }, network: network() }));
    expect(error.message).toMatch(/\[::1\]:9 (refuses the connection|cannot|does not)|broke/);
  });

  test('a port where nobody listens is said', async () => {
    const { url } = parseHttpUrl('http://127.0.0.1:9/x');
    const error = await refusal(openHttp({ name: 'x', target: { url }, network: network() }));
    expect(error.message).toBe('x: 127.0.0.1:9 refuses the connection');
  });

  test('EMB_HTTP_TIMEOUT is seconds', () => {
    expect(() => network({ EMB_HTTP_TIMEOUT: 'soon' })).toThrow(
      'EMB_HTTP_TIMEOUT is "soon", expected seconds in 0..3600',
    );
  });
});
