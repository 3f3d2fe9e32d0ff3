import type { Command, Context } from '../command.ts';
import { centralities, unitRow } from '../core/analogy.ts';
import { EmbError } from '../errors.ts';
import type { Block, Report } from '../types.ts';
import { askedColumns, tokenCells, tokenColumns } from './answer-columns.ts';
import { captionOfTable, openTable, rowNames } from './open-table.ts';
import { operandOf, rowsOfOperands } from './word-rows.ts';

export const command: Command = {
  name: 'odd',
  summary: 'which of some tokens does not match the others',
  usage: '[token...]',
  description:
    'The cosine of each token with the mean of all, their rows divided by their norms; the lowest comes first and is the odd one, as in\n' +
    "gensim's doesnt_match. A token is an exact piece of the vocabulary, or #id.",
  options: [],
  groups: ['model', 'tokenizer', 'scratch'],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md'],
  examples: [
    { line: 'emb odd -m vectors.txt Athens Rome Oslo smaller', says: 'three capitals and a comparative' },
    { line: "emb odd -m ./gpt2 '#5' '#6' '#7' -f jsonl", says: 'rows by their ids' },
  ],
  run,
};

async function run(context: Context): Promise<Report> {
  const { args } = context;
  if (args.length < 3) {
    throw new EmbError(
      'usage',
      `${args.length} ${args.length === 1 ? 'token is' : 'tokens are'} given, expected at least 3`,
      'emb odd one two apple',
    );
  }
  const opened = await openTable(context);
  const { model, table } = opened;
  const names = await rowNames(context, opened);
  const tokenizer = async () => names ?? context.tokenizer(model);
  const rows = await rowsOfOperands(context, table, args.map(operandOf), tokenizer);
  const { data } = await table.gather(Uint32Array.from(rows));
  const units = rows.map((row, index) => {
    const unit = unitRow(data, index * table.dim, table.dim);
    if (unit !== undefined) return unit;
    throw new EmbError(
      'range',
      `row ${row} of "${table.tensorName}" is zero or not finite: it has no direction`,
    );
  });
  const cosines = cosinesWithMean(units);
  const order = rows.map((_, index) => index).sort((a, b) => cosines[a] - cosines[b] || a - b);
  async function* blocks(): AsyncGenerator<Block> {
    const cells = order.map((index, place) => [
      index,
      args[index],
      ...tokenCells(rows[index], names),
      cosines[index],
      place === 0,
    ]);
    yield { cells, sequence: 0, ends: true };
  }
  return {
    columns: [
      ...askedColumns,
      ...tokenColumns(names),
      { key: 'cosine', title: 'cosine with mean', kind: 'number' },
      { key: 'odd', kind: 'flag' },
    ],
    blocks: blocks(),
    caption: [captionOfTable(opened, names)],
    layout: 'rows',
  };
}

function cosinesWithMean(units: readonly Float64Array[]): number[] {
  const cosines = centralities(units);
  if (cosines !== undefined) return cosines;
  throw new EmbError('range', 'the mean of the tokens is zero: none is nearer to it than another');
}
