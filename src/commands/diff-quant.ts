import type { Context } from '../command.ts';
import {
  type ChangedRows,
  compareRows,
  type DiffTotals,
  mostChanged,
  type RowPairs,
} from '../core/row-diff.ts';
import { type NearestPair, nearestPairs, samplePairs, signalToNoise } from '../core/row-loss.ts';
import { formatCount } from '../text/numbers.ts';
import type { Cell, Column, EmbeddingTable, Report, Tokenizer } from '../types.ts';
import { tokenCells, tokenColumns } from './answer-columns.ts';
import { kernelOf } from './scan-options.ts';
import { startScanThreads } from './scan-threads.ts';

/** One of the two tables. */
export interface Side {
  name: string;
  table: EmbeddingTable;
  tokenizer: Tokenizer | undefined;
}

/** Rows, or differences of each kind, that people get without --top and --all. */
export const shownRows = 20;

/** Formats for programs, which are complete unless --top is given. */
const machineFormats = ['json', 'jsonl', 'csv', 'tsv'];

/** How many differences of each kind are printed. */
export function mostPrinted({ options, format }: Context): number {
  if (options.all || options.full) return Number.POSITIVE_INFINITY;
  const complete = machineFormats.includes(format) ? Number.POSITIVE_INFINITY : shownRows;
  return (options.top as number | undefined) ?? complete;
}

/** Printed rows whose neighbors are looked up beside the sample: one more scan of each table. */
const mostNamed = 256;

/** What all rows lost together. */
interface Loss {
  pairs: RowPairs;
  /** Of the rows that are finite in both. */
  totals: DiffTotals;
  changed: ChangedRows;
  sampled: number;
  flipped: number;
}

/** What quantization cost: every row by its signal to noise, and how many nearest neighbors are other ones now. */
export async function quantReport(
  context: Context,
  before: Side,
  after: Side,
  pairs: RowPairs,
): Promise<Report> {
  const { options } = context;
  const kernel = kernelOf(options);
  const totals: DiffTotals = { rows: 0, signal: 0, noise: 0 };
  const sample = samplePairs(pairs, (options.sample as number | undefined) ?? 256);
  const most = mostPrinted(context);
  const progress = context.progress(pairs.after.length, 'rows');
  const changed = await compareRows(before.table, after.table, pairs, {
    kernel,
    totals,
    advance: (rows) => progress.advance(rows),
  }).finally(() => progress.done());
  const order = mostChanged(changed, most);
  const named = options.summary ? [] : placesOf(pairs, changed, order.subarray(0, mostNamed));
  const places = [...sample, ...named];
  const nearest = await nearestPairs(before.table, after.table, pairs, places, {
    kernel,
    // With so many queries a thread takes 30 MB: no second one unless it is asked for.
    threadsOf: (table) => startScanThreads(context, table, false),
  });
  const flipped = nearest.slice(0, sample.length).filter((one) => one.flipped).length;
  const loss: Loss = { pairs, totals, changed, sampled: sample.length, flipped };
  const isOther = changed.after.length + pairs.removed.length + pairs.added.length > 0;
  const status = options.exitCode && isOther ? ('found' as const) : undefined;
  const caption = [`${before.name} → ${after.name}: ${captionOf(loss)}`];
  if (options.summary) return { ...summaryReport(before, after, loss), status };
  if (order.length < changed.after.length) {
    context.note(
      `${formatCount(order.length)} of ${formatCount(changed.after.length)} rows are printed; --all prints all`,
    );
  }
  const looked = new Map(nearest.slice(sample.length).map((one, i) => [order[i], one]));
  return { ...rowReport(before, after, changed, order, looked), caption, status };
}

/** Where in the pairs the changed rows stand. */
function placesOf(pairs: RowPairs, changed: ChangedRows, order: Uint32Array): number[] {
  const wanted = new Map(Array.from(order, (i, at) => [changed.after[i], at]));
  const places = new Array<number>(order.length);
  pairs.after.forEach((id, place) => {
    const at = wanted.get(id);
    if (at !== undefined) places[at] = place;
  });
  return places;
}

/** Mean and worst over all rows with a relative distance, unchanged ones being 0; null where there are none. */
function relativeL2({ changed, totals }: Loss): { mean: number | null; worst: number | null } {
  const rows = totals.rows - fromZeros(changed);
  if (rows === 0) return { mean: null, worst: null };
  let [sum, worst] = [0, 0];
  for (const value of changed.relativeL2) {
    if (!Number.isFinite(value)) continue;
    sum += value;
    worst = Math.max(worst, value);
  }
  return { mean: sum / rows, worst };
}

/** Changed rows that were all zeros before, and are finite: they have no relative distance. */
function fromZeros({ normBefore, normAfter }: ChangedRows): number {
  return normBefore.reduce(
    (count, norm, i) => count + Number(norm === 0 && Number.isFinite(normAfter[i])),
    0,
  );
}

/** Rows that hold a NaN or an infinity in one table or both. */
const notFinite = ({ pairs, totals }: Loss): number => pairs.after.length - totals.rows;

