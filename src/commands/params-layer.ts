import type { Context } from '../command.ts';
import { countLayer, fitDim, type LayerSizes, weighParameters } from '../core/parameter-count.ts';
import { EmbError } from '../errors.ts';
import type { Block, Cell, Column, Report } from '../types.ts';

/** Rows of the gpt2 tokenizer's vocabulary, which is what the scratch layer has without --vocab. */
const gpt2Vocab = 50_257;
const scratchDim = 768;

/** A column and its cell of each record. */
interface Field {
  column: Column;
  cell(record: LayerRecord): Cell;
}

interface LayerRecord {
  sizes: LayerSizes;
  budget?: number;
}

/**
 * Counts layers that no file holds: every --vocab with every --dim, or with the largest dim that --budget lets fit.
 * @throws EmbError "usage" for options that contradict each other and for a budget without room for one column
 */
export function reportLayers(context: Context): Report {
  const { options } = context;
  if (options.tied && options.untied)
    throw new EmbError('usage', '--tied and --untied contradict each other', 'leave out one');
  const budget = options.budget as number | undefined;
  if (budget !== undefined && options.dim !== undefined) {
    throw new EmbError(
      'usage',
      '--budget and --dim contradict each other',
      '--budget finds the dim; leave out one',
    );
  }
  const surroundings = {
    factorized: options.factorized as number | undefined,
    positions: options.positions as number | undefined,
    types: options.types as number | undefined,
    untied: options.untied === true,
  };
  const vocabs = (options.vocab as number[] | undefined) ?? [gpt2Vocab];
  const records = vocabs.flatMap((vocab): LayerRecord[] => {
    const sizes = { vocab, ...surroundings };
    if (budget !== undefined) return [{ sizes: { ...sizes, dim: findDim(budget, sizes) }, budget }];
    return ((options.dim as number[] | undefined) ?? [scratchDim]).map((dim) => ({
      sizes: { ...sizes, dim },
    }));
  });
  const fields = layerFields(surroundings, budget);
  async function* blocks(): AsyncGenerator<Block> {
    yield {
      cells: records.map((record) => fields.map((field) => field.cell(record))),
      sequence: 0,
      ends: true,
    };
  }
  return {
    columns: fields.map((field) => field.column),
    blocks: blocks(),
    caption: layerCaption(context),
    layout: 'records',
    single: records.length === 1,
  };
}

function layerCaption({ options }: Context): string[] {
  const caption: string[] = [];
  if (options.vocab === undefined) caption.push("vocab 50,257: the gpt2 tokenizer's (--vocab says another)");
  if (options.dim === undefined && options.budget === undefined)
    caption.push("dim 768: the scratch layer's (--dim says another)");
  if (!options.untied)
    caption.push('output head tied: it reads the same table (--untied counts one of its own)');
  return caption;
}

/** The largest dim within a budget; it must be a number, which every dim of a budget below 2^53 is. */
function findDim(budget: number, sizes: Omit<LayerSizes, 'dim'>): number {
  const dim = fitDim(budget, sizes);
  if (dim > 0n) return Number(dim);
  const least = countLayer({ ...sizes, dim: 1 }).total;
  throw new EmbError(
    'usage',
    `--budget is ${budget.toLocaleString('en-US')}, expected at least ${least.toLocaleString('en-US')}, what one dimension takes`,
    'a larger budget, or a smaller --vocab',
  );
}

