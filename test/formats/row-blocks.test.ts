import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFile } from '../../src/bytes/file.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { claimBytes, releaseBytes } from '../../src/kernels/arena.ts';
import type { ByteSource, TensorInfo } from '../../src/types.ts';

const [rows, dim] = [8000, 1024];
/** Longer than what is read ahead: 32 MB. */
const byteLength = rows * dim * 4;

function valueAt(row: number, column: number): number {
  return Math.fround(row * 3 + column / 1024);
}

function bytesOfTable(): Uint8Array {
  const values = new Float32Array(rows * dim);
  for (let i = 0; i < values.length; i++) values[i] = valueAt(Math.floor(i / dim), i % dim);
  return new Uint8Array(values.buffer);
}

function tensorIn(source: ByteSource, dtype: 'F32' | 'BF16' = 'F32'): TensorInfo {
  const width = dtype === 'F32' ? 4 : 2;
  return { name: 'wte', shape: [byteLength / dim / width, dim], dtype, offset: 0, byteLength, source };
}

/** Reads of other threads end in any order. */
function slowSource(memory: Uint8Array): ByteSource & { underWay: number; most: number; reads: number[] } {
  return {
    name: 'slow',
    byteLength: memory.length,
    underWay: 0,
    most: 0,
    reads: [],
    async read(start, end, into) {
      return (into ?? new Uint8Array(end - start)).subarray(0, end - start);
    },
    async readBeside(start, end, into) {
      this.reads.push(end - start);
      this.most = Math.max(this.most, ++this.underWay);
      await new Promise((resolve) => {
        setTimeout(resolve, (this.reads.length * 7) % 4);
      });
      into.set(memory.subarray(start, end));
      this.underWay--;
      return into.subarray(0, end - start);
    },
    async readMany() {},
    async close() {},
  };
}

describe('the scan of a large table', () => {
  test('reads every byte once, some blocks ahead, and gives rows in their order', async () => {
    const source = slowSource(bytesOfTable());
    let next = 0;
    for await (const { start, rows: count, data } of rowsOf(tensorIn(source)).scan()) {
      expect(start).toBe(next);
      for (const row of [0, count - 1]) expect(data[row * dim + 5]).toBe(valueAt(start + row, 5));
      next = start + count;
    }
    expect(next).toBe(rows);
    expect(source.reads.reduce((sum, length) => sum + length, 0)).toBe(byteLength);
    expect(Math.max(...source.reads)).toBeLessThanOrEqual(2 << 20);
    expect(source.most).toBeGreaterThan(1);
    expect(source.most).toBeLessThanOrEqual(3);
  });

  test('that is left early waits for what is still being read before it gives memory back', async () => {
    const source = slowSource(bytesOfTable());
    for (let round = 0; round < 30; round++) {
      for await (const { data } of rowsOf(tensorIn(source)).scan()) {
        expect(data.byteOffset % 4096).toBe(0);
        break;
      }
      expect(source.underWay).toBe(0);
    }
    const whole = claimBytes(31 << 20);
    expect(whole.byteOffset % 4096).toBe(0);
    expect(whole.buffer.byteLength).toBeGreaterThan(whole.length);
    releaseBytes(whole);
  });

  test('gives 16-bit rows as they are stored', async () => {
    const memory = bytesOfTable();
    const halves = new Uint16Array(memory.buffer);
    let block = 0;
    let seen = 0;
    const reader = rowsOf(tensorIn(slowSource(memory), 'BF16'));
    for await (const part of reader.scanParts!({ next: () => block++, halves: true })) {
      if (!('halves' in part)) throw new Error('rows were decoded');
      expect(part.halves[7]).toBe(halves[part.start * dim + 7]);
      seen += part.rows;
    }
    expect(seen).toBe(reader.rows);
  });

  test('of a file that shrinks meanwhile is an error that says so', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'emb-blocks-'));
    const path = join(folder, 'table.bin');
    try {
      writeFileSync(path, bytesOfTable());
      const source = openFile(path);
      const scan = rowsOf(tensorIn(source)).scan()[Symbol.asyncIterator]();
      const { value } = await scan.next();
      expect(value.data[5]).toBe(valueAt(0, 5));
      truncateSync(path, byteLength / 2);
      const rest = async () => {
        while (!(await scan.next()).done);
      };
      await expect(rest()).rejects.toMatchObject({
        code: 'corrupt',
        message: expect.stringContaining('the file shrank while it was read'),
      });
      await source.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
