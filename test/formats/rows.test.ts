import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import type { TensorInfo } from '../../src/types.ts';
import { CountingSource, safetensors } from './tables.ts';

/** A table of F32 or U16 whose value at [r, c] is r * dim + c, in either order. */
function tensorOf(
  rows: number,
  dim: number,
  dtype: 'F32' | 'U16',
  fortran = false,
): { tensor: TensorInfo; source: CountingSource } {
  const values = dtype === 'F32' ? new Float32Array(rows * dim) : new Uint16Array(rows * dim);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < dim; column++) {
      values[fortran ? column * rows + row : row * dim + column] = row * dim + column;
    }
  }
  const source = new CountingSource(new MemorySource('x', new Uint8Array(values.buffer)));
  const tensor: TensorInfo = {
    name: 't',
    shape: [rows, dim],
    dtype,
    offset: 0,
    byteLength: values.byteLength,
    source,
  };
  if (fortran) tensor.strides = [1, rows];
  return { tensor, source };
}

async function gather(tensor: TensorInfo, ids: readonly number[]): Promise<Float32Array> {
  const table = rowsOf(tensor);
  const out = new Float32Array(ids.length * table.dim).fill(Number.NaN);
  await table.gather(Uint32Array.from(ids), out);
  return out;
}

describe('how much is read', () => {
  test('n ids of a safetensors file read its header and n rows', async () => {
    const header = { a: { dtype: 'F32', shape: [1000, 16], data_offsets: [0, 64_000] } };
    const bytes = safetensors(header, 64_000);
    const source = new CountingSource(new MemorySource('x', bytes));
    const file = await openSafetensors(source);
    expect(source.reads).toEqual([
      { start: 0, end: 8 },
      { start: 8, end: bytes.length - 64_000 },
    ]);
    source.reads.length = 0;
    await gather(file.tensors[0], [7, 999, 7, 0, 500]);
    expect(source.reads.length).toBe(4);
    expect(source.bytesRead).toBe(4 * 64);
  });

  test.each(['F32', 'U16'] as const)(
    'consecutive ids of %s are one read, repeated ids none',
    async (dtype) => {
      const { tensor, source } = tensorOf(100, 8, dtype);
      await gather(tensor, [10, 11, 12, 13, 10, 10]);
      expect(source.reads.length).toBe(1);
      expect(source.bytesRead).toBe(4 * 8 * (dtype === 'F32' ? 4 : 2));
    },
  );

  test('a scan reads every byte once, in blocks of at most 1 MiB', async () => {
    const { tensor, source } = tensorOf(3000, 256, 'F32');
    for await (const _ of rowsOf(tensor).scan());
    expect(source.bytesRead).toBe(tensor.byteLength);
    expect(Math.max(...source.reads.map(({ start, end }) => end - start))).toBeLessThanOrEqual(1 << 20);
  });

  test('one row in column-major order reads one value per column', async () => {
    const { tensor, source } = tensorOf(5000, 32, 'F32', true);
    await gather(tensor, [4321]);
    expect(source.reads.length).toBe(32);
    expect(source.bytesRead).toBe(32 * 4);
  });

  test('a scan in column-major order reads every byte once or, of short columns, once per block', async () => {
    const { tensor, source } = tensorOf(40_000, 40, 'F32', true);
    for await (const _ of rowsOf(tensor).scan());
    expect(source.bytesRead).toBe(tensor.byteLength);
  });
});

describe('what is read', () => {
  test('gather after scan is the table, for any shape, dtype, order and ids', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom('F32' as const, 'U16' as const),
        fc.boolean(),
        fc.array(fc.nat(1000), { maxLength: 60 }),
        async (rows, dim, dtype, fortran, numbers) => {
          const { tensor } = tensorOf(rows, dim, dtype, fortran);
          const ids = numbers.map((number) => number % rows);
          const gathered = await gather(tensor, ids);
          ids.forEach((id, place) => {
            for (let column = 0; column < dim; column++)
              expect(gathered[place * dim + column]).toBe(id * dim + column);
          });
          const all: number[] = [];
          for await (const { data } of rowsOf(tensor).scan()) all.push(...data);
          expect(all).toEqual(Array.from({ length: rows * dim }, (_, index) => index));
        },
      ),
      { seed: 5, numRuns: 200 },
    );
  });

  test.each([
    ['F32', 3, 700_000, false],
    ['U16', 3, 700_000, false],
    ['F32', 3, 700_000, true],
    ['U16', 2, 1_200_000, true],
    ['U16', 700_000, 2, true],
    ['F32', 700_000, 1, true],
    ['F32', 1, 700_000, true],
  ] as const)(
    'rows longer than a block and tables of one column: %s [%i, %i], column-major %s',
    async (dtype, rows, dim, fortran) => {
      const { tensor } = tensorOf(rows, dim, dtype, fortran);
      const wrap = dtype === 'U16' ? 65_536 : 2 ** 40;
      let next = 0;
      for await (const { data } of rowsOf(tensor).scan()) {
        for (const value of data) if (value !== next++ % wrap) expect(value).toBe((next - 1) % wrap);
      }
      expect(next).toBe(rows * dim);
      const id = rows - 1;
      const row = await gather(tensor, [id, 0, id]);
      expect(row[0]).toBe((id * dim) % wrap);
      expect(row[dim]).toBe(0);
      expect(row[3 * dim - 1]).toBe((id * dim + dim - 1) % wrap);
    },
  );

  test('200,000 ids, more than are sorted at a time, keep their order', async () => {
    const { tensor } = tensorOf(1000, 3, 'U16');
    const ids = Array.from({ length: 200_000 }, (_, index) => (index * 7919) % 1000);
    const rows = await gather(tensor, ids);
    expect(ids.every((id, place) => rows[3 * place] === 3 * id && rows[3 * place + 2] === 3 * id + 2)).toBe(
      true,
    );
  });

  test('a scan that is left early gives its memory back', async () => {
    const { tensor } = tensorOf(3000, 256, 'F32');
    for (let round = 0; round < 100; round++) {
      for await (const { data } of rowsOf(tensor).scan()) {
        expect(data.byteOffset % 4096).toBe(0);
        expect(data.buffer.byteLength).toBeGreaterThan(16 << 20);
        break;
      }
    }
  });
});
