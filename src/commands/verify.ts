import type { Command, Context } from '../command.ts';
import { changedRows, type RowLock, readLock } from '../core/row-lock.ts';
import { EmbError } from '../errors.ts';
import { formatCount } from '../text/numbers.ts';
import type { Cell, Column, Report } from '../types.ts';
import { tokenCells, tokenColumns } from './answer-columns.ts';
import { lockOf, openNamedTable, tableOptions } from './lock.ts';
import { namedRef } from './named-ref.ts';
import { rowNames } from './open-table.ts';

/** Rows of one block of the report. */
const blockRows = 1000;

/** What happened to a row since the lock was made; or that the tokens of rows are others. */
type Change = 'changed' | 'added' | 'removed' | 'vocabulary';

export const command: Command = {
  name: 'verify',
  summary: 'which rows have changed since a lock was made',
  usage: '[lock ref...]',
  description:
    'Holds a model against the lock that emb lock made of it, or of the model that it comes from, which need not be here: prints the\n' +
    'rows that have changed, were added or are gone, with their tokens, and first whether the vocabulary is another one: tokens that stand at\n' +
    'other rows, though no row has changed. Exit code 3 when there is any of it, 0 when every row is the same and the vocabulary, too, where\n' +
    'both have one.\n' +
    'Which table is taken is told by --layer or --tensor, else by the lock. - reads the lock from stdin.',
  options: tableOptions,
  groups: [],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md', 'ids'],
  examples: [
    { line: 'emb verify emb.lock model-folder', says: 'nothing, and exit code 0, when it is the same table' },
    { line: 'emb verify emb.lock model-folder -f json', says: 'the same for a program' },
  ],
  async run(context) {
    const [path, ...refs] = context.args;
    if (path === undefined) throw new EmbError('usage', 'verify needs a lock', 'emb verify emb.lock REF');
    if (refs.length > 1) {
      throw new EmbError(
        'usage',
        `verify takes a lock and one model, not ${context.args.length} arguments`,
        'emb verify emb.lock REF',
      );
    }
    const lock = await readLock(path === '-' ? 'stdin' : path, context.linesOf(path));
    return compare(
      context,
      lock,
      namedRef(context, { command: 'verify', hint: 'emb verify emb.lock REF' }, refs),
    );
  },
};

/** The table that the options name, else the one that the lock was made of: by its name where that had been given, else by its role. */
function tableOf({ layer, tensor }: RowLock, options: Context['options']): Context['options'] {
  if (options.tensor !== undefined || options.layer !== undefined) return {};
  return layer === null ? { tensor } : { layer };
}

async function compare(context: Context, lock: RowLock, ref: string): Promise<Report> {
  const { options } = context;
  const asLocked = { ...context, options: { ...options, ...tableOf(lock, options) } } as Context;
  const opened = await openNamedTable(asLocked, ref);
  const { table } = opened;
  if (table.dim !== lock.dim) {
    throw new EmbError(
      'range',
      `${ref}: "${table.tensorName}" has ${formatCount(table.dim)} columns, the lock of "${lock.tensor}" ${formatCount(lock.dim)}`,
      'another table is named by --tensor or --layer',
    );
  }
  const found = await lockOf(asLocked, opened);
  const isRenamed =
    lock.vocabulary !== null && found.vocabulary !== null && lock.vocabulary !== found.vocabulary;
  if (lock.vocabulary !== null && found.vocabulary === null)
    context.note('the lock has a vocabulary and the model none: only rows are compared');
  if (isRenamed) context.note('the vocabulary is another than that of the lock: rows are compared by id');
  const changed = changedRows(lock.hashes, found.hashes);
  const rest = Math.abs(table.rows - lock.rows);
  const shared = Math.min(table.rows, lock.rows);
  const beyond: Change = table.rows > lock.rows ? 'added' : 'removed';
  const tokenizer = await rowNames(asLocked, opened);
  const counts = [
    `${formatCount(changed.length)} of ${formatCount(shared)} rows changed`,
    ...(rest > 0 ? [`${formatCount(rest)} ${beyond}`] : []),
    ...(isRenamed ? ['another vocabulary'] : []),
  ];
  const total = changed.length + rest;
  const columns: Column[] = [{ key: 'change', kind: 'text' }, ...tokenColumns(tokenizer)];
  async function* blocks() {
    if (isRenamed && context.format !== 'ids') {
      const renamed: Change = 'vocabulary';
      yield {
        cells: [columns.map(({ key }) => (key === 'change' ? renamed : null))],
        sequence: 0,
        ends: false,
      };
    }
    for (let at = 0; at < total; at += blockRows) {
      const cells: Cell[][] = [];
      for (let i = at; i < Math.min(at + blockRows, total); i++) {
        const id = changed[i] ?? shared + i - changed.length;
        cells.push([i < changed.length ? 'changed' : beyond, ...tokenCells(id, tokenizer)]);
      }
      yield { cells, sequence: 0, ends: at + blockRows >= total };
    }
  }
  return {
    columns,
    blocks: blocks(),
    caption: [`${ref} · ${table.tensorName}: ${counts.join(', ')}`],
    layout: 'rows',
    status: total > 0 || isRenamed ? 'found' : undefined,
  };
}
