import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Context, OptionValues } from '../../src/command.ts';
import { command } from '../../src/commands/params.ts';
import { groupNames } from '../../src/core/architecture-count.ts';
import { EmbError } from '../../src/errors.ts';
import { openModel } from '../../src/model/open.ts';
import { findPreset, presets } from '../../src/model/presets/index.ts';
import type { ByteSource, Layer, Model, Report, TensorInfo } from '../../src/types.ts';

type Records = Record<string, unknown>[];

const source = (name: string): ByteSource => ({
  name,
  byteLength: 0,
  read: () => Promise.reject(new Error('params read weights')),
  readMany: () => Promise.reject(new Error('params read weights')),
  close: () => Promise.resolve(),
});
const shard = source('model.safetensors');

function tensor(name: string, shape: number[], offset: number, dtype = 'F32'): TensorInfo {
  const byteLength = shape.reduce((product, size) => product * size, 4);
  return { name, shape, dtype, offset, byteLength, source: shard };
}

function model(
  tensors: TensorInfo[],
  roles: Partial<Record<Layer, string>>,
  config: Record<string, unknown> = {},
): Model {
  return {
    name: './tiny',
    config,
    layout: async () => undefined,
    contents: async () => ({
      format: 'safetensors',
      files: ['tiny/model.safetensors'],
      tensors,
      metadata: new Map(),
    }),
    roles: async () =>
      Object.entries(roles).map(([layer, name]) => ({ layer: layer as Layer, tensor: name, reason: '' })),
    table: () => Promise.reject(new Error('params read a table')),
    tokenizer: () => Promise.reject(new Error('params opened a tokenizer')),
    hasTokenizer: async () => false,
    close: () => Promise.resolve(),
  } as unknown as Model;
}

/** Runs the command on values as the command line gives them; reads nothing. */
async function run(
  args: string[],
  options: OptionValues = {},
  more: { models?: Record<string, Model>; env?: string } = {},
): Promise<{ records: Records; report: Report; notes: string[] }> {
  const notes: string[] = [];
  const context = {
    args,
    options,
    format: 'json',
    modelRef: (options.model as string | undefined) ?? more.env,
    open: async (ref: string) => {
      const found = more.models?.[ref];
      if (!found) throw new EmbError('missing', `${ref}: no such file or folder`);
      return found;
    },
    presets: async () => presets,
    encodingOf: async () => undefined,
    preset: async (ref: string) => (more.models?.[ref] ? undefined : findPreset(ref)),
    note: (message: string) => notes.push(message),
  } as unknown as Context;
  const report = await command.run(context);
  const records: Records = [];
  for await (const block of report.blocks) {
    for (const cells of block.cells) {
      records.push(Object.fromEntries(report.columns.map((column, index) => [column.key, cells[index]])));
    }
  }
  return { records, report, notes };
}

const refusal = async (args: string[], options: OptionValues = {}): Promise<EmbError> => {
  const error = await run(args, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EmbError);
  return error as EmbError;
};

