import ndarray from 'ndarray';
import type { Command, Context } from '../command.ts';
import type { RowSource } from '../core/principal.ts';
import { measureTable, type StatsOptions, type TableStats } from '../core/table-stats.ts';
import { formatCount } from '../text/numbers.ts';
import type { EmbeddingTable, Report, RowBlock, Tokenizer } from '../types.ts';
import { captionOfTable, type OpenTable, openTable, rowNames } from './open-table.ts';
import { kernelOf, kernelOption, threadsOption } from './scan-options.ts';
import {
  type Field,
  field,
  histogramFields,
  momentFields,
  outlierFields,
  type RowNames,
} from './stats-fields.ts';
import { askedHelp, askedOptions, isAsked } from './stats-options.ts';

export const command: Command = {
  name: 'stats',
  summary: 'numbers about a table, or about the rows of a text',
  usage: '[text...]',
  description:
    'Without texts: the whole table of -m (or of the scratch layer) in one pass, in memory that does not grow with it.\n' +
    'With texts, --ids or --token: the same of those rows, with tokens per word (words end at white space), characters per token and\n' +
    'the cosine of every pair of up to 24 rows. With --input npy -: of the vectors on stdin. - reads texts from stdin.\n' +
    'std is that of the population. Values that are no numbers are counted and left out of every sum; rows that have one have no norm.\n' +
    'padding_rows: rows beyond the vocabulary. mean_cosine: over all pairs of rows. outlier_dims: dimensions whose mean or std over the\n' +
    'rows lies over 6 robust standard deviations (1.4826 x median absolute deviation) from the median over dimensions; scores say how many.\n' +
    'histogram: of the values, in bins of a power of two, the outermost thousandths in one bin each; a large table is sampled,\n' +
    'histogram_rows says how many rows, --full-histogram counts all.\n' +
    askedHelp,
  options: [
    ...askedOptions,
    {
      long: 'full-histogram',
      type: 'flag',
      description: 'count every value in the histogram, not every 2nd, 4th, ... row of a large table',
    },
    kernelOption,
    threadsOption(
      'threads for --spectrum of a local file (default: a second one for much work); the numbers are the same',
    ),
  ],
  groups: ['model', 'tokenizer', 'input', 'scratch'],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md'],
  examples: [
    { line: 'emb stats -m ./gpt2', says: 'the whole input embedding, extremes named by token' },
    { line: 'emb stats -m ./gpt2 "Hello world"', says: 'the rows of a text' },
    {
      line: 'emb stats -m ./gpt2 --quantiles --duplicates',
      says: 'how values and norms are spread, and rows that are equal',
    },
    { line: 'emb stats -m ./gpt2 --spectrum --by class', says: 'directions of variance, kinds of tokens' },
    { line: 'emb stats -m ./gpt2 --layer position -f json', says: 'the position embedding, for a program' },
    { line: 'emb stats --vocab 1000 --dim 64', says: 'a table as nn.Embedding draws it' },
  ],
  async run(context) {
    const kind = context.inputKind();
    if (kind === 'vectors') return reportOf(await statsOfVectors(context));
    const opened = await openTable(context);
    return reportOf(
      kind === 'none' ? await statsOfTable(context, opened) : await statsOfRows(context, opened),
    );
  },
};

interface Findings {
  caption: string;
  fields: Field[];
}

function reportOf({ caption, fields }: Findings): Report {
  async function* blocks() {
    yield { cells: [fields.map(({ cell }) => cell)], sequence: 0, ends: true };
  }
  return {
    columns: fields.map(({ column }) => column),
    blocks: blocks(),
    caption: [caption],
    layout: 'records',
    single: true,
  };
}

async function statsOfTable(context: Context, opened: OpenTable): Promise<Findings> {
  const { table } = opened;
  const tokenizer = await rowNames(context, opened);
  const names: RowNames = { key: 'id', idOf: (row) => row, tokenizer };
  const scan = () => watchedScan(context, table);
  const gather: RowSource['gather'] = (ids, into) => table.gather(ids, into);
  const source = { rows: table.rows, dim: table.dim, scan, gather };
  const { stats, asked } = await measure(context, names, { blocks: scan(), ...source, table }, () => source);
  if (stats.histogramEvery > 1) {
    const counted = formatCount(stats.histogramRows);
    context.note(
      `the histogram counts every ${ordinal(stats.histogramEvery)} row, ${counted} in all; --full-histogram counts all`,
    );
  }
  const fields = [
    field('tensor', 'text', table.tensorName),
    field('dtype', 'text', table.dtype),
    field('rows', 'count', stats.rows),
    field('dim', 'count', stats.dim),
    field('bytes', 'size', table.byteLength),
    ...defectFields(stats),
    field('padding_rows', 'count', paddingRows(context, table, tokenizer)),
    ...measuredFields(stats, names),
    ...asked,
  ];
  return { caption: captionOfTable(opened, tokenizer), fields };
}

/** A scan that moves the progress line. */
async function* watchedScan(context: Context, table: EmbeddingTable): AsyncGenerator<RowBlock> {
  const progress = context.progress(table.rows, 'rows');
  try {
    for await (const block of table.scan()) {
      yield block;
      progress.advance(block.rows);
    }
  } finally {
    progress.done();
  }
}

