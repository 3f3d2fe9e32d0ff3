import type { Command, Context } from '../command.ts';
import { EmbError } from '../errors.ts';
import type {
  Block,
  Cell,
  Column,
  EmbeddingTable,
  Layer,
  Matrix,
  Model,
  Report,
  Token,
  Tokenizer,
} from '../types.ts';
import { type Pipeline, preparePipeline } from './embed-pipeline.ts';
import { encodeOptions, idCells, idColumns, tokenCells, tokenColumns, truncated } from './token-rows.ts';

/** Rows are gathered in pieces of about this many values, so that memory does not grow with the sequence. */
const gatheredValues = 1 << 20;

/** Formats that print no token: for them no token object is made. */
const vectorFormats = ['npy', 'f32', 'torch', 'numpy'];

const poolings = ['none', 'mean', 'max', 'sum', 'first', 'last'] as const;

export const command: Command = {
  name: 'embed',
  summary: 'text or ids to rows of the embedding table',
  usage: '[text...]',
  description:
    'Looks tokens up in the embedding table: [batch, seq_len, emb_size]. Without texts, --ids or --token it reads stdin, one text per line.\n' +
    'Steps run in this order: lookup, --scale, --position, --type, --center, --pool, --project, --normalize.',
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

/** One text or id sequence, looked up. */
interface Sequence {
  row: number;
  ids: Uint32Array;
  /** Null for sequences that came as ids. */
  text: string | null;
  tokens?: Token[];
}

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
  const shared = { context, table, tokenizer, pipeline, asIds };
  return {
    columns: columnsOf(shared),
    blocks: pipeline.pool === 'none' ? rowBlocks(source, shared) : pooledBlocks(source.sequences, shared),
    caption: captionOf(model, table, tokenizer, pipeline),
    layout: 'rows',
    vectors: {
      dim: pipeline.dim,
      padded: source.padTo !== undefined || source.batched,
      gradFn: pipeline.plain && source.padTo === undefined ? '<EmbeddingBackward0>' : undefined,
      dtype: (options.dtype as 'float32' | undefined) ?? 'float32',
    },
  };
}

