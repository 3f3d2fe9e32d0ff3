import type { Command, Context } from '../command.ts';
import {
  type ChangedRows,
  compareRows,
  mostChanged,
  pairByRow,
  pairByToken,
  type RowPairs,
} from '../core/row-diff.ts';
import { EmbError } from '../errors.ts';
import { formatCount } from '../text/numbers.ts';
import type { Cell, Column, EmbeddingTable, Layer, Report, Tokenizer } from '../types.ts';

/** Differences of each kind that are printed without --top and --all. */
const shownRows = 20;

/** Rows of one block of the report. */
const blockRows = 1000;

interface Side {
  name: string;
  table: EmbeddingTable;
  tokenizer: Tokenizer | undefined;
}

export const command: Command = {
  name: 'diff',
  summary: 'what changed between two tables: tokens and rows',
  usage: '[ref...]',
  description:
    'Holds the table of a second model against that of a first. Rows are those of the same token (the same bytes), so that other\n' +
    'orders and other vocabularies compare; by their number where a model has no tokenizer, or with --by id. A row is changed when a value\n' +
    'differs as float32 (NaN is equal to NaN), moved when its token has another id and the same row, added or removed when one side\n' +
    'lacks it. relative_l2 is |b - a| / |a|. Most changed rows come first. REF:TENSOR names a tensor of a side.',
  options: [
    {
      long: 'by',
      type: 'text',
      value: 'what',
      choices: ['token', 'id'],
      description: 'which rows belong together (default: token, id where there is no tokenizer)',
    },
    {
      long: 'layer',
      type: 'text',
      value: 'role',
      choices: ['input', 'output', 'position', 'type'],
      default: 'input',
      description: 'which table',
    },
    {
      long: 'top',
      type: 'integer',
      value: 'n',
      min: 0,
      default: String(shownRows),
      description: 'how many differences of each kind are printed',
    },
    { long: 'all', type: 'flag', description: 'print every difference' },
    { long: 'exit-code', type: 'flag', description: 'exit with 3 when there are differences' },
  ],
  groups: [],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md'],
  examples: [
    { line: 'emb diff ./gpt2 ./bert', says: 'tokens that only one has, and rows that differ' },
    { line: 'emb diff ./gpt2 ./bert --by id -f jsonl', says: 'row against row, for a program' },
  ],
  async run(context) {
    const [first, second, ...more] = context.args;
    if (second === undefined || more.length > 0) {
      const given = context.args.length;
      throw new EmbError('usage', `diff takes two models, not ${given}`, 'emb diff A B: what B changed');
    }
    const before = await openSide(context, first);
    const after = await openSide(context, second);
    if (before.table.dim !== after.table.dim) {
      throw new EmbError(
        'range',
        `${before.name}: "${before.table.tensorName}" has ${formatCount(before.table.dim)} columns, "${after.table.tensorName}" of ${after.name} ${formatCount(after.table.dim)}`,
        'rows of other widths cannot be compared',
      );
    }
    const pairs = pairRows(context, before, after);
    const progress = context.progress(pairs.after.length, 'rows');
    const changed = await compareRows(before.table, after.table, pairs, (rows) =>
      progress.advance(rows),
    ).finally(() => progress.done());
    return reportOf(context, before, after, pairs, changed);
  },
};

async function openSide(context: Context, ref: string): Promise<Side> {
  const { path, tensor } = context.splitRef(ref);
  const model = await context.openAside(path);
  const layer = context.options.layer as Layer | undefined;
  const table = await model.table(layer, tensor);
  if (table.rounds) context.note(`${ref}: ${table.dtype} values are no float32: each is rounded once`);
  const named = layer === undefined || layer === 'input' || layer === 'output';
  const hasNames = named && tensor === undefined && (await model.hasTokenizer());
  return { name: ref, table, tokenizer: hasNames ? await model.tokenizer() : undefined };
}

function pairRows({ options, note }: Context, before: Side, after: Side): RowPairs {
  const [rowsBefore, rowsAfter] = [before.table.rows, after.table.rows];
  if (options.by === 'id') return pairByRow(rowsBefore, rowsAfter);
  if (before.tokenizer !== undefined && after.tokenizer !== undefined) {
    return pairByToken(
      { rows: rowsBefore, tokenizer: before.tokenizer },
      { rows: rowsAfter, tokenizer: after.tokenizer },
    );
  }
  const without = before.tokenizer === undefined ? before : after;
  if (options.by === 'token') {
    throw new EmbError('missing', `${without.name}: has no tokenizer`, '--by id compares rows by number');
  }
  note(`${without.name}: has no tokenizer, so that rows are compared by their number`);
  return pairByRow(rowsBefore, rowsAfter);
}

