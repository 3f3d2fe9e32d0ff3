import type { Command, Context } from '../command.ts';
import { EmbError } from '../errors.ts';
import { formatCount } from '../text/numbers.ts';
import type { EmbeddingTable, Layer, Model, Report, Tokenizer } from '../types.ts';
import { columnsOf, pooledBlocks, rowBlocks } from './embed-blocks.ts';
import { type Pipeline, preparePipeline } from './embed-pipeline.ts';
import { collected, sequences, vectorFormats } from './embed-sequences.ts';

const poolings = ['none', 'mean', 'max', 'sum', 'first', 'last'] as const;

export const command: Command = {
  name: 'embed',
  summary: 'text or ids to rows of the embedding table',
  usage: '[text...]',
  description:
    'Looks tokens up in the embedding table: [batch, seq_len, emb_size]. Without texts, --ids or --token it reads stdin, one text per line.\n' +
    'Steps run in this order: lookup, --scale, --type, --position, --center, --pool, --project, --normalize.',
  options: [
    {
      long: 'pool',
      type: 'text',
      value: 'how',
      choices: poolings,
      default: 'none',
      description: 'one row per text',
    },
    {
      long: 'pad',
      type: 'flag',
      description: 'pad all texts with zero rows to the longest: [batch, seq, dim]',
    },
    {
      long: 'scale',
      type: 'flag',
      description: 'multiply by sqrt(dim), where the config says so, and in the scratch layer',
    },
    {
      long: 'position',
      type: 'flag',
      description: 'add the position embedding: learned where the model has one, else sinusoidal',
    },
    {
      long: 'sinusoidal',
      type: 'flag',
      description: 'with --position: sinusoidal even where the model has a learned one',
    },
    { long: 'type', type: 'flag', description: 'add the token type embedding of type 0' },
    {
      long: 'type-id',
      type: 'integer',
      value: 'n',
      min: 0,
      description: 'add the token type embedding of type n',
    },
    {
      long: 'center',
      type: 'flag',
      description: 'subtract the mean of all rows of the table (reads the whole table)',
    },
    {
      long: 'project',
      type: 'integer',
      value: 'n',
      min: 1,
      description: 'linear projection to n dimensions, drawn as torch.nn.Linear after manual_seed(--seed)',
    },
    {
      long: 'projection',
      type: 'text',
      value: 'file[:tensor]',
      description: 'linear projection by a stored weight [n, dim], with its bias when the file has one',
    },
    { long: 'normalize', type: 'flag', description: 'divide each row by its L2 norm' },
    { long: 'decompose', type: 'flag', description: 'norm and share of each part: token, position, type' },
    {
      long: 'dtype',
      type: 'text',
      value: 'name',
      choices: ['float32', 'float16', 'bfloat16', 'float64'],
      default: 'float32',
      description: 'of the output',
    },
    {
      long: 'columns',
      type: 'integer',
      value: 'n',
      min: 1,
      description: 'heatmap, svg: how many dimensions to show',
    },
    {
      long: 'range',
      type: 'text',
      value: 'low,high',
      description: 'heatmap, svg: ends of the color scale (default symmetric around 0)',
    },
  ],
  groups: ['model', 'tokenizer', 'input', 'scratch'],
  formats: [
    'table',
    'json',
    'jsonl',
    'csv',
    'tsv',
    'md',
    'npy',
    'f32',
    'safetensors',
    'torch',
    'numpy',
    'ids',
    'heatmap',
    'svg',
  ],
  examples: [
    { line: 'emb embed "Hello world" --dim 768', says: 'two rows of the scratch layer' },
    {
      line: 'emb embed --ids 1,23,456,7890 --vocab 50000 --dim 3 --seed 0 -f torch',
      says: 'what torch prints for the same lookup',
    },
    {
      line: 'emb embed -m ./gpt2 "Hello world" --position -f heatmap',
      says: 'rows of a model, positions added, as a heat map',
    },
    { line: "emb embed -m ./bert --token '[CLS]' --token '[SEP]'", says: 'tokens by name' },
    { line: 'emb embed -m x.npy --ids all -f heatmap', says: 'any stored matrix' },
    { line: "printf 'one\\ntwo\\n' | emb embed --pool mean -f jsonl", says: 'one vector per line' },
  ],
  run: async (context) => embed(context),
};

async function embed(context: Context): Promise<Report> {
  const { options } = context;
  const model = await context.open(context.modelRef);
  const table = await model.table(options.layer as Layer | undefined, options.tensor as string | undefined);
  checkShape(context, model, table);
  if (table.rounds) context.note(`${table.dtype} values are no float32: each is rounded once`);
  const pipeline = await preparePipeline(context, model, table);
  const asIds = context.inputKind() === 'ids';
  const tokenizer = asIds ? await namingTokenizer(context, model) : await context.tokenizer(model);
  const source = await collected(sequences(context, table, tokenizer, asIds), context);
  const lookup = { context, table, tokenizer, pipeline, asIds };
  return {
    columns: columnsOf(lookup),
    blocks: pipeline.pool === 'none' ? rowBlocks(source, lookup) : pooledBlocks(source.sequences, lookup),
    caption: captionOf(model, table, tokenizer, pipeline),
    layout: 'rows',
    vectors: {
      dim: pipeline.dim,
      padded: source.padTo !== undefined || source.batched,
      gradFn: pipeline.plain && source.padTo === undefined ? 'EmbeddingBackward0' : undefined,
      dtype: (options.dtype as 'float32' | undefined) ?? 'float32',
    },
  };
}

function checkShape(context: Context, model: Model, table: EmbeddingTable): void {
  if (context.modelRef === undefined) return;
  const dim = context.options.dim as number | undefined;
  if (dim !== undefined && dim !== table.dim) {
    throw new EmbError(
      'range',
      `${model.name}: "${table.tensorName}" has ${table.dim} columns, --dim asks for ${dim}`,
      `--project ${dim}`,
    );
  }
  const vocab = context.options.vocab as number | undefined;
  if (vocab !== undefined && vocab !== table.rows) {
    const rows = formatCount(table.rows);
    throw new EmbError(
      'range',
      `${model.name}: "${table.tensorName}" has ${rows} rows, --vocab asks for ${vocab}`,
      'leave out --vocab',
    );
  }
}

/** Ids need no tokenizer; it only names them, where there is one and the format shows names. */
async function namingTokenizer(context: Context, model: Model): Promise<Tokenizer | undefined> {
  const { options } = context;
  if (options.tokenizer === undefined && options.token === undefined) {
    if (!model.hasTokenizer() || vectorFormats.includes(context.format) || context.format === 'ids')
      return undefined;
  }
  return context.tokenizer(model);
}

function captionOf(
  model: Model,
  table: EmbeddingTable,
  tokenizer: Tokenizer | undefined,
  pipeline: Pipeline,
): string[] {
  const shape = `${formatCount(table.rows)} x ${formatCount(table.dim)}`;
  const named =
    table.label === undefined
      ? `${model.name} · ${table.tensorName} · ${table.dtype}`
      : `scratch layer · ${table.label}`;
  const by = tokenizer ? ` · tokenizer ${tokenizer.name}` : '';
  return [
    `${named} · ${shape}${by}`,
    ...(pipeline.steps.length > 0 ? [`lookup → ${pipeline.steps.join(' → ')}`] : []),
  ];
}
