import { describe, expect, test } from 'vitest';
import { bytes, notes, open, pauses, refusal, server } from '../support/http-file.ts';
import { send } from '../support/hub-server.ts';

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
