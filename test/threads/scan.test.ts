import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startWorkers } from '../../src/cli/workers.ts';
import type { WorkerThread } from '../../src/command.ts';
import { covarianceOf } from '../../src/core/covariance.ts';
import { findNeighbors, type Metric } from '../../src/core/neighbors.ts';
import type { ScanJob } from '../../src/core/shared-scan.ts';
import { openModel } from '../../src/model/open.ts';
import type { EmbeddingTable } from '../../src/types.ts';

const folder = mkdtempSync(join(tmpdir(), 'emb-scan-'));
const entry = `require(${JSON.stringify(join(folder, 'worker', 'worker.cjs'))})`;
const [rows, dim] = [9000, 300];
const open = (path: string) => openModel(path, { note: () => {}, env: {} });

/** A safetensors file; equal rows lie in blocks that different threads take. */
function writeTable(name: string, dtype: 'F32' | 'BF16' | 'F16'): string {
  const width = dtype === 'F32' ? 4 : 2;
  const entries = { weight: { dtype, shape: [rows, dim], data_offsets: [0, rows * dim * width] } };
  const header = Buffer.from(JSON.stringify(entries).padEnd(120));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(120n);
  let state = 7;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const values = Float32Array.from({ length: rows * dim }, draw);
  for (let row = 100; row < rows; row += 700) values.copyWithin(row * dim, 0, dim);
  const bits = new Uint32Array(values.buffer);
  const stored =
    dtype === 'F32'
      ? values
      : Uint16Array.from(bits, (value) => (dtype === 'BF16' ? value >>> 16 : (value >>> 16) & 0xbfff));
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([length, header, Buffer.from(stored.buffer)]));
  return path;
}

beforeAll(async () => {
  const bundle = await rolldown({
    input: { worker: resolve('src', 'cli', 'worker.ts') },
    platform: 'node',
    logLevel: 'silent',
  });
  await bundle.write({
    dir: join(folder, 'worker'),
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
  });
  await bundle.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Threads that have surely begun when the scan does. */
async function startThreads({ origin }: EmbeddingTable, count: number): Promise<WorkerThread[]> {
  if (origin === undefined) throw new Error('the table has no origin');
  const threads = startWorkers(count, 'scan', { origin, kernel: 'simd' } satisfies ScanJob, entry);
  await new Promise((wait) => setTimeout(wait, 200));
  return threads;
}

describe('a scan by several threads', () => {
  test.each(['F32', 'BF16', 'F16'] as const)('of %s answers as one thread does', async (dtype) => {
    const model = await open(writeTable(`${dtype}.safetensors`, dtype));
    const table = await model.table();
    for (const [metric, count] of [
      ['cosine', 1],
      ['l2', 3],
      ['dot', 9],
    ] as [Metric, number][]) {
      const { data } = await table.gather(Uint32Array.from({ length: count }, (_, index) => index * 31));
      const options = { k: 40, metric, exclude: [new Set([5])] };
      let scanned = 0;
      const alone = await findNeighbors(table, data, options);
      for (const others of [1, 2]) {
        scanned = 0;
        const shared = await findNeighbors(table, data, {
          ...options,
          threads: await startThreads(table, others),
          advance: (part) => {
            scanned += part;
          },
        });
        expect(shared).toEqual(alone);
        expect(scanned).toBe(rows);
      }
    }
    await model.close();
  });

  test('sums the covariance as one thread does, and answers afterwards', async () => {
    const model = await open(writeTable('covariance.safetensors', 'F32'));
    const table = await model.table();
    const alone = await covarianceOf(() => table.scan(), dim);
    const { data } = await table.gather(Uint32Array.of(7));
    for (const others of [1, 2]) {
      const threads = await startThreads(table, others);
      for (let time = 0; time < 2; time++) {
        expect(await covarianceOf(() => table.scan(), dim, { threads })).toEqual(alone);
      }
      const options = { k: 3, metric: 'cosine' as const };
      expect(await findNeighbors(table, data, { ...options, threads })).toEqual(
        await findNeighbors(table, data, options),
      );
    }
    await model.close();
  });

  test('takes more queries than one pass holds', async () => {
    const model = await open(writeTable('many.safetensors', 'BF16'));
    const table = await model.table();
    const { data } = await table.gather(Uint32Array.from({ length: 300 }, (_, index) => index));
    const options = { k: 3, metric: 'cosine' as const };
    const shared = await findNeighbors(table, data, { ...options, threads: await startThreads(table, 1) });
    expect(shared).toEqual(await findNeighbors(table, data, options));
    await model.close();
  });

  test('a thread that finds another file says so', async () => {
    const path = writeTable('grown.safetensors', 'F32');
    const model = await open(path);
    const table = await model.table();
    appendFileSync(path, 'more');
    const [thread] = startWorkers(1, 'scan', { origin: table.origin, kernel: 'simd' }, entry);
    await expect(thread.receive()).rejects.toMatchObject({
      name: 'EmbError',
      code: 'corrupt',
      message: expect.stringContaining('the file changed while it was read'),
    });
    const [other] = startWorkers(1, 'scan', { origin: table.origin, kernel: 'simd' }, entry);
    await expect(covarianceOf(() => table.scan(), dim, { threads: [other] })).rejects.toMatchObject({
      name: 'EmbError',
      code: 'corrupt',
    });
    // The scan does not need it.
    const { data } = await table.gather(Uint32Array.of(0));
    expect(
      (await findNeighbors(table, data, { k: 1, metric: 'dot', threads: await startThreads(table, 1) }))
        .length,
    ).toBe(1);
    await model.close();
  });
});
