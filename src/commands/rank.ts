import type { Command, Context } from '../command.ts';
import { rankRows, unitRow } from '../core/analogy.ts';
import { EmbError } from '../errors.ts';
import type { Block, Report } from '../types.ts';
import { readAmong } from './among.ts';
import { askedColumns, tokenCells, tokenColumns } from './answer-columns.ts';
import { captionOfTable, openTable, rowNames } from './open-table.ts';
import { kernelOf, kernelOption } from './scan-options.ts';
import { operandOf, rowsOfOperands } from './word-rows.ts';

export const command: Command = {
  name: 'rank',
  summary: 'where tokens stand among the neighbors of another',
  usage: '[token...]',
  description:
    'The rank of the second token, and of each after it, among the neighbors of the first: 1 + the rows whose cosine with it is higher.\n' +
    'The first token itself is not counted. A token is an exact piece of the vocabulary, or #id.',
  options: [
    {
      long: 'among',
      type: 'text',
      value: 'file',
      default: 'all',
      description: 'only these tokens are counted: a file with one token, text of one token, or #id a line',
    },
    kernelOption,
  ],
  groups: ['model', 'tokenizer', 'scratch'],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md'],
  examples: [
    { line: 'emb rank -m vectors.txt king queen', says: 'how many words are nearer to king than queen is' },
    { line: 'emb rank -m vectors.txt king queen man Oslo -f jsonl', says: 'several tokens in one scan' },
  ],
  run,
};

async function run(context: Context): Promise<Report> {
  const { args, options } = context;
  if (args.length < 2) {
    throw new EmbError(
      'usage',
      `${args.length} ${args.length === 1 ? 'token is' : 'tokens are'} given, expected at least 2`,
      'emb rank king queen',
    );
  }
  const opened = await openTable(context);
  const { model, table } = opened;
  const { dim } = table;
  const names = await rowNames(context, opened);
  const tokenizer = async () => names ?? context.tokenizer(model);
  const [self, ...targets] = await rowsOfOperands(context, table, args.map(operandOf), tokenizer);
  const among = options.among === 'all' ? undefined : await readAmong(context, table, tokenizer);
  const { data } = await table.gather(Uint32Array.of(self, ...targets));
  const query = unitRow(data, 0, dim);
  targets.forEach((row, index) => {
    if (query === undefined || unitRow(data, (index + 1) * dim, dim) === undefined) {
      const bad = query === undefined ? self : row;
      throw new EmbError(
        'range',
        `row ${bad} of "${table.tensorName}" is zero or not finite: it has no direction`,
      );
    }
  });
  async function* blocks(): AsyncGenerator<Block> {
    const progress = context.progress(table.rows, 'rows');
    const vectors = targets.map((row, index) => ({
      row,
      values: data.subarray((index + 1) * dim, (index + 2) * dim),
    }));
    const ranks = await rankRows(table, self, query!, vectors, {
      kernel: kernelOf(options),
      among,
      advance: (rows) => progress.advance(rows),
    });
    progress.done();
    const cells = ranks.map(({ rank, of, ties, cosine }, index) => [
      0,
      args[0],
      ...tokenCells(targets[index], names),
      rank,
      of,
      ties,
      cosine,
    ]);
    yield { cells, sequence: 0, ends: true };
  }
  return {
    columns: [
      ...askedColumns,
      ...tokenColumns(names),
      { key: 'rank', kind: 'count' },
      { key: 'of', kind: 'count' },
      { key: 'ties', kind: 'count' },
      { key: 'cosine', kind: 'number' },
    ],
    blocks: blocks(),
    caption: [`${captionOfTable(opened, names)} · neighbors of ${JSON.stringify(args[0])} · cosine`],
    layout: 'rows',
  };
}
