import ndarray from 'ndarray';
import { describe, expect, it } from 'vitest';
import type { Context } from '../../src/command.ts';
import { command } from '../../src/commands/stats.ts';
import { EmbError } from '../../src/errors.ts';
import { renderer as json } from '../../src/render/json.ts';
import { renderer as tableRenderer } from '../../src/render/table.ts';
import type { EmbeddingTable, Layer, Model, Token, Tokenizer } from '../../src/types.ts';
import { rendered } from '../support/report.ts';

const pieces = ['<s>', 'Hel', 'lo', ' wor', 'ld', '\x1b[31m'];

/** One token per piece, greedily; <s> before every text. */
const tokenizer: Tokenizer = {
  kind: 'test',
  name: 'pieces',
  vocabSize: pieces.length,
  encodeIds(text, into, options) {
    if (options?.template !== false) into.ids[into.length++] = 0;
    for (let at = 0; at < text.length; ) {
      const id = pieces.findIndex((piece, index) => index > 0 && text.startsWith(piece, at));
      if (id < 0) throw new Error(`no piece at ${at}`);
      into.ids[into.length++] = id;
      at += pieces[id].length;
    }
  },
  encode(): Token[] {
    throw new Error('stats asks for ids only');
  },
  decodeBytes: (ids) => new TextEncoder().encode(Array.from(ids, (id) => pieces[id]).join('')),
  tokenOf: (id) => pieces[id],
  bytesOf: (id) => (id < pieces.length ? new TextEncoder().encode(pieces[id]) : undefined),
  idOf: (token) => pieces.indexOf(token),
  isSpecial: (id) => id === 0,
  suggest: () => [],
  explains: 'pieces',
  explain: () => [],
};

interface Setting {
  rows?: number[][];
  args?: string[];
  options?: Record<string, unknown>;
  ids?: number[][];
  vectors?: number[][];
  named?: boolean;
  label?: string;
}

function tableOf(rows: number[][], label?: string): EmbeddingTable {
  const dim = rows[0].length;
  const data = Float32Array.from(rows.flat());
  return {
    tensorName: 'wte.weight',
    dtype: 'F32',
    rows: rows.length,
    dim,
    byteLength: data.byteLength,
    label,
    rounds: false,
    async gather(ids) {
      const gathered = new Float32Array(ids.length * dim);
      ids.forEach((id, i) => {
        gathered.set(data.subarray(id * dim, (id + 1) * dim), i * dim);
      });
      return ndarray(gathered, [ids.length, dim]);
    },
    async *scan() {
      // One buffer for all blocks, as in production.
      const block = new Float32Array(dim * 2);
      for (let start = 0; start < rows.length; start += 2) {
        const piece = data.subarray(start * dim, (start + 2) * dim);
        block.set(piece);
        yield { start, rows: piece.length / dim, data: block.subarray(0, piece.length) };
      }
    },
  };
}

async function stats(setting: Setting) {
  const { rows = [], args = [], options = {}, ids, vectors, named = true, label } = setting;
  const notes: string[] = [];
  const asked: (Layer | undefined)[] = [];
  const model = {
    name: 'a model',
    hasTokenizer: async () => named,
    tokenizer: async () => tokenizer,
    roles: async () => [{ layer: 'input' as const, tensor: 'wte.weight', reason: 'name' }],
    async table(layer?: Layer) {
      asked.push(layer);
      return tableOf(rows, label);
    },
  } as Partial<Model> as Model;
  const context = {
    args,
    options,
    format: 'json',
    modelRef: label === undefined ? 'a model' : undefined,
    open: async () => model,
    tokenizer: async () => tokenizer,
    inputKind: () => (vectors ? 'vectors' : ids ? 'ids' : args.length > 0 ? 'texts' : 'none'),
    async *texts() {
      for (const [row, text] of args.entries()) yield { row, text };
    },
    async *idSequences() {
      for (const [row, list] of (ids ?? []).entries()) yield { row, ids: Uint32Array.from(list) };
    },
    async vectors() {
      return { data: Float32Array.from(vectors!.flat()), rows: vectors!.length, dim: vectors![0].length };
    },
    note: (message: string) => void notes.push(message),
    progress: () => ({ advance() {}, done() {} }),
  } as Partial<Context> as Context;
  const report = await command.run(context);
  const record = JSON.parse(await rendered(json, await command.run(context)));
  return { report, record, notes, asked };
}

