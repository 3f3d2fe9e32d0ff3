import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { renderer as numpy } from '../../src/render/numpy.ts';
import { renderer as torch } from '../../src/render/torch.ts';
import type { Report } from '../../src/types.ts';
import { MemorySink, renderedBytes, vectorReport } from '../support/vector-report.ts';

// What is still held counts, not what waits for the collector.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Case {
  tile: string;
  shape: [number, number, number];
  precision?: number;
  dtype?: NonNullable<Report['vectors']>['dtype'];
  full?: boolean;
  grad?: boolean;
  text: string;
}

function load(name: string): { cases: Case[]; values(found: Case): Float32Array } {
  const url = new URL(`../../fixtures/printers/${name}.json.gz`, import.meta.url);
  const { tiles, cases } = JSON.parse(gunzipSync(readFileSync(url)).toString('utf8')) as {
    tiles: Record<string, string>;
    cases: Case[];
  };
  const values = ({ tile, shape }: Case) => {
    const bytes = Buffer.from(tiles[tile], 'base64');
    const floats = new Float32Array(new Uint8Array(bytes).buffer);
    const count = shape[0] * shape[1] * shape[2];
    return Float32Array.from({ length: count }, (_, index) => floats[index % floats.length]);
  };
  return { cases, values };
}

const nameOf = (found: Case): string => {
  const { tile, shape, text: _, ...rest } = found;
  return `${tile} [${shape.join(', ')}] ${JSON.stringify(rest)}`;
};

/** A sequence is printed as [1, seq, dim], several at once only when they are one padded array. */
function reportOf(found: Case, values: Float32Array, blockRows?: number): Report {
  const { shape, dtype = 'float32', grad } = found;
  const gradFn = grad ? 'EmbeddingBackward0' : undefined;
  return vectorReport({ shape, values, blockRows, vectors: { padded: shape[0] !== 1, dtype, gradFn } });
}

describe.each([
  { name: 'torch', renderer: torch },
  { name: 'numpy', renderer: numpy },
])('-f $name', ({ name, renderer }) => {
  const { cases, values } = load(name);

  it.each(cases.map((found) => ({ case: nameOf(found), found })))(
    'prints $case as the real one does',
    async ({ found }) => {
      const options = { precision: found.precision, full: found.full ?? false };
      const whole = await renderedBytes(renderer, reportOf(found, values(found)), options);
      expect(whole.toString()).toBe(`${found.text}\n`);
      const pieces = await renderedBytes(renderer, reportOf(found, values(found), 2), options);
      expect(pieces.toString()).toBe(`${found.text}\n`);
    },
  );

  it('prints one array for each sequence when they are not padded', async () => {
    const text = async (shape: [number, number, number], floats: number[]) =>
      (await renderedBytes(renderer, vectorReport({ shape, values: Float32Array.from(floats) }))).toString();
    const first = await text([1, 2, 2], [1, 2, 3, 4]);
    const second = await text([1, 2, 2], [0.5, 6, 7, 8]);
    expect(await text([2, 2, 2], [1, 2, 3, 4, 0.5, 6, 7, 8])).toBe(first + second);
  });

  it('prints nothing when there is no sequence', async () => {
    const report = vectorReport({ shape: [0, 0, 3], values: new Float32Array(0) });
    expect((await renderedBytes(renderer, report)).byteLength).toBe(0);
  });

  it('keeps only the ends of a long sequence in memory', async () => {
    const dim = 768;
    const rows = 100_000;
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    async function* blocks() {
      const report = vectorReport({ shape: [1, 100, dim], values: new Float32Array(100 * dim).fill(0.5) });
      for await (const block of report.blocks) {
        for (let start = 0; start < rows; start += 100) {
          yield { ...block, ends: start + 100 >= rows };
          if (start % 10_000 === 0) {
            collect();
            most = Math.max(most, process.memoryUsage().arrayBuffers - before);
          }
        }
      }
    }
    const base = vectorReport({ shape: [1, 1, dim], values: new Float32Array(dim) });
    const text = (
      await renderedBytes(renderer, { ...base, blocks: blocks() }, {}, new MemorySink())
    ).toString();
    expect(text.split('\n').length).toBeLessThan(10);
    // All rows together are 307 MB.
    expect(most).toBeLessThan(60e6);
  });
});

describe('-f numpy', () => {
  it('refuses bfloat16, which NumPy does not have', async () => {
    const report = vectorReport({
      shape: [1, 1, 1],
      values: new Float32Array(1),
      vectors: { dtype: 'bfloat16' },
    });
    await expect(renderedBytes(numpy, report)).rejects.toMatchObject({
      code: 'usage',
      message: '"dtype" is bfloat16, expected float16, float32 or float64 for numpy',
    });
  });
});
