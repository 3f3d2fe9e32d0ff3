import { escapeText } from '../text/escape.ts';
import { largestFinite, numberStyle } from '../text/numbers.ts';
import { displayWidth, truncate } from '../text/width.ts';
import type { Block, Column, ColumnKind, RenderOptions, Report } from '../types.ts';
import { type Gap, isGap, RowElision, shownRows } from './elide.ts';
import { showCell } from './table-cells.ts';

/** One row of a heat map: its token, and the first and last of its values. */
export interface HeatRow {
  label: string;
  special: boolean;
  values: Float32Array;
}

/** Rows that are drawn together: those of one sequence, or of sequences of a single row each (pooled texts). */
export interface Panel {
  sequence: number;
  rows: (HeatRow | Gap)[];
}

/** Dimensions that are drawn: the first `head`, and the last `tail` of `dim`. */
export interface ShownDims {
  dim: number;
  head: number;
  tail: number;
  /** What they are called instead of d0, d1, ... */
  names?: readonly string[];
}

/** The columns that name rows, best first: the token, else the text, else the id. */
const labelKinds: readonly ColumnKind[] = ['token', 'text', 'id'];

function labelColumns(columns: readonly Column[]): number[] {
  return labelKinds
    .map((kind) => columns.findIndex((column) => column.kind === kind && column.where !== 'machine'))
    .filter((index) => index >= 0);
}

/** Code units of a label before it is cut for display. */
const labelClip = 200;

/** Collects rows into panels as blocks come; keeps only the values that can be shown. */
export class PanelCollector {
  private readonly columns: readonly Column[];
  private readonly labels: readonly number[];
  private readonly special: number;
  private readonly dims: ShownDims;
  private readonly elision: RowElision<HeatRow>;
  private singles = false;
  private sequence = 0;
  private open = false;
  private counted = 0;

  /** `dims`: what to keep of each row; a picture may show less. */
  constructor(report: Report, dims: ShownDims, options: Pick<RenderOptions, 'full'>) {
    this.columns = report.columns;
    this.labels = labelColumns(report.columns);
    this.special = report.columns.findIndex(({ key }) => key === 'special');
    this.dims = dims;
    // Rows of a panel are held in any case; a limit above all counts keeps them all.
    this.elision = new RowElision(options.full ? Number.MAX_SAFE_INTEGER : shownRows);
  }

  /** Takes a block and gives the panels that are complete by it. */
  add(block: Block): Panel[] {
    const panels: Panel[] = [];
    if (!this.open) {
      const single = block.ends && block.cells.length === 1;
      if (!(single && this.singles)) panels.push(...this.flush());
      if (!this.elision.holds) this.sequence = block.sequence;
      this.singles = single;
    }
    this.elision.add({ ...block, ends: false }, (row) => this.makeRow(block, row));
    this.counted += block.cells.length;
    this.open = !block.ends;
    if (block.ends && !this.singles) panels.push(...this.flush());
    return panels;
  }

  /** What is held: at the end, and when the input pauses between two sequences. */
  flush(): Panel[] {
    const rows = this.elision.end();
    this.singles = false;
    this.counted = 0;
    return rows.length === 0 ? [] : [{ sequence: this.sequence, rows }];
  }

  /** True in the middle of a sequence: not a moment to draw. */
  get waits(): boolean {
    return this.open;
  }

  private makeRow(block: Block, row: number): HeatRow {
    const cells = block.cells[row];
    const { head, tail, dim } = this.dims;
    const values = new Float32Array(head + tail);
    if (block.matrix !== undefined) {
      const start = block.matrix.offset + row * dim;
      values.set(block.matrix.data.subarray(start, start + head));
      values.set(block.matrix.data.subarray(start + dim - tail, start + dim), head);
    }
    // Ids that no tokenizer names have no token: then the id is the name.
    const named = this.labels.find((index) => cells[index] !== null) ?? this.labels[0];
    const label =
      named === undefined
        ? String(this.counted + row)
        : showCell(cells[named], this.columns[named].kind, { precision: 4, clip: labelClip });
    return { label, special: this.special >= 0 && cells[this.special] === true, values };
  }
}

/** The values of a row that stand in the columns shown: its first `head` and last `tail`. */
export function pick(row: HeatRow, { head, tail }: ShownDims): number[] {
  return [...row.values.subarray(0, head), ...row.values.subarray(row.values.length - tail)];
}

/** Columns of the longest name of a dimension. */
const nameWidth = 8;

/** Names of the dimensions shown: their own, cut to a cell, else d0, d1, ... */
export function dimNames({ dim, head, tail, names }: ShownDims): string[] {
  const name = (i: number) => (names ? truncate(escapeText(names[i]), nameWidth) : `d${i}`);
  const first = Array.from({ length: head }, (_, i) => name(i));
  return [...first, ...Array.from({ length: tail }, (_, i) => name(dim - tail + i))];
}

/** Columns of the longest of their names. */
export function widestName(dims: ShownDims): number {
  if (dims.names === undefined) return `d${dims.dim - 1}`.length;
  return dimNames(dims).reduce((widest, name) => Math.max(widest, displayWidth(name)), 0);
}

export const heatRows = (panel: Panel): HeatRow[] => panel.rows.filter((row): row is HeatRow => !isGap(row));

/** What is shown of panels decides their scale and notation: elided values, outlier dimensions among them, have no say. */
export function measure(panels: readonly Panel[], dims: ShownDims, precision: number) {
  const rows = panels.flatMap(heatRows);
  let largest = 0;
  let hasNaN = false;
  for (const row of rows) {
    const values = pick(row, dims);
    largest = Math.max(largest, largestFinite(values));
    hasNaN ||= values.some(Number.isNaN);
  }
  const format = numberStyle(largest, precision);
  let widest = 0;
  for (const row of rows)
    for (const value of pick(row, dims)) widest = Math.max(widest, format(value).length);
  return { largest, format, widest, hasNaN };
}