function reportOf(
  context: Context,
  before: Side,
  after: Side,
  pairs: RowPairs,
  changed: ChangedRows,
): Report {
  const differs = new Set(changed.after);
  const moved: [number, number][] = [];
  pairs.after.forEach((id, i) => {
    if (id !== pairs.before[i] && !differs.has(id)) moved.push([pairs.before[i], id]);
  });
  const most = context.options.all
    ? Number.POSITIVE_INFINITY
    : ((context.options.top as number) ?? shownRows);
  const lists: Cell[][] = [];
  const names = { before: before.tokenizer, after: after.tokenizer };
  const order = mostChanged(changed);
  for (const i of order.subarray(0, Math.min(most, order.length)))
    lists.push(changedCells(changed, i, names));
  const unchanged = [null, null, null, null];
  const add = (change: string, ids: readonly [number | null, number | null][]) => {
    for (const [from, to] of ids.slice(0, most))
      lists.push([change, ...tokenOf(names, from, to), from, to, ...unchanged]);
  };
  add('moved', moved);
  add(
    'removed',
    pairs.removed.map((id) => [id, null]),
  );
  add(
    'added',
    pairs.added.map((id) => [null, id]),
  );
  const counts = {
    changed: order.length,
    moved: moved.length,
    removed: pairs.removed.length,
    added: pairs.added.length,
  };
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (total > lists.length)
    context.note(
      `${formatCount(lists.length)} of ${formatCount(total)} differences are printed; --all prints all`,
    );
  const same = pairs.after.length - order.length - moved.length;
  const said = Object.entries(counts).map(([name, count]) => `${formatCount(count)} ${name}`);
  async function* blocks() {
    for (let at = 0; at < lists.length; at += blockRows)
      yield { cells: lists.slice(at, at + blockRows), sequence: 0, ends: at + blockRows >= lists.length };
  }
  return {
    columns: columnsOf(names.before !== undefined || names.after !== undefined),
    blocks: blocks(),
    caption: [`${before.name} → ${after.name}: ${[`${formatCount(same)} the same`, ...said].join(', ')}`],
    layout: 'rows',
    status: context.options.exitCode && total > 0 ? 'found' : undefined,
  };
}

interface Names {
  before: Tokenizer | undefined;
  after: Tokenizer | undefined;
}

function columnsOf(named: boolean): Column[] {
  const tokens: Column[] = [
    { key: 'token', kind: 'text', where: 'machine' },
    { key: 'token', kind: 'token', where: 'table' },
    { key: 'bytes', kind: 'bytes', where: 'machine' },
  ];
  return [
    { key: 'change', kind: 'text' },
    ...(named ? tokens : []),
    { key: 'id_before', title: 'id a', kind: 'id' },
    { key: 'id_after', title: 'id b', kind: 'id' },
    { key: 'cosine', kind: 'number' },
    { key: 'relative_l2', title: 'relative L2', kind: 'number' },
    { key: 'norm_before', title: '|a|', kind: 'number' },
    { key: 'norm_after', title: '|b|', kind: 'number' },
  ];
}

/** The token as the second model has it, else the first; no cells where neither has tokens. */
function tokenOf({ before, after }: Names, from: number | null, to: number | null): Cell[] {
  if (before === undefined && after === undefined) return [];
  const [names, id] = to !== null && after !== undefined ? [after, to] : [before, from];
  const bytes = id === null ? null : (names?.bytesOf(id) ?? null);
  return [id === null ? null : (names?.tokenOf(id) ?? null), bytes, bytes];
}

function changedCells(changed: ChangedRows, i: number, names: Names): Cell[] {
  const [from, to] = [changed.before[i], changed.after[i]];
  const numbers = [changed.cosine[i], changed.relativeL2[i], changed.normBefore[i], changed.normAfter[i]];
  const known = numbers.map((value) => (Number.isFinite(value) ? value : null));
  return ['changed', ...tokenOf(names, from, to), from, to, ...known];
}