describe('a layer of given sizes', () => {
  test('50,000 x 768 is 38,400,000 parameters, tied, and 153.6 million bytes', async () => {
    const { records, report } = await run([], { vocab: [50000], dim: [768] });
    expect(report.single).toBe(true);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      vocab: 50000,
      dim: 768,
      embedding: 38_400_000n,
      tied: true,
      head: 0n,
      total: 38_400_000n,
      bytes_f32: 153_600_000n,
      bytes_f16: 76_800_000n,
      bytes_int8: 38_400_000n,
      bytes_q4_0: 21_600_000n,
      gradient_bytes: 153_600_000n,
      adam_bytes: 307_200_000n,
      training_bytes: 614_400_000n,
      lookup_bytes_f32: 3072n,
      lookup_bytes_f16: 1536n,
    });
  });

  test('positions, types and a head of its own are added', async () => {
    const { records } = await run([], { vocab: [30522], dim: [768], positions: 512, types: 2, untied: true });
    expect(records[0]).toMatchObject({
      embedding: 23_440_896n,
      position: 393_216n,
      type: 1536n,
      head: 23_440_896n,
      tied: false,
      total: 47_276_544n,
      lookup_bytes_f32: 9216n,
    });
  });

  test('a factorized table has the sizes of ALBERT', async () => {
    const sizes = { vocab: [30000], dim: [4096], factorized: 128, positions: 512, types: 2 };
    const { records } = await run([], sizes);
    const albert = (await run(['albert-xxlarge-v2'])).records[0]!;
    expect(records[0]).toMatchObject({
      embedding: albert.embedding,
      position: albert.position,
      type: albert.type,
    });
    // ALBERT's projection has a bias, which a layer of given sizes does not count.
    expect(records[0]!.projection).toBe((albert.projection as bigint) - 4096n);
    expect(records[0]!.lookup_bytes_f32).toBe(3n * 128n * 4n);
    const untied = await run([], { ...sizes, untied: true });
    expect(untied.records[0]!.head).toBe(30000n * 128n + 128n * 4096n);
  });

  test('lists stand side by side, every vocabulary with every width', async () => {
    const { records, report } = await run([], { vocab: [10, 20], dim: [768, 1600, 12288] });
    expect(report).toMatchObject({ single: false, layout: 'records' });
    expect(records.map(({ vocab, dim }) => [vocab, dim])).toEqual([
      [10, 768],
      [10, 1600],
      [10, 12288],
      [20, 768],
      [20, 1600],
      [20, 12288],
    ]);
  });

  test('what is left out is what the scratch layer has, and said', async () => {
    const wide = await run([], { dim: [12288] });
    expect(wide.records[0]).toMatchObject({ vocab: 50257, embedding: 617_558_016n });
    expect(wide.report.caption?.join()).toContain('50,257');
    const tall = await run([], { vocab: [50000] });
    expect(tall.records[0]).toMatchObject({ dim: 768, embedding: 38_400_000n });
  });

  test('counts beyond 2^53 stay exact', async () => {
    const { records } = await run([], { vocab: [1e12], dim: [12289] });
    expect(records[0]!.embedding).toBe(12_289_000_000_000_000n);
    const largest = await run([], { vocab: [Number.MAX_SAFE_INTEGER], dim: [Number.MAX_SAFE_INTEGER] });
    expect(largest.records[0]!.embedding).toBe(81129638414606663681390495662081n);
  });

  test('EMB_MODEL does not get into a count of given sizes', async () => {
    const { records } = await run([], { vocab: [5], dim: [3] }, { env: 'gpt2' });
    expect(records[0]!.embedding).toBe(15n);
    const named = await run([], {}, { env: 'gpt2' });
    expect(named.records[0]!.model).toBe('gpt2');
  });
});

describe('a budget', () => {
  test('100M parameters pay for 2,000 dimensions of 50,000 rows', async () => {
    const { records } = await run([], { budget: 100_000_000, vocab: [50000] });
    expect(records[0]).toMatchObject({
      budget: 100_000_000,
      dim: 2000,
      dim_64: 1984,
      dim_128: 1920,
      unused: 0n,
    });
  });

  test.each([
    [{}],
    [{ untied: true }],
    [{ positions: 1024, types: 2 }],
    [{ factorized: 128, positions: 512 }],
    [{ factorized: 64, untied: true }],
  ])('the dim that fits is the largest: one more would not (%o)', async (surroundings) => {
    const options = { budget: 123_456_789, vocab: [50257], ...surroundings };
    const { records } = await run([], options);
    const dim = records[0]!.dim as number;
    expect(records[0]!.total as bigint).toBeLessThanOrEqual(123_456_789n);
    expect(records[0]!.unused).toBe(123_456_789n - (records[0]!.total as bigint));
    const more = await run([], { ...surroundings, vocab: [50257], dim: [dim + 1] });
    expect(more.records[0]!.total as bigint).toBeGreaterThan(123_456_789n);
  });

  test('a dim below 64 has no multiple of 64 below it', async () => {
    const { records } = await run([], { budget: 1000, vocab: [100] });
    expect(records[0]).toMatchObject({ dim: 10, dim_64: null, dim_128: null });
  });

  test('a budget that pays for no column is refused with both numbers', async () => {
    const error = await refusal([], { budget: 1000, vocab: [50000] });
    expect(error.code).toBe('usage');
    expect(error.message).toContain('1,000');
    expect(error.message).toContain('50,000');
  });
});

