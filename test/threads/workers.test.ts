import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startWorkers } from '../../src/cli/workers.ts';

const folder = mkdtempSync(join(tmpdir(), 'emb-threads-'));
const file = join(folder, 'worker.cjs');
const entry = `require(${JSON.stringify(file)})`;

beforeAll(async () => {
  const bundle = await rolldown({ input: resolve('test', 'support', 'echo-worker.ts'), platform: 'node' });
  await bundle.write({ file, format: 'cjs' });
  await bundle.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a worker thread', () => {
  test('gets what it was started with, and messages go both ways in order', async () => {
    const threads = startWorkers(2, 'echo', { shared: new SharedArrayBuffer(4), values: [1, 2] }, entry);
    expect(threads.length).toBe(2);
    for (const [index, thread] of threads.entries()) {
      thread.post(`first of ${index}`);
      thread.post(new Uint8Array([index]));
      thread.post('enough');
    }
    for (const [index, thread] of threads.entries()) {
      expect(await thread.receive()).toMatchObject({ startedWith: { values: [1, 2] } });
      expect(await thread.receive()).toEqual({ echo: `first of ${index}` });
      expect(await thread.receive()).toEqual({ echo: new Uint8Array([index]) });
      await expect(thread.receive()).rejects.toThrow('has ended');
      await thread.stop();
    }
  });

  test('hands on what ended it: an EmbError as it was thrown, a bug as a bug', async () => {
    const [refused] = startWorkers(1, 'refuse', 9, entry);
    await expect(refused.receive()).rejects.toMatchObject({
      name: 'EmbError',
      code: 'range',
      message: '"data" is 9, expected less',
      hint: 'less of it',
    });
    const [broken] = startWorkers(1, 'break', 9, entry);
    await expect(broken.receive()).rejects.toThrow('a mistake');
  });

  test('that is stopped sends nothing more', async () => {
    const [thread] = startWorkers(1, 'echo', 1, entry);
    await thread.stop();
    // What it sent before that may still arrive.
    await expect(thread.receive().then(() => thread.receive())).rejects.toThrow('has ended');
  });
});
