import type { Command, Context } from '../command.ts';
import { findByProduct, unitRow, weightedSum } from '../core/analogy.ts';
import { expressionText, parseExpression, type Term } from '../core/expression.ts';
import { findNeighbors, type Neighbor } from '../core/neighbors.ts';
import { EmbError } from '../errors.ts';
import type { Block, EmbeddingTable, Report } from '../types.ts';
import { answerCells, answerColumns } from './answer-columns.ts';
import { captionOfTable, openTable, rowNames } from './open-table.ts';
import { kernelOf, kernelOption } from './scan-options.ts';
import { rowsOfOperands } from './word-rows.ts';

export const command: Command = {
  name: 'analogy',
  summary: 'the rows nearest to a sum of tokens: king - man + woman',
  usage: '[expression...]',
  description:
    'Adds and subtracts tokens and gives what is nearest. + and - stand alone, between spaces; 0.5*king weighs, ( ) groups, #123 is a row\n' +
    'by its id, and quotes hold what has spaces in it. A token is an exact piece of the vocabulary; where only the one with a leading\n' +
    'space (or without it) exists, that one is taken and said. Rows are divided by their norms first (--raw: not), and the tokens of the\n' +
    'expression are no answers, as in word2vec and gensim. add (3CosAdd) is the cosine with the sum. mul (3CosMul) multiplies\n' +
    '(1 + cosine) / 2 of what is added and divides by that of what is subtracted; a weight is there the exponent.',
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
      long: 'method',
      type: 'text',
      value: 'name',
      choices: ['add', 'mul'],
      default: 'add',
      description: '3CosAdd or 3CosMul',
    },
    { long: 'raw', type: 'flag', description: 'add the rows as they are, not divided by their norms' },
    { long: 'keep-self', type: 'flag', description: 'the tokens of the expression may be answers' },
    kernelOption,
  ],
  groups: ['model', 'tokenizer', 'scratch'],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md', 'ids'],
  examples: [
    { line: 'emb analogy -m vectors.txt king - man + woman', says: 'the classic question' },
    {
      line: 'emb analogy -m vectors.txt "Oslo + 0.5*(Greece - Athens)" --method mul -k 3 -f jsonl',
      says: 'weights and parentheses, as one argument',
    },
    {
      line: "emb analogy -m ./gpt2 ' w' - '#5' -f csv",
      says: 'a token with its space, and a row by its id',
    },
  ],
  run,
};

async function run(context: Context): Promise<Report> {
  const { options } = context;
  const product = options.method === 'mul';
  if (product && options.raw) {
    throw new EmbError(
      'usage',
      '--raw and --method mul are given, expected one of them',
      'mul multiplies cosines',
    );
  }
  const opened = await openTable(context);
  const names = await rowNames(context, opened);
  const terms = parseExpression(context.args, (text) => names?.idOf(text) !== undefined);
  const rows = await rowsOfOperands(
    context,
    opened.table,
    terms.map(({ operand }) => operand),
    async () => names ?? context.tokenizer(opened.model),
  );
  const query = expressionText(terms);
  if (!options.keepSelf) {
    context.note('the tokens of the expression are left out of its answer; --keep-self keeps them');
  }
  async function* blocks(): AsyncGenerator<Block> {
    const progress = context.progress(opened.table.rows, 'rows');
    const advance = (count: number) => progress.advance(count);
    const answers = await answer(opened.table, terms, rows, context, advance);
    progress.done();
    const cells = answers.map((neighbor, index) =>
      context.format === 'ids' ? [neighbor.row] : answerCells(query, index + 1, neighbor, names),
    );
    yield { cells, sequence: 0, ends: true };
  }
  const method = product ? '3CosMul' : options.raw ? 'cosine with the plain sum' : '3CosAdd';
  return {
    columns:
      context.format === 'ids'
        ? [{ key: 'id', kind: 'id' }]
        : answerColumns(product ? 'cosmul' : 'cosine', names),
    blocks: blocks(),
    caption: [`${captionOfTable(opened, names)} · ${query} · ${method}`],
    layout: 'rows',
  };
}

async function answer(
  table: EmbeddingTable,
  terms: readonly Term[],
  rows: readonly number[],
  { options }: Context,
  advance: (rows: number) => void,
): Promise<Neighbor[]> {
  const { dim } = table;
  const { data } = await table.gather(Uint32Array.from(rows));
  const weights = terms.map(({ weight }) => weight);
  const common = {
    k: (options.k as number | undefined) ?? 10,
    kernel: kernelOf(options),
    advance,
  };
  const excluded = options.keepSelf ? undefined : new Set(rows);
  if (options.raw) {
    const plain = rows.map((_, index) => data.subarray(index * dim, (index + 1) * dim));
    return nearest(table, weightedSum(plain, weights), { ...common, excluded });
  }
  const units = rows.map((row, index) => {
    const unit = unitRow(data, index * dim, dim);
    if (unit !== undefined) return unit;
    throw new EmbError(
      'range',
      `row ${row} of "${table.tensorName}" is zero or not finite: it has no direction`,
    );
  });
  if (options.method === 'mul') return findByProduct(table, units, weights, { ...common, exclude: excluded });
  return nearest(table, weightedSum(units, weights), { ...common, excluded });
}

interface NearestOptions {
  k: number;
  kernel: 'ts' | 'simd';
  excluded: ReadonlySet<number> | undefined;
  advance(rows: number): void;
}

async function nearest(
  table: EmbeddingTable,
  query: Float32Array | undefined,
  { excluded, ...options }: NearestOptions,
): Promise<Neighbor[]> {
  if (query === undefined) {
    throw new EmbError('range', 'the sum of the expression is zero or not finite: nothing is near to it');
  }
  const exclude = excluded && [excluded];
  const [answers] = await findNeighbors(table, query, { ...options, metric: 'cosine', exclude });
  return answers;
}