const small = [
  [0, 0],
  [3, 4],
  [-6, 8],
  [0, 1],
  [1, 0],
  [5, 12],
  [1, 1],
];

describe('emb stats', () => {
  it('measures a whole table and names extremes by token', async () => {
    const { record, report } = await stats({ rows: small });
    expect(record).toMatchObject({
      tensor: 'wte.weight',
      dtype: 'F32',
      rows: 7,
      dim: 2,
      bytes: 56,
      values: 14,
      nan: 0,
      inf: 0,
      nonfinite_rows: 0,
      zero_rows: 1,
      padding_rows: 1,
      min: -6,
      min_id: 2,
      min_token: 'lo',
      min_dim: 0,
      max: 12,
      max_id: 5,
      max_token: '\x1b[31m',
      max_dim: 1,
      norm_min: 0,
      norm_max: 13,
      histogram_rows: 7,
    });
    expect(record.mean).toBeCloseTo(30 / 14, 12);
    expect(record.smallest_norms[0]).toEqual({ id: 0, token: '<s>', norm: 0 });
    expect(record.largest_norms.map(({ id }: { id: number }) => id)).toEqual([5, 2, 1, 6, 3]);
    expect(record.largest_norms[3]).toEqual({ id: 6, token: null, norm: Math.SQRT2 });
    expect(report.caption).toEqual(['a model · wte.weight · F32 · 7 x 2 · tokenizer pieces']);
    expect(report.single).toBe(true);
  });

  it('says null, not 0, for what it cannot know', async () => {
    const { record } = await stats({ rows: [[Number.NaN, Number.POSITIVE_INFINITY]], named: false });
    expect(record).toMatchObject({ nan: 1, inf: 1, nonfinite_rows: 1, zero_rows: 0, padding_rows: null });
    for (const key of ['mean', 'std', 'min', 'min_id', 'max_dim', 'norm_mean', 'norm_min', 'mean_cosine']) {
      expect(record[key]).toBeNull();
    }
    expect([record.smallest_norms, record.histogram]).toEqual([[], []]);
    expect(Object.keys(record)).not.toContain('min_token');
  });

  it('shows a hostile token escaped in tables', async () => {
    const { report } = await stats({ rows: small });
    const shown = await rendered(tableRenderer, report);
    expect(shown).not.toContain('\x1b');
    expect(shown).toContain('\\x1b[31m');
  });

  it('notes ids that have no row, but not for a scratch layer of chosen size', async () => {
    const { notes, record } = await stats({ rows: small.slice(0, 4) });
    expect(notes).toContain('the tokenizer pieces has 6 ids, the table 4 rows: 2 ids have no row');
    expect(record.padding_rows).toBe(0);
    expect((await stats({ rows: small.slice(0, 4), label: 'random init' })).notes).toEqual([]);
  });

  it('does not name rows of positions, token types and other tensors by tokens', async () => {
    for (const options of [{ layer: 'position' }, { layer: 'type' }]) {
      const { record, asked } = await stats({ rows: small, options });
      expect(asked).toEqual([options.layer, options.layer]);
      expect([record.padding_rows, record.min_token]).toEqual([null, undefined]);
    }
    const other = await stats({ rows: small, options: { tensor: 'wte.weight' } });
    expect(other.record.padding_rows).toBe(1);
  });

  it('refuses a --dim and a --vocab that the trained table does not have', async () => {
    await expect(stats({ rows: small, options: { dim: 3 } })).rejects.toThrow(
      /has 2 columns, --dim asks for 3/,
    );
    await expect(stats({ rows: small, options: { vocab: 8 } })).rejects.toThrow(EmbError);
  });

  it('measures the rows of texts, with tokens per word and characters per token', async () => {
    const { record } = await stats({ rows: small, args: ['Hello world', 'lo'] });
    expect(record).toMatchObject({
      texts: 2,
      tokens: 7,
      distinct_tokens: 5,
      words: 3,
      characters: 13,
      zero_rows: 2,
      max: 8,
      max_token: 'lo',
    });
    expect(record.tokens_per_word).toBeCloseTo(5 / 3, 12);
    expect(record.characters_per_token).toBeCloseTo(13 / 5, 12);
    expect(record.pairwise_cosine.map(({ id }: { id: number }) => id)).toEqual([0, 1, 2, 3, 4, 0, 2]);
    expect(record.pairwise_cosine[2].cosine[6]).toBeCloseTo(1, 12);
    expect(record.pairwise_cosine[3].cosine[4]).toBe(0);
    expect(record.pairwise_cosine[0].cosine).toEqual(Array(7).fill(null));
    expect(record).not.toHaveProperty('padding_rows');
  });

  it('counts of a cut text only what is left of it', async () => {
    const { record, notes } = await stats({ rows: small, args: ['Hello world'], options: { truncate: 3 } });
    expect(record).toMatchObject({ tokens: 3, words: 1, characters: 5 });
    expect(notes).toContain('text 0 has 5 tokens, cut to 3');
  });

  it('measures rows by id, each as often as it is named', async () => {
    const { record } = await stats({ rows: small, ids: [[3, 4], [3]] });
    expect(record).toMatchObject({ sequences: 2, tokens: 3, distinct_tokens: 2, norm_mean: 1, norm_std: 0 });
    expect(record.mean_cosine).toBeCloseTo(1 / 3, 12);
    expect(record).not.toHaveProperty('words');
  });

  it('leaves out the cosines of pairs when there are more than a table shows', async () => {
    const many = Array.from({ length: 25 }, (_, i) => i % 6);
    expect((await stats({ rows: small, ids: [many] })).record.pairwise_cosine).toBeNull();
    expect((await stats({ rows: small, ids: [many.slice(1)] })).record.pairwise_cosine).toHaveLength(24);
  });

  it('measures vectors without a model', async () => {
    const { record, report, asked } = await stats({
      vectors: [
        [1, 0],
        [0, 2],
      ],
    });
    expect(record).toMatchObject({ rows: 2, dim: 2, max: 2, max_row: 1, mean_cosine: 0 });
    expect(record.largest_norms[0]).toEqual({ row: 1, norm: 2 });
    expect(report.caption).toEqual(['vectors · 2 x 2']);
    expect(asked).toEqual([]);
  });

  it('says the same with either kernel', async () => {
    const rows = Array.from({ length: 3000 }, (_, i) =>
      Array.from({ length: 200 }, (_, j) => Math.sin(i * 200 + j)),
    );
    const simd = await stats({ rows, named: false });
    expect((await stats({ rows, named: false, options: { kernel: 'ts' } })).record).toEqual(simd.record);
  });

  it('says on demand how values and norms are spread', async () => {
    const { record } = await stats({ rows: small, options: { quantiles: true } });
    expect(record.quantiles.map(({ percent }: { percent: number }) => percent)).toEqual([
      0, 1, 5, 25, 50, 75, 95, 99, 100,
    ]);
    expect(record.quantiles[4]).toEqual({ percent: 50, value: 1, norm: Math.SQRT2 });
    expect(record.quantiles[8]).toEqual({ percent: 100, value: 12, norm: 13 });
    expect(record).not.toHaveProperty('duplicate_groups');
    const none = await stats({ rows: [[Number.NaN]], options: { quantiles: true } });
    expect(none.record.quantiles[0]).toEqual({ percent: 0, value: null, norm: null });
  });

  it('names on demand the rows that are equal, 0 and -0 among them', async () => {
    const rows = [...small, [3, 4], [-0, 0], [0, -0], [Number.NaN, 1], [Number.NaN, 1]];
    const { record } = await stats({ rows, options: { duplicates: true } });
    expect([record.duplicate_groups, record.duplicate_rows]).toEqual([3, 7]);
    expect(record.largest_duplicates).toEqual([
      { group: 0, rows: 3, id: 0, token: '<s>', norm: 0 },
      { group: 0, rows: 3, id: 8, token: null, norm: 0 },
      { group: 0, rows: 3, id: 9, token: null, norm: 0 },
      { group: 1, rows: 2, id: 1, token: 'Hel', norm: 5 },
      { group: 1, rows: 2, id: 7, token: null, norm: 5 },
      { group: 2, rows: 2, id: 10, token: null, norm: null },
      { group: 2, rows: 2, id: 11, token: null, norm: null },
    ]);
    expect(record).not.toHaveProperty('quantiles');
  });

  it('says on demand how the variance is spread over directions', async () => {
    const rows = [
      [2, 0, 1],
      [-2, 0, 1],
      [0, 1, 1],
      [0, -1, 1],
    ];
    const { record } = await stats({ rows, options: { spectrum: true } });
    expect(record.spectrum_rows).toBe(4);
    expect(record.total_variance).toBeCloseTo(2.5, 6);
    expect(record.participation_ratio).toBeCloseTo(6.25 / 4.25, 5);
    expect(record.effective_rank).toBeCloseTo(Math.exp(-0.8 * Math.log(0.8) - 0.2 * Math.log(0.2)), 5);
    expect(record.iso_score).toBeCloseTo((6.25 / 4.25 - 1) / 2, 5);
    expect(record.components[1].share).toBeCloseTo(0.2, 5);
    expect(record.components[1].cumulative).toBeCloseTo(1, 5);
    await expect(
      stats({ vectors: [new Array(2 ** 18 + 1).fill(0)], options: { spectrum: true } }),
    ).rejects.toThrow(/--spectrum: rows have 262,145 columns/);
  });

  it('measures the classes and scripts of tokens apart', async () => {
    const { record } = await stats({ rows: small, options: { by: 'class' } });
    expect(record.by_class.map((line: { class: string; rows: number }) => [line.class, line.rows])).toEqual([
      ['subword', 3],
      ['control', 1],
      ['no token', 1],
      ['special', 1],
      ['word', 1],
    ]);
    const [subword] = record.by_class;
    expect(subword.norm_mean).toBeCloseTo((5 + 10 + 1) / 3, 12);
    expect(subword.mean_cosine).toBeCloseTo((0.28 + 0.6 - 0.6) / 3, 12);
    const { record: scripts } = await stats({ rows: small, options: { by: 'script' } });
    expect(scripts.by_script[0]).toMatchObject({ script: 'Latin', rows: 5 });
    const missing = stats({ vectors: [[1, 2]], options: { by: 'class' } });
    await expect(missing).rejects.toThrow(/--by class needs tokens/);
  });

  it('says all of it of rows by id, of texts and of vectors', async () => {
    const options = { quantiles: true, duplicates: true, spectrum: true };
    const byId = await stats({ rows: small, ids: [[3, 4], [3]], options: { ...options, by: 'class' } });
    expect(byId.record).toMatchObject({ duplicate_groups: 1, duplicate_rows: 2, spectrum_rows: 3 });
    expect(byId.record.largest_duplicates[0]).toMatchObject({ id: 3, token: ' wor' });
    expect(byId.record.by_class).toHaveLength(2);
    const text = await stats({ rows: small, args: ['lolo'], options });
    expect(text.record.quantiles[8]).toMatchObject({ value: 8, norm: 10 });
    const vectors = await stats({ vectors: [[1], [1], [3]], options });
    expect(vectors.record.largest_duplicates[1]).toEqual({ group: 0, rows: 2, row: 1, norm: 1 });
    expect(vectors.record.total_variance).toBeCloseTo(8 / 9, 6);
  });
});
