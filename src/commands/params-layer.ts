import type { Context } from '../command.ts';
import { countLayer, fitDim, type LayerSizes, weighParameters } from '../core/parameter-count.ts';
import { EmbError } from '../errors.ts';
import { formatCount } from '../text/numbers.ts';
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
  if (options.dim === undefined && options.budget === undefined) {
    caption.push("dim 768: the scratch layer's (--dim says another)");
  }
  if (options.budget !== undefined) caption.push('dim: the largest that the budget pays for');
  const width = options.factorized === undefined ? 'V x D' : 'V x E, projected by E x D';
  const head = options.untied ? 'its own' : 'the same table (--untied counts one of its own)';
  caption.push(`embedding: ${width}; output head: ${head}`, weightCaption);
  return caption;
}

/** Says what the columns of weightFields and the lookup hold. */
export const weightCaption =
  'Adam: 2 x f32 per parameter; training: weights, gradients and Adam in f32; lookup: rows read per token';

/** The largest dim within a budget; it must be a number, which every dim of a budget below 2^53 is. */
function findDim(budget: number, sizes: Omit<LayerSizes, 'dim'>): number {
  const dim = fitDim(budget, sizes);
  if (dim > 0n) return Number(dim);
  const least = countLayer({ ...sizes, dim: 1 }).total;
  throw new EmbError(
    'usage',
    `--budget is ${formatCount(budget)}, expected at least ${formatCount(least)}, what one dimension takes`,
    'a larger budget, or a smaller --vocab',
  );
}

function layerFields(surroundings: Omit<LayerSizes, 'vocab' | 'dim'>, budget: number | undefined): Field[] {
  const count = (key: string, title: string, cell: Field['cell'], shown = true): Field => ({
    column: { key, title, kind: 'count', where: shown ? 'all' : 'machine' },
    cell,
  });
  const factorized = surroundings.factorized !== undefined;
  const positions = surroundings.positions !== undefined;
  const types = surroundings.types !== undefined;
  return [
    ...(budget === undefined ? [] : [count('budget', 'budget', (record) => record.budget ?? null)]),
    count('vocab', 'vocab (V)', ({ sizes }) => sizes.vocab),
    count('dim', 'dim (D)', ({ sizes }) => sizes.dim),
    ...(budget === undefined ? [] : budgetFields()),
    count('factorized', 'width (E)', ({ sizes }) => sizes.factorized ?? null, factorized),
    count('positions', 'positions', ({ sizes }) => sizes.positions ?? 0, positions),
    count('types', 'types', ({ sizes }) => sizes.types ?? 0, types),
    count('embedding', 'embedding', ({ sizes }) => countLayer(sizes).embedding),
    count('position', 'position', ({ sizes }) => countLayer(sizes).position, positions),
    count('type', 'type', ({ sizes }) => countLayer(sizes).type, types),
    count('projection', 'projection', ({ sizes }) => countLayer(sizes).projection, factorized),
    { column: { key: 'tied', title: 'head tied', kind: 'flag' }, cell: ({ sizes }) => !sizes.untied },
    count('head', 'output head', ({ sizes }) => countLayer(sizes).head),
    count('total', 'total', ({ sizes }) => countLayer(sizes).total),
    ...weightFields(({ sizes }: LayerRecord) => countLayer(sizes).total),
    ...lookupFields(({ sizes }: LayerRecord) => {
      const tables = 1 + (sizes.positions ? 1 : 0) + (sizes.types ? 1 : 0);
      return BigInt(tables) * BigInt(sizes.factorized ?? sizes.dim);
    }),
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
    { column: { key: 'dim_64', title: 'x 64 below', kind: 'count' }, cell: below(64) },
    { column: { key: 'dim_128', title: 'x 128 below', kind: 'count' }, cell: below(128) },
    {
      column: { key: 'unused', title: 'unused', kind: 'count' },
      cell: ({ sizes, budget = 0 }) => BigInt(budget) - countLayer(sizes).total,
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
    field('bytes_f16', 'as f16/bf16', 'f16'),
    field('bytes_int8', 'as int8/f8', 'int8'),
    field('bytes_q4_0', 'as q4_0', 'q4'),
    field('gradient_bytes', 'gradients', 'gradients'),
    field('adam_bytes', 'Adam states', 'adam'),
    field('training_bytes', 'training', 'training'),
  ];
}

/** Columns of what the rows of one token weigh, from how many values they have; null is unknown. Units: bytes. */
export function lookupFields<Item>(
  values: (item: Item) => bigint | null,
): { column: Column; cell(item: Item): Cell }[] {
  const field = (dtype: string, bytes: bigint) => ({
    column: { key: `lookup_bytes_${dtype}`, title: `lookup, ${dtype}`, kind: 'size' as const },
    cell: (item: Item): Cell => {
      const count = values(item);
      return count === null ? null : count * bytes;
    },
  });
  return [field('f32', 4n), field('f16', 2n)];
}
