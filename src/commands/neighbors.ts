import type { Command, Context, WorkerThread } from '../command.ts';
import { shownId } from '../composed-id.ts';
import { meanOfFinite } from '../core/center.ts';
import type { Components } from '../core/components.ts';
import { reduced } from '../core/nearness.ts';
import { type Metric, type Neighbor, NeighborFinder, queriesOfPass, removedBy } from '../core/neighbors.ts';
import { EmbError } from '../errors.ts';
import { formatCount } from '../text/numbers.ts';
import type { Block, Cell, Column, EmbeddingTable, Report, Tokenizer } from '../types.ts';
import { readAmong } from './among.ts';
import { captionOfTable, noteMean, openTable, rowNames } from './open-table.ts';
import { hasDirection, nameOfQuery, type Query, queriesOf } from './queries.ts';
import { type Asked, begun, queryColumns } from './query-batches.ts';
import { kernelOf, kernelOption, threadsOption } from './scan-options.ts';
import { startScanThreads } from './scan-threads.ts';

/** Bytes of a table from which on a second thread gains more than its start costs; with many queries, bytes times queries. */
const secondThreadWorth = 600e6;
const manyQueriesWorth = 3e9;

export const command: Command = {
  name: 'neighbors',
  summary: 'the rows of a table that are nearest to a token, a text or a vector',
  usage: '[token|text...]',
  description:
    'The k nearest rows by cosine, dot product or L2 distance: every row is compared, exactly. An argument is a token of the vocabulary\n' +
    'if there is one of that name (" king" and "king" are two), else a text: the mean of its tokens. A query is left out of its own answer.\n' +
    'Vectors from elsewhere: --vectors - reads npy, json lines with "vector" or "embedding" (what emb embed -f jsonl prints), or raw\n' +
    'float32: told by content, unless --input npy, jsonl or f32 says it. Texts and json lines are a stream, answered as they come; a\n' +
    'line that is no query is passed over. Rows that hold a NaN or an infinity are no answers, nor by cosine rows of zeros.\n' +
    'A few directions that all rows share often hide what sets them apart: --center and --remove-components take them away.',
  options: [
    {
      long: 'k',
      short: 'k',
      type: 'integer',
      value: 'n',
      min: 1,
      max: 100_000,
      default: '10',
      description: 'how many',
    },
    {
      long: 'metric',
      type: 'text',
      value: 'name',
      choices: ['cosine', 'dot', 'l2'],
      default: 'cosine',
      description: 'cosine and dot are similarities, l2 is a distance',
    },
    {
      long: 'threshold',
      type: 'number',
      value: 'x',
      description: 'only rows at least this similar; with l2 at most this far',
    },
    {
      long: 'among',
      type: 'text',
      value: 'file',
      description: 'only these tokens: a file with one token, text of one token, or #id a line',
    },
    { long: 'keep-self', type: 'flag', description: 'a query may be its own answer' },
    {
      long: 'center',
      type: 'flag',
      description: "subtract the table's mean from rows and queries first (one scan more)",
    },
    {
      long: 'remove-components',
      type: 'integer',
      value: 'n',
      min: 1,
      max: 1000,
      description:
        "center, and take the table's n leading principal components out of rows and queries (all-but-the-top)",
    },
    {
      long: 'vectors',
      type: 'text',
      value: 'file',
      description: 'queries are the vectors of this file, - for stdin',
    },
    kernelOption,
    threadsOption(
      'threads that scan a local file (default: a second one from 600 MB on where there are cores for it, for many queries or --remove-components); the answers are the same',
    ),
  ],
  groups: ['model', 'tokenizer', 'input', 'scratch'],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md', 'ids'],
  examples: [
    { line: 'emb neighbors -m ./gpt2 " the" -k 5', says: 'the five tokens nearest to one' },
    {
      line: 'emb embed -m ./gpt2 "the cat" --pool mean -f jsonl | emb neighbors -m ./gpt2 --vectors - -f jsonl',
      says: 'a vector in, tokens out',
    },
    { line: 'emb neighbors -m x.npy --ids 0-2 -k 2 -f csv', says: 'rows of any matrix' },
    {
      line: 'emb neighbors -m ./gpt2 " the" --remove-components 2',
      says: 'without the two directions that all rows share most',
    },
  ],
  run,
};

