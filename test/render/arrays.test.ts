import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderer as f32 } from '../../src/render/f32.ts';
import { encodeValues, float16Value, roundValue, type VectorDtype } from '../../src/render/narrow.ts';
import { renderer as npy } from '../../src/render/npy.ts';
import { renderer as safetensors } from '../../src/render/safetensors.ts';
import type { Column } from '../../src/types.ts';
import { MemorySink, renderedBytes, vectorReport } from '../support/vector-report.ts';

const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/arrays/arrays.json', import.meta.url), 'utf8'),
) as {
  values: string;
  npy: { dtype: VectorDtype; shape: number[]; padded: boolean; file: string }[];
  safetensors: { dtype: VectorDtype; padded: boolean; file: string }[];
  narrow: Record<string, Record<'float16' | 'bfloat16', string>>;
};
const values = new Float32Array(new Uint8Array(Buffer.from(fixture.values, 'base64')).buffer);
const idColumn: Column = { key: 'id', kind: 'id' };

function shape3(shape: number[]): [number, number, number] {
  return shape.length === 3 ? (shape as [number, number, number]) : [shape[0], 1, shape[1]];
}

describe('-f npy', () => {
  it.each(fixture.npy)('is what np.save writes for $dtype $shape', async ({ dtype, shape, padded, file }) => {
    const vectors = { padded, dtype };
    for (const known of [undefined, shape]) {
      const report = vectorReport({
        shape: shape3(shape),
        values,
        blockRows: 1,
        vectors: { ...vectors, shape: known },
      });
      expect((await renderedBytes(npy, report)).toString('base64')).toBe(file);
    }
  });

  it('sets the rows aside only when their number is not known', async () => {
    const rows = { shape: [3, 1, 2] as [number, number, number], values };
    const unknown = new MemorySink();
    await renderedBytes(npy, vectorReport(rows), {}, unknown);
    expect(unknown.spools).toMatchObject([{ byteLength: 24, discarded: true }]);
    const known = new MemorySink();
    await renderedBytes(npy, vectorReport({ ...rows, vectors: { shape: [3, 2] } }), {}, known);
    expect(known.spools).toEqual([]);
  });

  it('has no bfloat16', async () => {
    const report = vectorReport({ shape: [1, 1, 1], values, vectors: { dtype: 'bfloat16' } });
    await expect(renderedBytes(npy, report)).rejects.toMatchObject({ code: 'usage' });
  });

  it('writes nothing and leaves nothing behind when reading fails', async () => {
    const sink = new MemorySink();
    const whole = vectorReport({ shape: [2, 1, 1], values });
    async function* failing() {
      for await (const block of whole.blocks) {
        yield block;
        throw new Error('the reader broke');
      }
    }
    const report = { ...whole, blocks: failing() };
    await expect(renderedBytes(npy, report, {}, sink)).rejects.toThrow('the reader broke');
    expect(sink.bytes.byteLength).toBe(0);
    expect(sink.spools[0].discarded).toBe(true);
  });

  it('does not end as a whole array when the rows are not those that were promised', async () => {
    const report = vectorReport({ shape: [3, 1, 2], values, vectors: { shape: [4, 2] } });
    await expect(renderedBytes(npy, report)).rejects.toThrow('array is [3, 2], expected [4, 2]');
  });
});

describe('-f safetensors', () => {
  it.each(fixture.safetensors)(
    'is what safetensors writes for $dtype, padded $padded',
    async ({ dtype, padded, file }) => {
      const ids = padded ? [15496, 995, 50256, null] : [15496, 995, 50256];
      const report = vectorReport({
        shape: padded ? [2, 2, 2] : [3, 1, 2],
        values: padded ? Float32Array.of(...values.subarray(0, 6), 0, 0) : values,
        blockRows: 1,
        vectors: { padded, dtype },
        columns: [{ key: 'token', kind: 'token' }, idColumn],
        cells: (row) => ['x', ids[row]],
        realRows: padded ? (sequence) => 2 - sequence : undefined,
      });
      expect((await renderedBytes(safetensors, report)).toString('base64')).toBe(file);
    },
  );

  it('has no ids when a row has none, as after pooling', async () => {
    const report = vectorReport({ shape: [2, 1, 2], values, columns: [idColumn], cells: () => [null] });
    const bytes = await renderedBytes(safetensors, report);
    const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString());
    expect(Object.keys(header)).toEqual(['__metadata__', 'embeddings']);
    expect(header.embeddings.shape).toEqual([2, 2]);
  });

  it('keeps the ids of more rows than it made room for', async () => {
    const rows = 3000;
    const report = vectorReport({
      shape: [1, rows, 1],
      values: new Float32Array(rows),
      blockRows: 700,
      columns: [idColumn],
      cells: (row) => [row * 2],
    });
    const bytes = await renderedBytes(safetensors, report);
    const start = 8 + Number(bytes.readBigUInt64LE());
    expect(bytes.readBigInt64LE(start + 8 * 2999)).toBe(5998n);
    expect(bytes.byteLength).toBe(start + rows * 12);
  });
});

describe('-f f32', () => {
  it('is the rows and nothing else, little endian', async () => {
    const report = vectorReport({ shape: [2, 3, 2], values, blockRows: 2 });
    const bytes = await renderedBytes(f32, report);
    expect(bytes.toString('base64')).toBe(Buffer.from(new Uint8Array(values.buffer)).toString('base64'));
  });

  it('does not hide another dtype behind its name', async () => {
    const report = vectorReport({ shape: [1, 1, 1], values, vectors: { dtype: 'float16' } });
    await expect(renderedBytes(f32, report)).rejects.toMatchObject({
      code: 'usage',
      message: '"dtype" is float16, expected float32 for f32',
    });
  });
});

describe('narrowing floats', () => {
  it.each(Object.keys(fixture.narrow))(
    'rounds as NumPy and PyTorch do, low half %s under every high half',
    (low) => {
      const patterns = Uint32Array.from({ length: 65536 }, (_, high) => high * 65536 + Number(low));
      const floats = new Float32Array(patterns.buffer).filter((value) => !Number.isNaN(value));
      for (const dtype of ['float16', 'bfloat16'] as const) {
        const found = createHash('sha256').update(encodeValues(floats, dtype)).digest('hex');
        expect({ dtype, found }).toEqual({ dtype, found: fixture.narrow[low][dtype] });
      }
    },
  );

  it('keeps NaN a NaN, even one whose payload is cut off', () => {
    const nan = new Float32Array(Uint32Array.of(0x7f800001, 0xffc00000).buffer);
    const half = new Uint16Array(encodeValues(nan, 'float16').slice().buffer);
    expect([...half].map(float16Value)).toEqual([Number.NaN, Number.NaN]);
    const brain = new Uint16Array(encodeValues(nan, 'bfloat16').slice().buffer);
    expect([...brain].map((bits) => (bits & 0x7f80) === 0x7f80 && (bits & 0x7f) !== 0)).toEqual([true, true]);
  });

  it('rounds values to what the dtype holds', () => {
    expect(roundValue(0.1, 'float16')).toBe(0.0999755859375);
    expect(roundValue(0.1, 'bfloat16')).toBe(0.10009765625);
    expect(roundValue(0.1, 'float32')).toBe(Math.fround(0.1));
    expect(roundValue(0.1, 'float64')).toBe(0.1);
    expect(roundValue(1e6, 'float16')).toBe(Infinity);
  });
});
