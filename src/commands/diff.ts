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
import { layers } from '../layout.ts';
import { formatCount } from '../text/numbers.ts';
import type { Cell, Column, Layer, Report, Tokenizer } from '../types.ts';
import { mostPrinted, quantReport, type Side, shownRows } from './diff-quant.ts';
import { kernelOf, kernelOption, threadsOption } from './scan-options.ts';

/** Rows of one block of the report. */
const blockRows = 1000;

export const command: Command = {
  name: 'diff',
  summary: 'what changed between two tables: tokens and rows',
  usage: '[ref...]',
  description:
    'Holds the table of a second model against that of a first. Rows are those of the same token (the same bytes), so that other\n' +
    'orders and other vocabularies compare; by their number where a model has no tokenizer, or with --by id. A row is changed when a value\n' +
    'differs as float32 (NaN is equal to NaN), moved when its token has another id and the same row, added or removed when one side\n' +
    'lacks it; 0 is equal to -0. relative_l2 is |b - a| / |a|. Most changed rows come first. REF:TENSOR names a tensor of a side.\n' +
    '--quant tells what quantization cost: snr is 20 log10(|a| / |b - a|) in dB, worst rows first, with the nearest row by cosine before and after.',
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
      choices: layers,
      default: 'input',
      description: 'which table',
    },
    {
      long: 'top',
      type: 'integer',
      value: 'n',
      min: 0,
      description: `how many differences of each kind are printed (default ${shownRows} for people; json, jsonl, csv and tsv have all)`,
    },
    { long: 'all', type: 'flag', description: 'print every difference' },
    {
      long: 'quant',
      type: 'flag',
      description: 'B is A in fewer bits: what each row lost, and whose nearest neighbor is another one now',
    },
    {
      long: 'sample',
      type: 'integer',
      value: 'n',
      min: 0,
      max: 1_000_000,
      default: '256',
      description: 'with --quant: rows whose neighbors are looked up, evenly spread over the table',
    },
    { long: 'summary', type: 'flag', description: 'with --quant: one record of the table as a whole' },
    { long: 'exit-code', type: 'flag', description: 'exit with 3 when there are differences' },
    kernelOption,
    threadsOption(
      'with --quant: threads that look for neighbors in a local file (default 1); the answers are the same',
    ),
  ],
  groups: [],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md'],
  examples: [
    { line: 'emb diff ./gpt2 ./bert', says: 'tokens that only one has, and rows that differ' },
    { line: 'emb diff ./gpt2 ./bert --by id -f jsonl', says: 'row against row, for a program' },
    { line: 'emb diff ./gpt2 ./bert --quant --by id', says: 'what rows lost, as if B were A in fewer bits' },
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
    if (context.options.quant) return quantReport(context, before, after, pairs);
    for (const long of ['sample', 'summary', 'threads'])
      if (context.options[long] !== undefined)
        throw new EmbError('usage', `--${long} is given without --quant`, 'emb diff A B --quant');
    const progress = context.progress(pairs.after.length, 'rows');
    const changed = await compareRows(before.table, after.table, pairs, {
      kernel: kernelOf(context.options),
      advance: (rows) => progress.advance(rows),
    }).finally(() => progress.done());
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
  const differs = new Uint8Array(after.table.rows);
  for (const id of changed.after) differs[id] = 1;
  const moved: [number, number][] = [];
  pairs.after.forEach((id, i) => {
    if (id !== pairs.before[i] && differs[id] === 0) moved.push([pairs.before[i], id]);
  });
  const most = mostPrinted(context);
  const names = { before: before.tokenizer, after: after.tokenizer };
  const order = mostChanged(changed, most);
  const count = changed.after.length;
  const kinds: [change: string, count: number, cells: (index: number) => Cell[]][] = [
    ['changed', count, (index) => changedCells(changed, order[index], names)],
    ['moved', moved.length, (index) => otherCells('moved', names, ...moved[index])],
    ['removed', pairs.removed.length, (index) => otherCells('removed', names, pairs.removed[index], null)],
    ['added', pairs.added.length, (index) => otherCells('added', names, null, pairs.added[index])],
  ];
  const total = kinds.reduce((sum, [, count]) => sum + count, 0);
  const printed = kinds.reduce((sum, [, count]) => sum + Math.min(count, most), 0);
  if (total > printed)
    context.note(
      `${formatCount(printed)} of ${formatCount(total)} differences are printed; --all prints all`,
    );
  const same = pairs.after.length - count - moved.length;
  const said = kinds.map(([name, count]) => `${formatCount(count)} ${name}`);
  async function* blocks() {
    let cells: Cell[][] = [];
    for (const [, count, cellsOf] of kinds) {
      for (let index = 0; index < Math.min(count, most); index++) {
        cells.push(cellsOf(index));
        if (cells.length < blockRows) continue;
        yield { cells, sequence: 0, ends: false };
        cells = [];
      }
    }
    yield { cells, sequence: 0, ends: true };
  }
  return {
    columns: columnsOf(names.before !== undefined || names.after !== undefined),
    blocks: blocks(),
    caption: [`${before.name} → ${after.name}: ${[`${formatCount(same)} the same`, ...said].join(', ')}`],
    layout: 'rows',
    status: context.options.exitCode && total > 0 ? 'found' : undefined,
  };
}

/** Cells of a row that did not change, or that one side lacks. */
function otherCells(change: string, names: Names, from: number | null, to: number | null): Cell[] {
  return [change, ...tokenOf(names, from, to), from, to, null, null, null, null];
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