async function run(context: Context): Promise<Report> {
  const { options } = context;
  const opened = await openTable(context);
  const { model, table } = opened;
  const early = await startThreads(context, table, 1);
  const names = await rowNames(context, opened);
  const tokenizer = async () => names ?? context.tokenizer(model);
  const queries = queriesOf(context, { table, names, tokenizer });
  const asked = await begun(context.batches(queries, queriesOfPass(table.dim)));
  const threads = early.length > 0 ? early : await startThreads(context, table, asked.first.length);
  const metric = (options.metric as Metric | undefined) ?? 'cosine';
  const among = await readAmong(context, table, tokenizer);
  const components = await componentsOf(context, table, threads);
  const center = options.center && components === undefined ? await meanOf(context, table) : undefined;
  const removed = removedBy({ center, components });
  async function* blocks(): AsyncGenerator<Block> {
    let progress = context.progress(table.rows, 'rows');
    const finder = new NeighborFinder(table, {
      k: (options.k as number | undefined) ?? 10,
      metric,
      kernel: kernelOf(options),
      among,
      center,
      components,
      threshold: options.threshold as number | undefined,
      advance: (rows) => progress.advance(rows),
      threads,
    });
    const memory = queryMemory(table.dim);
    let sequence = 0;
    try {
      for await (const queries of asked.batches) {
        const answers = await answer(context, finder, queries, memory);
        progress.done();
        for (const [index, query] of queries.entries()) {
          if (answers[index].length === 0 && !hasDirection(reduced(query.vector, removed))) {
            const left = hasDirection(query.vector)
              ? 'zero without what is taken out of it'
              : 'zero or not finite';
            context.note(`${nameOfQuery(query)} is ${left}: it has no neighbors`);
          }
          const cells = answers[index].map((neighbor, rank) =>
            context.format === 'ids' ? [neighbor.row] : cellsOf(query, neighbor, rank, names),
          );
          yield { cells, sequence: sequence++, ends: true };
        }
        progress = context.progress(table.rows, 'rows');
      }
    } finally {
      void finder.stop();
    }
  }
  const centered =
    components !== undefined
      ? ` · centered, without ${components.count} components`
      : options.center
        ? ' · centered'
        : '';
  return {
    columns: context.format === 'ids' ? [{ key: 'id', kind: 'id' }] : columnsOf(metric, asked, names),
    blocks: blocks(),
    caption: [`${captionOfTable(opened, names)} · ${metric}${centered}`],
    layout: 'rows',
  };
}

/** Memory for the queries of a pass, the same one every time, which threads see without a copy of their own. */
function queryMemory(dim: number): (count: number) => Float32Array {
  let memory: Float32Array | undefined;
  return (count) => {
    const length = count * dim;
    if (memory === undefined || memory.length < length)
      memory = new Float32Array(new SharedArrayBuffer(length * 4));
    return memory.subarray(0, length);
  };
}

/** The nearest rows of some queries, each but its own tokens. */
function answer(
  { options, note }: Context,
  finder: NeighborFinder,
  queries: readonly Query[],
  memory: (count: number) => Float32Array,
): Promise<Neighbor[][]> {
  if (!options.keepSelf && queries.some(({ ids }) => ids.some((id) => shownId(id) !== null))) {
    note('the tokens of a query are left out of its own answer; --keep-self keeps them');
  }
  const vectors = memory(queries.length);
  for (const [index, { vector }] of queries.entries()) vectors.set(vector, index * vector.length);
  return finder.find(vectors, options.keepSelf ? undefined : queries.map(({ ids }) => new Set(ids)));
}

/**
 * Threads that scan beside this one. For one query they are started before anything else is read, since each takes 30 milliseconds;
 * reading is the most of that work, and has threads of its own, so that two cores are busy without.
 */
async function startThreads(
  context: Context,
  table: EmbeddingTable,
  queries: number,
): Promise<WorkerThread[]> {
  const isWorth =
    queries === 1
      ? table.byteLength >= secondThreadWorth && context.cores() > 2
      : table.byteLength * queries >= manyQueriesWorth;
  return startScanThreads(context, table, isWorth || (await areComponentsShared(context, table)));
}

/** Whether threads are worth it for --remove-components alone. */
async function areComponentsShared({ options }: Context, table: EmbeddingTable): Promise<boolean> {
  if (options.removeComponents === undefined) return false;
  const { isWorthSharing } = await import('../core/principal.ts');
  return isWorthSharing(table);
}

/** The mean that --center subtracts. */
async function meanOf(context: Context, table: EmbeddingTable): Promise<Float64Array> {
  const { mean, rows } = await meanOfFinite(() => table.scan(), table.dim);
  noteMean(context, table, rows);
  return mean;
}

/** The components that --remove-components takes out. @throws EmbError "range" when nothing would be left */
async function componentsOf(
  context: Context,
  table: EmbeddingTable,
  threads: readonly WorkerThread[],
): Promise<Components | undefined> {
  const count = context.options.removeComponents as number | undefined;
  if (count === undefined) return undefined;
  if (count >= table.dim) {
    throw new EmbError(
      'range',
      `--remove-components is ${count}, expected at most ${table.dim - 1}: "${table.tensorName}" has ${formatCount(table.dim)} columns`,
    );
  }
  const { leadingComponents } = await import('../core/all-but-the-top.ts');
  const kernel = kernelOf(context.options);
  const components = await leadingComponents(table, count, { kernel, threads });
  if (components.rows < table.rows) {
    const [used, all] = [formatCount(components.rows), formatCount(table.rows)];
    context.note(`the components come from ${used} of ${all} rows`);
  }
  return components;
}

function columnsOf(metric: Metric, asked: Asked, names: Tokenizer | undefined): Column[] {
  return [
    ...queryColumns(asked),
    { key: 'rank', kind: 'count' },
    { key: 'id', kind: 'id' },
    ...(names === undefined
      ? []
      : ([
          { key: 'token', kind: 'text', where: 'machine' },
          { key: 'token', kind: 'token', where: 'table' },
          { key: 'bytes', kind: 'bytes', where: 'machine' },
        ] as const)),
    { key: metric, kind: 'number' },
    { key: 'norm', kind: 'number' },
  ];
}

function cellsOf(
  query: Query,
  { row, score, norm }: Neighbor,
  rank: number,
  names: Tokenizer | undefined,
): Cell[] {
  const bytes = names?.bytesOf(row) ?? null;
  return [
    query.row,
    query.text,
    rank + 1,
    row,
    ...(names === undefined ? [] : [names.tokenOf(row) ?? null, bytes, bytes]),
    score,
    norm,
  ];
}
