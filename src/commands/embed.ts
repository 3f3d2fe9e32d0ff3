import type { Command, Context } from '../command.ts';
import type { Report, Tokenizer } from '../types.ts';
import { columnsOf, pooledBlocks, rowBlocks } from './embed-blocks.ts';
import { type Pipeline, preparePipeline } from './embed-pipeline.ts';
import { collected, type Source, sequences, vectorFormats } from './embed-sequences.ts';
import { captionOfTable, type OpenTable, openTable, rowNames } from './open-table.ts';

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
  inputs: ['lines', 'jsonl[:field]', 'ids'],
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
  const opened = await openTable(context, (dim) => `--project ${dim}`);
  const { model, table } = opened;
  const pipeline = await preparePipeline(context, model, table);
  const asIds = context.inputKind() === 'ids';
  const tokenizer = asIds ? await namingTokenizer(context, opened) : await context.tokenizer(model);
  const source = await collected(sequences(context, table, tokenizer, asIds), context);
  const lookup = { context, table, tokenizer, pipeline, asIds };
  const steps = pipeline.steps.length > 0 ? [`lookup → ${pipeline.steps.join(' → ')}`] : [];
  return {
    columns: columnsOf(lookup),
    blocks: pipeline.pool === 'none' ? rowBlocks(source, lookup) : pooledBlocks(source.sequences, lookup),
    caption: [captionOfTable(opened, tokenizer), ...steps],
    layout: 'rows',
    vectors: {
      dim: pipeline.dim,
      padded: source.padTo !== undefined || source.batched,
      gradFn: pipeline.plain && source.padTo === undefined ? 'EmbeddingBackward0' : undefined,
      dtype: (options.dtype as 'float32' | undefined) ?? 'float32',
      shape: shapeOf(source, pipeline),
    },
  };
}

/** Of the whole array; undefined where the sequences arrive one by one. */
function shapeOf({ lengths, padTo }: Source, { pool, dim }: Pipeline): number[] | undefined {
  if (lengths === undefined) return undefined;
  if (pool !== 'none') return [lengths.length, dim];
  if (padTo !== undefined) return [lengths.length, padTo, dim];
  return [lengths.reduce((sum, length) => sum + length, 0), dim];
}

/** Ids need no tokenizer; it only names them, where there is one and the format shows names. */
async function namingTokenizer(context: Context, opened: OpenTable): Promise<Tokenizer | undefined> {
  if (context.options.token !== undefined) return context.tokenizer(opened.model);
  if (vectorFormats.includes(context.format) || context.format === 'ids') return undefined;
  return rowNames(context, opened);
}