interface Shared {
  context: Context;
  table: EmbeddingTable;
  tokenizer: Tokenizer | undefined;
  pipeline: Pipeline;
  asIds: boolean;
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
    const rows = table.rows.toLocaleString('en-US');
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

async function* sequences(
  context: Context,
  table: EmbeddingTable,
  tokenizer: Tokenizer | undefined,
  asIds: boolean,
): AsyncGenerator<Sequence> {
  if (asIds) {
    const needed = async () => tokenizer ?? context.tokenizer(undefined);
    for await (const { row, ids } of context.idSequences(table.rows, needed)) yield { row, ids, text: null };
    return;
  }
  const options = encodeOptions(context.options);
  const namesTokens = !vectorFormats.includes(context.format);
  const sink = { ids: new Uint32Array(256), length: 0 };
  for await (const { row, text } of context.texts()) {
    if (namesTokens) {
      const tokens = truncated(tokenizer!.encode(text, options), row, context, (all, limit) =>
        all.slice(0, limit),
      );
      yield { row, text, tokens, ids: Uint32Array.from(tokens, (token) => token.id) };
    } else {
      sink.length = 0;
      tokenizer!.encodeIds(text, sink, options);
      const ids = truncated(sink.ids.slice(0, sink.length), row, context, (all, limit) =>
        all.subarray(0, limit),
      );
      yield { row, text, ids };
    }
  }
}

/** --pad needs the longest sequence first; torch and numpy print id sequences of one length as one batch. */
interface Source {
  sequences: AsyncIterable<Sequence>;
  padTo?: number;
  batched: boolean;
}

async function collected(source: AsyncGenerator<Sequence>, context: Context): Promise<Source> {
  const pads = context.options.pad === true;
  const batches = context.inputKind() === 'ids' && (context.format === 'torch' || context.format === 'numpy');
  if (!pads && !batches) return { sequences: source, batched: false };
  const all: Sequence[] = [];
  for await (const sequence of source) all.push(sequence);
  const longest = all.reduce((length, sequence) => Math.max(length, sequence.ids.length), 0);
  const even = all.every((sequence) => sequence.ids.length === longest);
  async function* replay() {
    yield* all;
  }
  return { sequences: replay(), padTo: pads ? longest : undefined, batched: batches && even };
}

function columnsOf({ context, pipeline, asIds }: Shared): Column[] {
  const many = asIds || context.args.length !== 1;
  if (pipeline.pool !== 'none') {
    return [
      { key: 'row', kind: 'count' },
      { key: 'text', kind: 'text' },
      { key: 'tokens', kind: 'count' },
    ];
  }
  const columns = asIds ? idColumns(many) : tokenColumns(many);
  const shown = columns.map(
    (column): Column =>
      ['bytes', 'start', 'end'].includes(column.key) ? { ...column, where: 'machine' } : column,
  );
  return [...shown, ...pipeline.partColumns];
}

async function* rowBlocks(source: Source, shared: Shared): AsyncGenerator<Block> {
  const { context, table, tokenizer, pipeline } = shared;
  const step = Math.max(1, Math.floor(gatheredValues / table.dim));
  for await (const sequence of source.sequences) {
    const length = source.padTo ?? sequence.ids.length;
    const cells = (first: number, last: number): Cell[][] => {
      const { row, text, tokens, ids } = sequence;
      if (tokens) return tokenCells(row, text!, tokens.slice(first, last), context, first);
      return idCells(row, ids.subarray(first, last), tokenizer, first);
    };
    let at = 0;
    do {
      const end = Math.min(sequence.ids.length, at + step);
      const { matrix, parts } = await pipeline.look(sequence.ids.subarray(at, end), at);
      const rows = cells(at, end).map((row, index) => [...row, ...(parts[index] ?? [])]);
      at = end;
      const padding = at === sequence.ids.length ? length - at : 0;
      yield {
        cells: padding > 0 ? [...rows, ...paddingCells(sequence.row, at, padding, columnsOf(shared))] : rows,
        matrix: padding > 0 ? pipeline.padded(matrix, padding) : matrix,
        sequence: sequence.row,
        ends: at === sequence.ids.length,
        realRows: source.padTo === undefined ? undefined : rows.length,
      };
    } while (at < sequence.ids.length);
  }
}

/** Rows that --pad adds: they have a place, and no id. */
function paddingCells(row: number, from: number, count: number, columns: Column[]): Cell[][] {
  return Array.from({ length: count }, (_, index) =>
    columns.map(({ key }) => (key === 'row' ? row : key === 'index' ? from + index : null)),
  );
}

async function* pooledBlocks(source: AsyncIterable<Sequence>, shared: Shared): AsyncGenerator<Block> {
  const { context, table, pipeline } = shared;
  const step = Math.max(1, Math.floor(gatheredValues / table.dim));
  for await (const { row, ids, text } of source) {
    const pooler = pipeline.pooler();
    for (let at = 0; at < ids.length; at += step) {
      const { matrix } = await pipeline.look(ids.subarray(at, Math.min(ids.length, at + step)), at);
      pooler.add(matrix);
    }
    if (ids.length === 0) context.note(`text ${row} has no tokens: its pooled row is zero`);
    const matrix: Matrix = pipeline.finish(pooler.result());
    yield { cells: [[row, text, ids.length]], matrix, sequence: row, ends: true };
  }
}

function captionOf(
  model: Model,
  table: EmbeddingTable,
  tokenizer: Tokenizer | undefined,
  pipeline: Pipeline,
): string[] {
  const shape = `${table.rows.toLocaleString('en-US')} x ${table.dim.toLocaleString('en-US')}`;
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
