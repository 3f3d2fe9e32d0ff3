import { describe, expect, test } from 'vitest';
import { openHttp } from '../../src/bytes/http.ts';
import { parseHttpUrl, shownUrl } from '../../src/bytes/http-url.ts';
import { EmbError } from '../../src/errors.ts';
import { bytes, network, open, pauses, refusal, server } from '../support/http-file.ts';
import { send } from '../support/hub-server.ts';

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
