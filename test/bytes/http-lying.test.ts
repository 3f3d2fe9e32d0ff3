import { describe, expect, test } from 'vitest';
import { Network } from '../../src/bytes/http-network.ts';
import { EmbError } from '../../src/errors.ts';
import { bytes, open, refusal, server } from '../support/http-file.ts';
import { send, serveRange } from '../support/hub-server.ts';

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
