import ndarray from 'ndarray';
import type { Command, Context } from '../command.ts';
import type { Metric } from '../core/neighbors.ts';
import { similarityRows } from '../core/similarity.ts';
import { EmbError } from '../errors.ts';
import type { Block, Cell, Column, Report, Tokenizer } from '../types.ts';
import { tokenCells, tokenColumns } from './answer-columns.ts';
import { captionOfTable, openTable, rowNames } from './open-table.ts';
import { readQueries } from './queries.ts';

/** Values of a block of the matrix. */
const blockValues = 2 ** 20;

export const command: Command = {
  name: 'similarity',
  summary: 'every pair of texts, tokens or vectors',
  usage: '[text...]',
  description:
    'The matrix of all pairs: cosine, dot product or L2 distance. An argument is a token of the vocabulary if there is one of that name,\n' +
    'else a text: the mean of its tokens. Every id of --ids is a row. Without any input it reads stdin, one text per line. Vectors from\n' +
    'elsewhere (--vectors, --input npy -) need no model. Column dN is row N.',
  options: [
    {
      long: 'metric',
      type: 'text',
      value: 'name',
      choices: ['cosine', 'dot', 'l2'],
      default: 'cosine',
      description: 'cosine and dot are similarities, l2 is a distance',
    },
    {
      long: 'vectors',
      type: 'text',
      value: 'file',
      description: 'the vectors of this file, - for stdin',
    },
    {
      long: 'columns',
      type: 'integer',
      value: 'n',
      min: 1,
      description: 'heatmap, svg: how many columns to show',
    },
    {
      long: 'range',
      type: 'text',
      value: 'low,high',
      description: 'heatmap, svg: ends of the color scale (default symmetric around 0)',
    },
  ],
  groups: ['model', 'tokenizer', 'input', 'scratch'],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md', 'npy', 'f32', 'heatmap', 'svg'],
  examples: [
    {
      line: 'emb similarity -m vectors.txt king queen man woman -f heatmap',
      says: 'four words as a heat map',
    },
    { line: 'emb similarity -m x.npy --ids 0-3 --metric l2 -f csv', says: 'distances of rows of any matrix' },
    {
      line: 'emb embed -m ./gpt2 "the cat" "a dog" --pool mean -f npy | emb similarity --vectors - -f jsonl',
      says: 'vectors from elsewhere',
    },
  ],
  run,
};

/** What is compared, and what its rows are called. */
interface Compared {
  /** Shape: [rows, dim] */
  data: Float32Array;
  rows: number;
  dim: number;
  columns: Column[];
  cells(row: number): Cell[];
  /** Absent for vectors, which have none. */
  names?: string[];
  caption: string[];
}

async function run(context: Context): Promise<Report> {
  const { options } = context;
  const metric = (options.metric as Metric | undefined) ?? 'cosine';
  const isVectors = options.vectors !== undefined || context.inputKind() === 'vectors';
  const compared = isVectors ? await readVectors(context) : await readRows(context);
  const { data, rows, dim, columns, cells, names, caption } = compared;
  async function* blocks(): AsyncGenerator<Block> {
    const step = Math.max(1, Math.floor(blockValues / rows));
    for (let first = 0; first < rows; first += step) {
      const count = Math.min(step, rows - first);
      const values = similarityRows(data, dim, metric, first, count);
      if (values.some(Number.isNaN)) context.note('rows that are zero or not finite have no similarity: NaN');
      const block = Array.from({ length: count }, (_, index) => cells(first + index));
      yield {
        cells: block,
        matrix: ndarray(values, [count, rows]),
        sequence: 0,
        ends: first + count === rows,
      };
    }
  }
  return {
    columns,
    blocks: blocks(),
    caption: [[...caption, metric].join(' · ')],
    layout: 'rows',
    vectors: { dim: rows, padded: false, dtype: 'float32', shape: [rows, rows], names },
  };
}

async function readVectors(context: Context): Promise<Compared> {
  const { options } = context;
  if (options.model !== undefined) {
    throw new EmbError('usage', '-m and vectors are given, expected one of them', 'vectors need no model');
  }
  const path = options.vectors as string | undefined;
  const kind = context.inputKind();
  const others =
    (kind !== 'none' && kind !== 'vectors') || context.args.length > 0 || options.file !== undefined;
  if (path !== undefined && others) {
    throw new EmbError('usage', '--vectors and texts or ids are given, expected one of them');
  }
  const dim = options.dim as number | undefined;
  const vectors = await (path === undefined ? context.vectors(dim) : context.vectorsOf(path, dim));
  return {
    ...vectors,
    columns: [{ key: 'row', kind: 'count' }],
    cells: (row) => [row],
    caption: [`${vectors.rows} vectors of ${vectors.dim} values`],
  };
}

async function readRows(context: Context): Promise<Compared> {
  const opened = await openTable(context);
  const { model, table } = opened;
  const { dim } = table;
  const asIds = context.inputKind() === 'ids';
  const named = asIds ? await rowNames(context, opened) : await context.tokenizer(model);
  const tokenizer = async () => named ?? context.tokenizer(model);
  const queries = await readQueries(context, { table, names: named, tokenizer, readsStdin: true });
  const data = new Float32Array(queries.length * dim);
  for (const [index, { vector }] of queries.entries()) data.set(vector, index * dim);
  const nameOf = ({ text, ids }: (typeof queries)[number]) =>
    asIds ? nameOfRow(ids[0], named) : (text ?? nameOfRow(ids[0], named));
  return {
    data,
    rows: queries.length,
    dim,
    columns: [
      { key: 'row', kind: 'count' },
      ...(asIds ? tokenColumns(named) : ([{ key: 'text', kind: 'text' }] as const)),
    ],
    cells: (row) => [row, ...(asIds ? tokenCells(queries[row].ids[0], named) : [queries[row].text])],
    names: queries.map(nameOf),
    caption: [captionOfTable(opened, named)],
  };
}

function nameOfRow(row: number, names: Tokenizer | undefined): string {
  const bytes = names?.bytesOf(row);
  return bytes === undefined ? `#${row}` : new TextDecoder().decode(bytes);
}
