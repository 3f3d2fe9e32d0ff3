import type { Command, Context } from '../command.ts';
import { type PursuitOptions, type PursuitStep, pursue } from '../core/pursuit.ts';
import { EmbError } from '../errors.ts';
import type { Block, Cell, Column, Report, Tokenizer } from '../types.ts';
import { readAmong } from './among.ts';
import { tokenCells, tokenColumns } from './answer-columns.ts';
import { captionOfTable, openTable, rowNames } from './open-table.ts';
import { hasDirection, nameOfQuery, type Query, type QuerySource, queriesOf } from './queries.ts';
import { type Asked, begun, queryColumns } from './query-batches.ts';
import { kernelOf, kernelOption } from './scan-options.ts';

export const command: Command = {
  name: 'explain',
  summary: 'a row as a sum of few other rows',
  usage: '[token|text...]',
  description:
    'Which other rows add up to a row, and with which coefficients: orthogonal matching pursuit. Every step takes the row that fits best\n' +
    'what is still left, and fits all coefficients again; "residual" is the length of what is left then, as a share of the row.\n' +
    'An argument is a token of the vocabulary if there is one of that name, else a text: the mean of its tokens. Its own rows are not\n' +
    'used. --vectors explains vectors from elsewhere. A step scans the table once.',
  options: [
    {
      long: 'k',
      short: 'k',
      type: 'integer',
      value: 'n',
      min: 1,
      max: 256,
      default: '8',
      description: 'how many rows at most',
    },
    {
      long: 'non-negative',
      type: 'flag',
      description: 'only coefficients from 0 on: what a row consists of, not what it lacks',
    },
    {
      long: 'tolerance',
      type: 'number',
      value: 'x',
      description: 'stop when the residual is at most this (0.5 is half of the row)',
    },
    {
      long: 'among',
      type: 'text',
      value: 'file',
      description: 'only these tokens: a file with one token, text of one token, or #id a line',
    },
    { long: 'keep-self', type: 'flag', description: 'the rows of a query may explain it' },
    {
      long: 'vectors',
      type: 'text',
      value: 'file',
      description: 'explain the vectors of this file, - for stdin',
    },
    kernelOption,
  ],
  groups: ['model', 'tokenizer', 'input', 'scratch'],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md', 'ids'],
  examples: [
    { line: 'emb explain -m ./gpt2 " the" -k 4', says: 'four rows that come nearest to one in sum' },
    { line: 'emb explain -m ./gpt2 " the" --non-negative -f jsonl', says: 'only what is added' },
    {
      line: 'emb explain -m vectors.txt king --tolerance 0.5',
      says: 'as many rows as half of a row takes, at most 8',
    },
  ],
  run,
};

async function run(context: Context): Promise<Report> {
  const { options } = context;
  const tolerance = options.tolerance as number | undefined;
  if (tolerance !== undefined && !(tolerance >= 0 && tolerance < 1)) {
    throw new EmbError('usage', `--tolerance is ${tolerance}, expected 0 or more and less than 1`);
  }
  const opened = await openTable(context);
  const { model, table } = opened;
  const names = await rowNames(context, opened);
  const tokenizer = async () => names ?? context.tokenizer(model);
  // Each takes scans of its own: two together only say that there are several.
  const asked = await begun(context.batches(explainable(context, { table, names, tokenizer }), 2));
  const nonNegative = options.nonNegative === true;
  const pursuit: PursuitOptions = {
    k: (options.k as number | undefined) ?? 8,
    nonNegative,
    tolerance,
    among: await readAmong(context, table, tokenizer),
    kernel: kernelOf(options),
  };
  async function* blocks(): AsyncGenerator<Block> {
    let sequence = 0;
    for await (const queries of asked.batches) {
      for (const query of queries) {
        const progress = context.progress(table.rows * pursuit.k, 'rows');
        const steps = await pursue(table, query.vector, {
          ...pursuit,
          exclude: options.keepSelf ? undefined : new Set(query.ids),
          advance: (rows) => progress.advance(rows),
        });
        progress.done();
        const cells = steps.map((step, rank) =>
          context.format === 'ids' ? [step.row] : cellsOf(query, step, rank, names),
        );
        yield { cells, sequence: sequence++, ends: true };
      }
    }
  }
  return {
    columns: context.format === 'ids' ? [{ key: 'id', kind: 'id' }] : columnsOf(asked, names),
    blocks: blocks(),
    caption: [
      `${captionOfTable(opened, names)} · orthogonal matching pursuit${nonNegative ? ', non-negative' : ''}`,
    ],
    layout: 'rows',
  };
}

/** The queries that some sum of rows may be a share of. @throws EmbError "range" for an argument that has no direction */
async function* explainable(context: Context, source: QuerySource): AsyncGenerator<Query> {
  for await (const query of queriesOf(context, source)) {
    if (hasDirection(query.vector)) yield query;
    else if (query.line !== undefined) context.passOver(query.line, 'is zero or not finite');
    else {
      throw new EmbError('range', `${nameOfQuery(query)} is zero or not finite: there is nothing to explain`);
    }
  }
}

function columnsOf(asked: Asked, names: Tokenizer | undefined): Column[] {
  return [
    ...queryColumns(asked),
    { key: 'step', kind: 'count' },
    ...tokenColumns(names),
    { key: 'coefficient', kind: 'number' },
    { key: 'cosine', kind: 'number' },
    { key: 'residual', kind: 'number' },
  ];
}

function cellsOf(query: Query, step: PursuitStep, rank: number, names: Tokenizer | undefined): Cell[] {
  const { row, coefficient, cosine, residual } = step;
  return [query.row, query.text, rank + 1, ...tokenCells(row, names), coefficient, cosine, residual];
}