describe('presets', () => {
  test('GPT-2: 124,439,808 in all, 31.0% in the table, which the head shares', async () => {
    const { records } = await run(['gpt2']);
    expect(records[0]).toMatchObject({
      model: 'gpt2',
      format: 'preset',
      vocab: 50257,
      dim: 768,
      layers: 12,
      total: 124_439_808n,
      embedding: 38_597_376n,
      position: 786_432n,
      attention: 28_348_416n,
      mlp: 56_669_184n,
      norms: 38_400n,
      head: 0n,
      other: 0n,
      tied: true,
      stored: null,
      lookup_bytes_f32: 6144n,
    });
    expect(records[0]!.embedding_share).toBeCloseTo(0.3102, 4);
  });

  test('several stand side by side, under names of the hub too', async () => {
    const { records, report } = await run(['bert-base', 'openai-community/gpt2-xl', 'llama-2-7b']);
    expect(report.single).toBe(false);
    expect(records.map(({ model, total, tied }) => [model, total, tied])).toEqual([
      ['bert-base-uncased', 109_482_240n, null],
      ['gpt2-xl', 1_557_611_200n, true],
      ['llama-2-7b', 6_738_415_616n, false],
    ]);
  });

  test('an unknown name is missing, with the names near to it', async () => {
    const error = await refusal(['gpt2-xxl']);
    expect(error.code).toBe('missing');
    expect(error.message).toContain('gpt2-xxl');
    expect(error.hint).toMatch(/^did you mean gpt2-xl/);
  });

  test('--vocab and --dim beside a model must be what it has', async () => {
    const error = await refusal(['gpt2'], { dim: [512] });
    expect(error.code).toBe('range');
    expect(error.message).toContain('512');
    expect(error.message).toContain('768');
    expect((await run(['gpt2'], { dim: [768], vocab: [50257] })).records).toHaveLength(1);
  });

  test('--list has every preset with a share below one and a source', async () => {
    const { records } = await run([], { list: true });
    expect(records).toHaveLength(presets.length);
    for (const row of records) {
      expect(row.embedding_share as number).toBeGreaterThan(0);
      expect(row.embedding_share as number).toBeLessThan(1);
    }
    const some = await run(['qwen3'], { list: true });
    expect(some.records.length).toBeGreaterThan(5);
    expect(some.records.length).toBeLessThan(20);
    expect((await refusal(['qwen33'], { list: true })).code).toBe('missing');
  });
});

describe('folders as transformers writes them', () => {
  const {
    folders,
  }: { folders: Record<string, { total: number; groups: Record<string, number>; tied: boolean | null }> } =
    JSON.parse(readFileSync(new URL('../../fixtures/presets/folders.json', import.meta.url), 'utf8'));

  test.each(Object.entries(folders))(
    '%s has the parameters that torch counts, group by group',
    async (name, wanted) => {
      const opened = await openModel(join('fixtures', 'model', name), { note: () => {} });
      const { records } = await run(['./it'], {}, { models: { './it': opened } });
      await opened.close();
      const groups = Object.fromEntries(
        groupNames.map((group) => [group, BigInt(wanted.groups[group] ?? 0)]),
      );
      expect(records[0]).toMatchObject({ total: BigInt(wanted.total), ...groups, tied: wanted.tied });
    },
  );
});