function layerFields(surroundings: Omit<LayerSizes, 'vocab' | 'dim'>, budget: number | undefined): Field[] {
  const when = (shown: unknown): Pick<Column, 'where'> => (shown ? {} : { where: 'machine' });
  const count = (key: string, title: string, cell: Field['cell'], shown: unknown = true): Field => ({
    column: { key, title, kind: 'count', ...when(shown) },
    cell,
  });
  const width = surroundings.factorized === undefined ? 'D' : 'E';
  return [
    ...(budget === undefined ? [] : [count('budget', 'budget', (record) => record.budget ?? null)]),
    count('vocab', 'vocab (V)', ({ sizes }) => sizes.vocab),
    count('dim', budget === undefined ? 'dim (D)' : 'dim (D) that fits', ({ sizes }) => sizes.dim),
    ...(budget === undefined ? [] : budgetFields()),
    count(
      'factorized',
      'width of the table (E)',
      ({ sizes }) => sizes.factorized ?? null,
      surroundings.factorized,
    ),
    count('positions', 'positions (P)', ({ sizes }) => sizes.positions ?? 0, surroundings.positions),
    count('types', 'token types (T)', ({ sizes }) => sizes.types ?? 0, surroundings.types),
    count('embedding', `embedding, V x ${width}`, ({ sizes }) => countLayer(sizes).embedding),
    count(
      'position',
      `position table, P x ${width}`,
      ({ sizes }) => countLayer(sizes).position,
      surroundings.positions,
    ),
    count('type', `type table, T x ${width}`, ({ sizes }) => countLayer(sizes).type, surroundings.types),
    count(
      'projection',
      'projection, E x D',
      ({ sizes }) => countLayer(sizes).projection,
      surroundings.factorized,
    ),
    { column: { key: 'tied', title: 'output head tied', kind: 'flag' }, cell: ({ sizes }) => !sizes.untied },
    count('head', 'output head', ({ sizes }) => countLayer(sizes).head),
    count('total', 'total', ({ sizes }) => countLayer(sizes).total),
    ...weightFields(({ sizes }: LayerRecord) => countLayer(sizes).total),
    ...lookupFields(),
  ];
}

function budgetFields(): Field[] {
  const below =
    (multiple: number) =>
    ({ sizes }: LayerRecord) => {
      const dim = sizes.dim - (sizes.dim % multiple);
      return dim === 0 ? null : dim;
    };
  return [
    { column: { key: 'dim_64', title: 'multiple of 64 below', kind: 'count' }, cell: below(64) },
    { column: { key: 'dim_128', title: 'multiple of 128 below', kind: 'count' }, cell: below(128) },
    {
      column: { key: 'unused', title: 'budget left over', kind: 'count' },
      cell: ({ sizes, budget = 0 }) => BigInt(budget) - countLayer(sizes).total,
    },
  ];
}

/** What a token's rows weigh: one of each table. Units: bytes. */
function lookupFields(): Field[] {
  const values = ({ sizes }: LayerRecord): bigint => {
    const tables = 1 + (sizes.positions ? 1 : 0) + (sizes.types ? 1 : 0);
    return BigInt(tables) * BigInt(sizes.factorized ?? sizes.dim);
  };
  return [
    {
      column: { key: 'lookup_bytes_f32', title: 'read per token, f32', kind: 'size' },
      cell: (record) => values(record) * 4n,
    },
    {
      column: { key: 'lookup_bytes_f16', title: 'read per token, f16', kind: 'size' },
      cell: (record) => values(record) * 2n,
    },
  ];
}

/** Columns of what that many parameters weigh, stored and trained. */
export function weightFields<Item>(
  total: (item: Item) => bigint,
): { column: Column; cell(item: Item): Cell }[] {
  const field = (key: string, title: string, pick: keyof ReturnType<typeof weighParameters>) => ({
    column: { key, title, kind: 'size' as const },
    cell: (item: Item): Cell => weighParameters(total(item))[pick],
  });
  return [
    field('bytes_f32', 'as f32', 'f32'),
    field('bytes_f16', 'as f16 or bf16', 'f16'),
    field('bytes_int8', 'as int8 or f8', 'int8'),
    field('bytes_q4_0', 'as q4_0 (4.5 bits)', 'q4'),
    field('gradient_bytes', 'gradients, f32', 'gradients'),
    field('adam_bytes', 'Adam states, 2 x f32', 'adam'),
    field('training_bytes', 'training: all of them, f32', 'training'),
  ];
}