function captionOf(loss: Loss): string {
  const { pairs, totals, changed, sampled, flipped } = loss;
  const { mean, worst } = relativeL2(loss);
  const parts = [
    `${formatCount(changed.after.length)} of ${formatCount(pairs.after.length)} rows changed`,
    signalOf(totals, notFinite(loss)),
  ];
  if (mean !== null && worst !== null)
    parts.push(`relative L2 ${mean.toPrecision(3)} on average, ${worst.toPrecision(3)} at worst`);
  const others: [number, string][] = [
    [fromZeros(changed), 'from all zeros'],
    [notFinite(loss), 'not finite'],
    [pairs.removed.length, 'removed'],
    [pairs.added.length, 'added'],
  ];
  for (const [count, what] of others) if (count > 0) parts.push(`${formatCount(count)} ${what}`);
  if (sampled > 0)
    parts.push(
      `another nearest neighbor in ${formatCount(flipped)} of ${formatCount(sampled)} rows looked at`,
    );
  return parts.join(', ');
}

function signalOf({ rows, signal, noise }: DiffTotals, others: number): string {
  if (rows === 0) return 'no row of finite values to compare';
  if (signal === 0 && noise > 0) return 'all values were 0 before';
  if (noise === 0) return others === 0 ? 'nothing lost' : 'nothing lost in finite rows';
  return `SNR ${signalToNoise(signal, noise).toFixed(2)} dB`;
}

function summaryReport(before: Side, after: Side, loss: Loss): Report {
  const { pairs, totals, changed, sampled, flipped } = loss;
  const { mean, worst } = relativeL2(loss);
  const snr = signalToNoise(totals.signal, totals.noise);
  const fields: { column: Column; cell: Cell }[] = [
    { column: { key: 'before', kind: 'text' }, cell: before.name },
    { column: { key: 'after', kind: 'text' }, cell: after.name },
    { column: { key: 'dtype_before', kind: 'text' }, cell: before.table.dtype },
    { column: { key: 'dtype_after', kind: 'text' }, cell: after.table.dtype },
    { column: { key: 'bytes_before', kind: 'size' }, cell: before.table.byteLength },
    { column: { key: 'bytes_after', kind: 'size' }, cell: after.table.byteLength },
    { column: { key: 'rows', kind: 'count' }, cell: pairs.after.length },
    { column: { key: 'changed', kind: 'count' }, cell: changed.after.length },
    { column: { key: 'not_finite', title: 'not finite', kind: 'count' }, cell: notFinite(loss) },
    { column: { key: 'removed', kind: 'count' }, cell: pairs.removed.length },
    { column: { key: 'added', kind: 'count' }, cell: pairs.added.length },
    { column: { key: 'snr', kind: 'number' }, cell: Number.isFinite(snr) ? snr : null },
    { column: { key: 'relative_l2_mean', kind: 'number' }, cell: mean },
    { column: { key: 'relative_l2_worst', kind: 'number' }, cell: worst },
    { column: { key: 'neighbors_looked_at', kind: 'count' }, cell: sampled },
    { column: { key: 'neighbors_flipped', kind: 'count' }, cell: flipped },
  ];
  async function* blocks() {
    yield { cells: [fields.map(({ cell }) => cell)], sequence: 0, ends: true };
  }
  return { columns: fields.map(({ column }) => column), blocks: blocks(), layout: 'records', single: true };
}

function rowReport(
  before: Side,
  after: Side,
  changed: ChangedRows,
  order: Uint32Array,
  nearest: ReadonlyMap<number, NearestPair>,
): Report {
  const names = after.tokenizer ?? before.tokenizer;
  const nameOf = (side: Side, id: number | null | undefined) =>
    id == null ? null : (side.tokenizer?.tokenOf(id) ?? null);
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  const cells = (i: number): Cell[] => {
    const [from, to] = [changed.before[i], changed.after[i]];
    const near = nearest.get(i);
    const [, ...token] = tokenCells(after.tokenizer === undefined ? from : to, names);
    return [
      ...token,
      from,
      to,
      finite(changed.cosine[i]),
      finite(changed.relativeL2[i]),
      finite(20 * Math.log10(1 / changed.relativeL2[i])),
      near?.before ?? null,
      near?.after ?? null,
      ...(names === undefined ? [] : [nameOf(before, near?.before), nameOf(after, near?.after)]),
      near?.flipped ?? null,
    ];
  };
  const [, ...tokens] = tokenColumns(names);
  const columns: Column[] = [
    ...tokens,
    { key: 'id_before', title: 'id a', kind: 'id' },
    { key: 'id_after', title: 'id b', kind: 'id' },
    { key: 'cosine', kind: 'number', where: 'machine' },
    { key: 'relative_l2', title: 'relative L2', kind: 'number' },
    { key: 'snr', title: 'dB', kind: 'number' },
    { key: 'nearest_before', title: 'near a', kind: 'id', where: names === undefined ? 'all' : 'machine' },
    { key: 'nearest_after', title: 'near b', kind: 'id', where: names === undefined ? 'all' : 'machine' },
    ...(names === undefined
      ? []
      : ([
          { key: 'nearest_token_before', title: 'near a', kind: 'token' },
          { key: 'nearest_token_after', title: 'near b', kind: 'token' },
        ] as const)),
    { key: 'flipped', kind: 'flag' },
  ];
  async function* blocks() {
    for (let at = 0; at < order.length; at += 1000) {
      const some = Array.from(order.subarray(at, at + 1000), cells);
      yield { cells: some, sequence: 0, ends: at + 1000 >= order.length };
    }
  }
  return { columns, blocks: blocks(), layout: 'rows' };
}
