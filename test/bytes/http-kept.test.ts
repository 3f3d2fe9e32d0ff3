import { describe, expect, test } from 'vitest';
import { bytes, network, open, server } from '../support/http-file.ts';

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