describe('model files', () => {
  const body = [
    tensor('h.0.attn.c_attn.weight', [4, 12], 400),
    tensor('h.0.attn.bias', [1, 1, 8, 8], 592),
    tensor('h.0.mlp.c_fc.weight', [4, 16], 848),
    tensor('ln_f.weight', [4], 1104),
  ];

  test('groups are told by roles and names, buffers are no parameters, and no weights are read', async () => {
    const tiny = model([tensor('wte.weight', [10, 4], 0), tensor('wpe.weight', [8, 4], 160), ...body], {
      input: 'wte.weight',
      position: 'wpe.weight',
    });
    const { records } = await run(['./tiny'], {}, { models: { './tiny': tiny } });
    expect(records[0]).toMatchObject({
      model: './tiny',
      format: 'safetensors',
      vocab: 10,
      dim: 4,
      stored: 252n,
      buffers: 64n,
      total: 188n,
      embedding: 40n,
      position: 32n,
      attention: 48n,
      mlp: 64n,
      norms: 4n,
      head: 0n,
      tied: null,
      bytes_stored: 1008n,
      lookup_bytes_f32: 32n,
    });
  });

  test('two names of the same bytes are one parameter, and the head is tied', async () => {
    const tables = [tensor('lm_head.weight', [10, 4], 0), tensor('wte.weight', [10, 4], 0)];
    const tiny = model([...tables, ...body], { input: 'wte.weight', output: 'lm_head.weight' });
    const { records } = await run(['./tiny'], {}, { models: { './tiny': tiny } });
    expect(records[0]).toMatchObject({ tied: true, embedding: 40n, head: 0n, stored: 260n, total: 156n });
  });

  test('a head with bytes of its own counts, unless the config says that it is tied', async () => {
    const tables = [tensor('wte.weight', [10, 4], 0), tensor('lm_head.weight', [10, 4], 160)];
    const roles = { input: 'wte.weight', output: 'lm_head.weight' } as const;
    const models = {
      './two': model(tables, roles),
      './one': model(tables, roles, { tie_word_embeddings: true }),
    };
    const { records, notes } = await run(['./two', './one'], {}, { models });
    expect(records[0]).toMatchObject({ tied: false, embedding: 40n, head: 40n, total: 80n, stored: 80n });
    expect(records[1]).toMatchObject({ tied: true, embedding: 40n, head: 0n, total: 40n, stored: 80n });
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain('lm_head.weight');
  });

  test('a head that is not stored is tied where the class of the config has one, else unknown', async () => {
    const tables = [tensor('wte.weight', [10, 4], 0)];
    const roles = { input: 'wte.weight', output: 'wte.weight' } as const;
    const tied = async (config: Record<string, unknown>) =>
      (await run(['./x'], {}, { models: { './x': model(tables, roles, config) } })).records[0]!.tied;
    expect(await tied({ architectures: ['GPT2LMHeadModel'] })).toBe(true);
    expect(await tied({ architectures: ['BertModel'] })).toBe(null);
    expect(await tied({ architectures: ['LlamaForCausalLM'], tie_word_embeddings: false })).toBe(null);
    expect(await tied({ tie_word_embeddings: true })).toBe(true);
    expect(await tied({ tie_word_embeddings: true, architectures: ['RobertaModel'] })).toBe(null);
    expect(await tied({ architectures: 'no list' })).toBe(null);
  });

  test('roles that cannot be told apart are noted, and the counts stand', async () => {
    const torn = {
      ...model([tensor('a.wte.weight', [10, 4], 0), tensor('b.wte.weight', [10, 4], 160)], {}),
      roles: async () => {
        throw new EmbError('missing', 'x: 2 tensors may be the input embedding');
      },
    };
    const { records, notes } = await run(['./torn'], {}, { models: { './torn': torn } });
    expect(records[0]).toMatchObject({ total: 80n, embedding: 80n, vocab: null, embedding_share: null });
    expect(notes).toEqual(['x: 2 tensors may be the input embedding']);
  });

  test('a file comes before a preset of the same name', async () => {
    const tiny = model([tensor('wte.weight', [10, 4], 0)], { input: 'wte.weight' });
    const { records } = await run(['gpt2', 'bert-base'], {}, { models: { gpt2: tiny } });
    expect(records.map((record) => record.format)).toEqual(['safetensors', 'preset']);
  });

  test('a file without a table has counts, and nothing is made up for the rest', async () => {
    const bare = model([tensor('x', [2, 3], 0), tensor('y', [], 24)], {});
    const { records } = await run(['./bare'], {}, { models: { './bare': bare } });
    expect(records[0]).toMatchObject({
      total: 7n,
      other: 7n,
      vocab: null,
      dim: null,
      tied: null,
      lookup_bytes_f32: null,
    });
  });

  test('a file without tensors is refused', async () => {
    const none = run(['./none'], {}, { models: { './none': model([], {}) } });
    await expect(none).rejects.toMatchObject({ code: 'missing', message: './none: has no tensors' });
  });

  test('packed whole numbers are noted', async () => {
    const packed = model(
      [tensor('a.qweight', [2, 3], 0, 'I32'), tensor('position_ids', [1, 9], 24, 'I64')],
      {},
    );
    const { notes } = await run(['./p'], {}, { models: { './p': packed } });
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain('(I32) in 1 of its tensors');
  });
});

describe('what params refuses', () => {
  test('nothing at all', async () => {
    const error = await refusal([]);
    expect(error.code).toBe('usage');
    expect(error.hint).toContain('--vocab 50000 --dim 768');
  });

  test.each([
    [[], { tied: true, untied: true, vocab: [5] }],
    [[], { budget: 100, dim: [5] }],
    [['gpt2'], { positions: 5 }],
    [['gpt2'], { budget: 5 }],
    [[], { list: true, vocab: [5] }],
  ] as [string[], OptionValues][])('contradictions: %o %o', async (args, options) => {
    const error = await refusal(args, options);
    expect(error.code).toBe('usage');
    expect(error.hint).toBeTruthy();
  });
});