/** Rows beyond the vocabulary; null where no tokenizer says how large it is. */
function paddingRows(
  context: Context,
  table: EmbeddingTable,
  tokenizer: Tokenizer | undefined,
): number | null {
  if (tokenizer === undefined) return null;
  const missing = tokenizer.vocabSize - table.rows;
  if (missing > 0 && table.label === undefined) {
    const counts = `${formatCount(tokenizer.vocabSize)} ids, the table ${formatCount(table.rows)} rows`;
    context.note(`the tokenizer ${tokenizer.name} has ${counts}: ${formatCount(missing)} ids have no row`);
  }
  return Math.max(0, -missing);
}

async function statsOfRows(context: Context, opened: OpenTable): Promise<Findings> {
  const { NamedRows } = await import('./stats-text.ts');
  const { model, table } = opened;
  const isText = context.inputKind() === 'texts';
  const rows = new NamedRows(table);
  const tokenizer = isText ? await context.tokenizer(model) : await rowNames(context, opened);
  const blocks = isText
    ? rows.ofTexts(context, tokenizer!)
    : rows.ofIds(context, async () => tokenizer ?? context.tokenizer(model));
  const names: RowNames = { key: 'id', idOf: (row) => rows.idOf(row), tokenizer };
  const { stats, asked } = await measure(context, names, { blocks, dim: table.dim }, () => rows.source());
  const fields = [
    field('tensor', 'text', table.tensorName),
    field('dtype', 'text', table.dtype),
    ...rows.countFields(isText),
    field('dim', 'count', stats.dim),
    ...defectFields(stats),
    ...measuredFields(stats, names),
    ...asked,
    rows.pairField(names),
  ];
  return { caption: captionOfTable(opened, tokenizer), fields };
}

async function statsOfVectors(context: Context): Promise<Findings> {
  const { pairField } = await import('./stats-text.ts');
  const { data, rows, dim } = await context.vectors(context.options.dim as number | undefined);
  const names: RowNames = { key: 'row', idOf: (row) => row, tokenizer: undefined };
  const source = vectorSource(data, rows, dim);
  const { stats, asked } = await measure(context, names, { blocks: source.scan(), rows, dim }, () => source);
  const fields = [
    field('rows', 'count', rows),
    field('dim', 'count', dim),
    ...defectFields(stats),
    ...measuredFields(stats, names),
    ...asked,
    pairField(data, dim, rows, names),
  ];
  const shape = `${formatCount(rows)} x ${formatCount(dim)}`;
  return { caption: `vectors · ${shape}`, fields };
}

/** Vectors that are in memory. */
function vectorSource(data: Float32Array, rows: number, dim: number): RowSource {
  return {
    rows,
    dim,
    async gather(ids) {
      const gathered = new Float32Array(ids.length * dim);
      for (const [at, id] of ids.entries()) gathered.set(data.subarray(id * dim, (id + 1) * dim), at * dim);
      return ndarray(gathered, [ids.length, dim]);
    },
    async *scan() {
      yield { start: 0, rows, data };
    },
  };
}

interface Measured {
  blocks: AsyncIterable<RowBlock>;
  dim: number;
  rows?: number;
  /** Looks rows up before they come; only where they need not be waited for. */
  gather?: RowSource['gather'];
  /** The table that all the rows are. */
  table?: EmbeddingTable;
}

/** What every stats says, and what the options ask for beside it; `again` gives the same rows once more, when all have come. */
async function measure(
  context: Context,
  names: RowNames,
  { blocks, dim, rows, gather, table }: Measured,
  again: () => RowSource,
): Promise<{ stats: TableStats; asked: Field[] }> {
  const kernel = kernelOf(context.options);
  const countAll = context.options.fullHistogram === true;
  const options: StatsOptions = { dim, rows, kernel, countAll };
  if (!isAsked(context)) return { stats: await measureTable(blocks, options), asked: [] };
  const { AskedFor } = await import('./stats-asked.ts');
  const asked = await AskedFor.of(context, names, dim, rows);
  try {
    if (table !== undefined) await asked.share(table);
    if (gather !== undefined && rows !== undefined) await asked.lookAt({ gather, rows, dim });
    const stats = await measureTable(asked.watch(blocks), options);
    return { stats, asked: await asked.fields(again(), stats) };
  } finally {
    asked.release();
  }
}

/** Values that are no numbers, and rows of zeros. */
function defectFields(stats: TableStats): Field[] {
  return [
    field('values', 'count', stats.rows * stats.dim),
    field('nan', 'count', stats.nan),
    field('inf', 'count', stats.infinite),
    field('nonfinite_rows', 'count', stats.nonFiniteRows),
    field('zero_rows', 'count', stats.zeroRows),
  ];
}

function measuredFields(stats: TableStats, names: RowNames): Field[] {
  return [...momentFields(stats, names), ...outlierFields(stats.outliers), ...histogramFields(stats)];
}

/** 2nd, 4th, 8th: steps are powers of two. */
function ordinal(step: number): string {
  const ending = step % 10 === 2 && step % 100 !== 12 ? 'nd' : 'th';
  return `${formatCount(step)}${ending}`;
}
