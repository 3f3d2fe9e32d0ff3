import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openScratch, type ScratchOptions } from '../../src/model/scratch.ts';
import type { EmbeddingTable, Tokenizer } from '../../src/types.ts';
import { bytesOf, hexOf, readFixture, readGolden } from '../core/random/golden.ts';

const families = ['torch', 'torch-scalar', 'numpy'] as const;

async function openTable(options: ScratchOptions): Promise<EmbeddingTable> {
  return (await openScratch(options)).table();
}

async function scanAll(table: EmbeddingTable): Promise<Float32Array> {
  const values = new Float32Array(table.rows * table.dim);
  let row = 0;
  for await (const block of table.scan()) {
    expect(block.start).toBe(row);
    values.set(block.data, row * table.dim);
    row += block.rows;
  }
  expect(row).toBe(table.rows);
  return values;
}

async function gatherHex(table: EmbeddingTable, ids: number[]): Promise<string> {
  return hexOf((await table.gather(Uint32Array.from(ids))).data);
}

describe('scratch table', () => {
  it('has the shape asked for, says that it is random, and is a float32 tensor named weight', async () => {
    const table = await openTable({ vocab: 10, dim: 4, seed: '-7' });
    expect(table).toMatchObject({
      rows: 10,
      dim: 4,
      dtype: 'F32',
      byteLength: 160,
      tensorName: 'weight',
      rounds: false,
    });
    expect(table.label).toBe('random init, seed -7, untrained');
    const matrix = await table.gather(Uint32Array.of(3, 0, 3));
    expect(matrix.shape).toEqual([3, 4]);
    expect(matrix.get(0, 2)).toBe(matrix.get(2, 2));
  });

  it('is 768 wide with seed 0 unless told otherwise, and reads text seeds', async () => {
    const table = await openTable({ vocab: 50257 });
    expect([table.rows, table.dim]).toEqual([50257, 768]);
    expect(table.label).toBe('random init, seed 0, untrained');
    expect(await gatherHex(table, [50256])).toBe(
      await gatherHex(await openTable({ vocab: 50257, seed: '0x0' }), [50256]),
    );
  });

  it('gathers single rows of GPT-2 sized tables as PyTorch draws them', async () => {
    const golden = readGolden('golden.json').filter((known) => known.vocab * known.dim > 1_000_000);
    expect(golden.length).toBeGreaterThanOrEqual(3);
    for (const { seed, vocab, dim, rows } of golden) {
      const table = await openTable({ vocab, dim, seed });
      for (const [row, bits] of Object.entries(rows))
        expect(await gatherHex(table, [Number(row)])).toBe(bits);
    }
  });

  it.each(families)('gathers %s rows equal to scanned rows', async (init) => {
    const property = fc.asyncProperty(
      fc.bigInt({ min: 0n, max: 2n ** 40n }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 90 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      fc.option(fc.nat(), { nil: undefined }),
      async (seed, vocab, dim, picks, padding) => {
        const table = await openTable({ seed, vocab, dim, init, paddingIdx: padding && padding % vocab });
        const all = await scanAll(table);
        const ids = picks.map((pick) => pick % vocab);
        const expected = ids.map((id) => hexOf(all.subarray(id * dim, (id + 1) * dim))).join('');
        expect(await gatherHex(table, ids)).toBe(expected);
        expect(await gatherHex(table, ids)).toBe(expected);
      },
    );
    await fc.assert(property, { seed: 23, numRuns: 100 });
  });

  it('has zeros in its padding row and leaves the others, as nn.Embedding does', async () => {
    interface PaddingCase {
      init: (typeof families)[number];
      seed: number;
      vocab: number;
      dim: number;
      padding_idx?: number;
      values: string;
    }
    const cases = readFixture<{ cases: PaddingCase[] }>('std.json').cases.filter(
      (known) => known.padding_idx !== undefined,
    );
    expect(cases.length).toBe(8);
    for (const { init, seed, vocab, dim, padding_idx: paddingIdx, values } of cases) {
      const table = await openTable({ init, seed: BigInt(seed), vocab, dim, paddingIdx });
      expect(hexOf(await scanAll(table))).toBe(values);
      expect(await gatherHex(table, [...Array(vocab).keys()])).toBe(values);
    }
  });

  it('refuses an id beyond its rows with the id and the row count', async () => {
    const table = await openTable({ vocab: 10, dim: 2 });
    const refused = table.gather(Uint32Array.of(3, 10));
    await expect(refused).rejects.toThrow(expect.objectContaining({ code: 'range' }));
    await expect(refused).rejects.toThrow(/"id" is 10, expected less than the table's 10 rows/);
  });

  it('refuses answers that no memory holds', async () => {
    const table = await openTable({ vocab: 1, dim: 2 ** 53 });
    await expect(table.gather(Uint32Array.of(0))).rejects.toThrow(/"rows x dim" is 1 x 9007199254740992/);
    await expect(table.scan()[Symbol.asyncIterator]().next()).rejects.toThrow(
      expect.objectContaining({ code: 'range' }),
    );
  });

  it('scans in one bounded buffer, whatever the table', async () => {
    const buffers = new Set<ArrayBufferLike>();
    let values = 0;
    for await (const block of (await openTable({ vocab: 2 ** 32 - 1, dim: 700 })).scan()) {
      buffers.add(block.data.buffer);
      values += block.data.length;
      expect(bytesOf(block.data).length).toBeLessThanOrEqual(2 ** 20);
      if (values > 1_000_000) break;
    }
    expect(buffers.size).toBe(1);
  });
});

describe('scratch model', () => {
  const tokenizer = async () => ({ vocabSize: 321 }) as Tokenizer;

  it('has as many rows as --vocab, else as the tokenizer is known to have, else as it has', async () => {
    let loads = 0;
    const counted = () => {
      loads++;
      return tokenizer();
    };
    const rowsOf = async (options: ScratchOptions) => (await openTable(options)).rows;
    expect(await rowsOf({ vocab: 5, defaultVocab: 7, tokenizer: counted })).toBe(5);
    expect(await rowsOf({ defaultVocab: 7, tokenizer: counted })).toBe(7);
    expect(loads).toBe(0);
    expect(await rowsOf({ tokenizer: counted })).toBe(321);
    await expect(openScratch({})).rejects.toThrow('"vocab" is missing');
  });

  it('brings the tokenizer it was given, no tensors and one role', async () => {
    const model = await openScratch({ tokenizer });
    expect(model.name).toBe('scratch');
    expect(await model.hasTokenizer()).toBe(true);
    expect((await model.tokenizer()).vocabSize).toBe(321);
    expect((await model.contents()).tensors).toEqual([]);
    expect((await model.roles()).map((role) => role.layer)).toEqual(['input']);
    const bare = await openScratch({ vocab: 3 });
    expect(await bare.hasTokenizer()).toBe(false);
    await expect(bare.tokenizer()).rejects.toThrow(expect.objectContaining({ code: 'missing' }));
  });

  it('has no output, position or type table and no other tensor', async () => {
    const model = await openScratch({ vocab: 3 });
    for (const layer of ['output', 'position', 'type'] as const) {
      await expect(model.table(layer)).rejects.toThrow(expect.objectContaining({ code: 'missing' }));
    }
    await expect(model.table('input', 'wte')).rejects.toThrow(/wte/);
    expect((await model.table('input', 'weight')).rows).toBe(3);
  });

  it.each([
    [{ vocab: 0 }, '"vocab" is 0, expected an integer from 1 to 4294967295'],
    [{ vocab: 2 ** 32 }, '"vocab" is 4294967296, expected an integer from 1 to 4294967295'],
    [{ vocab: 1.5 }, '"vocab" is 1.5'],
    [{ vocab: 3, dim: 0 }, '"dim" is 0, expected an integer from 1'],
    [
      { vocab: 4_000_000_000, dim: 4_000_000 },
      '"vocab x dim" is 4000000000 x 4000000 = 16000000000000000 values',
    ],
    [{ vocab: 3, std: -1 }, '"std" is -1, expected a finite number of at least 0'],
    [{ vocab: 3, std: Number.NaN }, '"std" is NaN'],
    [{ vocab: 3, std: Number.POSITIVE_INFINITY }, '"std" is Infinity'],
    [{ vocab: 3, paddingIdx: 3 }, '--padding-idx is 3, expected -3 to 2'],
    [{ vocab: 3, paddingIdx: -4 }, '--padding-idx is -4, expected -3 to 2'],
    [{ vocab: 3, seed: 'x' }, '--seed is "x", expected an integer'],
    [{ vocab: 3, seed: -1n, init: 'numpy' as const }, '--seed is -1, expected at least 0 for numpy'],
    [{ vocab: 3, seed: 2n ** 64n }, '--seed is 18446744073709551616'],
  ])('refuses %o as usage', async (options, message) => {
    const refused = openScratch(options);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
