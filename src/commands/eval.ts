import type { Command, Context } from '../command.ts';
import { EmbError } from '../errors.ts';
import type { Cell, Column, EmbeddingTable, Report } from '../types.ts';
import { type AnalogyScore, scoreAnalogies } from './eval-analogies.ts';
import { scorePairs } from './eval-pairs.ts';
import { readTestSet } from './eval-sets.ts';
import { RowWords } from './eval-vocabulary.ts';
import { captionOfTable, openTable, rowNames } from './open-table.ts';
import { kernelOf, kernelOption } from './scan-options.ts';

/** As in gensim: a vocabulary is sorted by frequency, and rare words make test sets slow. */
const usualRows = 300_000;

export const command: Command = {
  name: 'eval',
  summary: 'test sets of analogies and word pairs',
  usage: '[file]',
  description:
    'Analogies: a file as questions-words.txt, ": section" lines and questions "a b c d"; right is the answer whose word is d, nearest to\n' +
    'b - a + c (3CosAdd) and none of a, b, c. Word pairs: two words and a score on a line, by tabs, commas or spaces; the cosines are\n' +
    "correlated with the scores (Pearson, Spearman, two-sided p). Numbers are those of gensim's evaluate_word_analogies and\n" +
    'evaluate_word_pairs. What is out of the vocabulary is left out and counted in oov. In vocabularies of pieces, a word is the piece\n' +
    'without its leading space, or else the one with it (--spaced: the other way round). - reads stdin.',
  options: [
    { long: 'case-sensitive', type: 'flag', description: 'capital letters make a difference' },
    {
      long: 'restrict-vocab',
      type: 'integer',
      value: 'n',
      min: 1,
      default: '300000',
      description: 'only the first n rows are words and answers',
    },
    {
      long: 'dummy4unknown',
      type: 'flag',
      description: 'count what is out of the vocabulary as wrong, or as cosine 0',
    },
    { long: 'spaced', type: 'flag', description: 'prefer pieces with a leading space' },
    kernelOption,
  ],
  groups: ['model', 'tokenizer', 'scratch'],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md'],
  examples: [
    { line: 'emb eval -m vectors.txt questions.txt', says: 'accuracy by section, and in total' },
    { line: 'emb eval -m vectors.txt pairs.tsv -f jsonl', says: 'correlation with what people said' },
  ],
  run,
};

async function run(context: Context): Promise<Report> {
  const { args, options } = context;
  if (args.length !== 1) {
    throw new EmbError('usage', `${args.length} files are given, expected one`, 'emb eval -m REF FILE');
  }
  const opened = await openTable(context);
  const { model, table } = opened;
  const tokenizer = (await rowNames(context, opened)) ?? (await context.tokenizer(model));
  const words = new RowWords(tokenizer, {
    rows: Math.min(table.rows, (options.restrictVocab as number | undefined) ?? usualRows),
    insensitive: options.caseSensitive !== true,
    spaced: options.spaced === true,
  });
  const set = await readTestSet(args[0], context.linesOf(args[0]), (word) => words.fold(word));
  if (set.skipped > 0)
    context.note(
      `${args[0] === '-' ? 'stdin' : args[0]}: ${set.skipped} ${set.skipped === 1 ? 'line is' : 'lines are'} no ${noun[set.kind]}, passed over`,
    );
  const caption = [`${captionOfTable(opened, tokenizer)} · ${args[0]}`];
  const dummy = options.dummy4unknown === true;
  if (set.kind === 'pairs') {
    const score = await scorePairs(table, set, words, dummy);
    if (score.pairs === 0) throw noneKnown(args[0], set.scores.length, 'pairs');
    return record(pairColumns, [score.pairs, score.oov, score.oovShare, ...score.correlations], caption);
  }
  const scores = await scoreAnalogies(table, set, words, {
    dummy,
    kernel: kernelOf(options),
    progress: () => progressOf(context, table),
  });
  return {
    columns: analogyColumns,
    blocks: one(scores.map(analogyCells)),
    caption,
    layout: 'rows',
  };
}

const noun = { pairs: 'pair with a score', analogies: 'question' };

const analogyColumns: Column[] = [
  { key: 'section', kind: 'name' },
  { key: 'correct', kind: 'count' },
  { key: 'total', kind: 'count' },
  { key: 'accuracy', kind: 'share' },
  { key: 'oov', kind: 'count' },
];

const analogyCells = ({ section, correct, total, oov }: AnalogyScore): Cell[] => [
  section,
  correct,
  total,
  total === 0 ? null : correct / total,
  oov,
];

const pairColumns: Column[] = [
  { key: 'pairs', kind: 'count' },
  { key: 'oov', kind: 'count' },
  { key: 'oov_share', title: 'oov share', kind: 'share' },
  { key: 'pearson', kind: 'number' },
  { key: 'pearson_p', title: 'pearson p', kind: 'number' },
  { key: 'spearman', kind: 'number' },
  { key: 'spearman_p', title: 'spearman p', kind: 'number' },
];

function record(columns: Column[], cells: Cell[], caption: string[]): Report {
  return { columns, blocks: one([cells]), caption, layout: 'records', single: true };
}

async function* one(cells: Cell[][]) {
  yield { cells, sequence: 0, ends: true };
}

function progressOf(context: Context, table: EmbeddingTable) {
  return context.progress(table.rows, 'rows');
}

function noneKnown(file: string, count: number, what: string): EmbError {
  return new EmbError(
    'range',
    `${file}: 0 of ${count} ${what} are in the vocabulary, expected at least 1`,
    'words are compared with the tokens of the table: emb vocab shows them',
  );
}
