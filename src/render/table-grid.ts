import type CliTable3 from 'cli-table3';
import { displayWidth, truncate, truncateMiddle } from '../text/width.ts';
import { wrapWords } from '../text/wrap.ts';
import type { Paint } from './colors.ts';
import { drawBar, largestBar } from './table-cells.ts';
import type { VectorColumn } from './table-vectors.ts';

type TableClass = typeof CliTable3;

export interface GridColumn {
  title: string;
  right: boolean;
  /** The widths its cells may be cut to: gladly, and at worst. Absent: never cut, as a number would become another. */
  cut?: { soft: number; hard: number; middle?: boolean };
  /** Text goes on in the next line instead of being cut. */
  wraps?: boolean;
  /** Room to keep when more rows may follow. */
  floor: number;
}

export interface GridCell {
  text: string;
  /** Overrides the column. */
  right?: boolean;
  /** Colors the text, not the space around it. */
  paint?: (text: string) => string;
  /** Drawn as a bar instead of the text, scaled to the largest of the rows drawn together. */
  bar?: number;
}

export interface GridRow {
  cells: GridCell[];
  vector?: Float32Array;
  /** In place of the vector. */
  note?: string;
}

/** As many rows are held back at most before their lines are drawn. */
const chunkRows = 100;
/** Widest bar. */
const barWidth = 24;
/**
 * cli-table3 measures text with an older table of widths than ours, would cut or misplace what they disagree on, and takes time
 * quadratic in its rows. So it draws one row of this letter, and the texts of every row take its place: all that it adds are lines and
 * spaces. A letter of ASCII, because the first text beyond it makes cli-table3 compile a regular expression of all emoji, 5 ms.
 */
const placeholder = 'x';
const placeholders = /x+/g;

/** Lines of a table whose cells are placeholders. */
interface Frame {
  /** The lines above the rows. */
  head: string[];
  row: string;
  bottom: string;
}

export interface GridOptions {
  /** Columns of the terminal; Infinity cuts nothing. */
  width: number;
  paint: Paint;
  /** Print a line with the titles. */
  headed: boolean;
}

/** A cell as it is printed, and the columns it takes. */
interface Shown {
  text: string;
  width: number;
  right: boolean;
}

/** A table with borders that can be printed in parts: widths come from the rows held back until the first emit, later they only grow. */
export class Grid {
  private readonly columns: readonly GridColumn[];
  private readonly options: GridOptions;
  private readonly table: TableClass;
  private readonly vectors: VectorColumn | undefined;
  private held: GridRow[] = [];
  private widths: number[];
  private opened = false;

  constructor(
    table: TableClass,
    columns: readonly GridColumn[],
    options: GridOptions,
    vectors?: VectorColumn,
  ) {
    this.table = table;
    this.columns = columns;
    this.options = options;
    this.vectors = vectors;
    this.widths = columns.map(({ title }) => Math.max(1, displayWidth(title)));
  }

  add(row: GridRow): void {
    this.held.push(row);
  }

  /** True when as many rows are held back as are drawn at once. */
  get full(): boolean {
    return this.held.length >= chunkRows;
  }

  /** Lines of the rows held back; with `ends` also the border below. */
  emit(ends: boolean): string {
    if (this.held.length === 0 && !ends) return '';
    const rows = this.held;
    this.held = [];
    this.fit(rows, ends);
    const bars = this.columns.map((_, i) => largestBar(rows.map(({ cells }) => cells[i].bar ?? 0)));
    const shown = rows.flatMap((row) => this.wrap(row)).map((row) => this.showRow(row, bars));
    return `${this.draw(shown, ends).join('\n')}\n`;
  }

  private fit(rows: readonly GridRow[], ends: boolean): void {
    const { width } = this.options;
    const vectors = this.vectors;
    const natural = this.columns.map((column, i) => {
      let widest = Math.max(this.widths[i], ends || width === Number.POSITIVE_INFINITY ? 1 : column.floor);
      for (const { cells } of rows) {
        const cell = cells[i];
        widest = Math.max(widest, cell.bar === undefined ? displayWidth(cell.text) : barWidth);
      }
      return column.cut === undefined ? widest : Math.min(widest, width);
    });
    const borders = 3 * (natural.length + (vectors === undefined ? 0 : 1)) + 1;
    let room = width - borders;
    if (vectors !== undefined) {
      const soft = natural.map((w, i) =>
        Math.min(w, Math.max(this.columns[i].cut?.soft ?? w, this.widths[i])),
      );
      vectors.fit(
        rows.flatMap(({ vector }) => vector ?? []),
        room - sum(soft),
      );
      room -= vectors.width;
    }
    this.widths = shrink(natural, this.columns, room);
  }

  /** A row as the lines that its texts take. */
  private wrap(row: GridRow): GridRow[] {
    const parts = row.cells.map(({ text }, i) =>
      this.columns[i].wraps ? wrapWords(text, this.widths[i]) : [text],
    );
    const lines = Math.max(1, ...parts.map(({ length }) => length));
    if (lines === 1) return [row];
    return Array.from({ length: lines }, (_, line) => ({
      ...row,
      cells: row.cells.map((cell, i) => ({ ...cell, text: parts[i][line] ?? '' })),
    }));
  }

  private showRow(row: GridRow, bars: readonly number[]): Shown[] {
    const shown = row.cells.map((cell, i): Shown => {
      const width = this.widths[i];
      const right = cell.right ?? this.columns[i].right;
      const whole =
        cell.bar === undefined ? cell.text : drawBar(cell.bar, bars[i], Math.min(width, barWidth));
      const { cut } = this.columns[i];
      const text =
        cut === undefined ? whole : cut.middle ? truncateMiddle(whole, width) : truncate(whole, width);
      return { text: cell.paint === undefined ? text : cell.paint(text), width: displayWidth(text), right };
    });
    if (this.vectors !== undefined) {
      const { width } = this.vectors;
      const text = row.vector === undefined ? truncate(row.note ?? '', width) : this.vectors.text(row.vector);
      shown.push({ text, width: row.vector === undefined ? displayWidth(text) : width, right: false });
    }
    return shown;
  }

  private head(): Shown[] {
    const head = this.columns.map(({ title, right }, i): Shown => {
      const text = truncate(title, this.widths[i]);
      return { text: this.options.paint.bold(text), width: displayWidth(text), right };
    });
    if (this.vectors !== undefined) {
      head.push({
        text: this.options.paint.bold(this.vectors.title()),
        width: this.vectors.width,
        right: false,
      });
    }
    return head;
  }

  private draw(rows: readonly Shown[][], closes: boolean): string[] {
    const isFirst = !this.opened;
    this.opened = true;
    const { headed } = this.options;
    if (isFirst && !headed && rows.length === 0) return [''];
    const widths = this.vectors === undefined ? this.widths : [...this.widths, this.vectors.width];
    const frame = this.frame(widths);
    const lines = rows.map((row) => fill(frame.row, row, widths));
    if (closes) lines.push(frame.bottom);
    if (!isFirst) return lines;
    const [top, titles, ...below] = frame.head;
    if (!headed) return [top, ...lines];
    return [top, fill(titles, this.head(), widths), ...(rows.length === 0 ? [] : below), ...lines];
  }

  private frame(widths: readonly number[]): Frame {
    const blank = widths.map((width) => placeholder.repeat(width));
    const table = new this.table({
      // Its own colors are written whether or not anybody wants color.
      style: { head: [], border: [], compact: true },
      colWidths: widths.map((width) => width + 2),
      ...(this.options.headed ? { head: blank } : {}),
    });
    table.push(blank);
    const lines = table.toString().split('\n');
    const [row, bottom] = lines.splice(-2);
    return { head: lines, row, bottom };
  }
}

/** A line with cells in place of the placeholders. */
function fill(line: string, cells: readonly Shown[], widths: readonly number[]): string {
  let next = 0;
  return line.replace(placeholders, () => {
    const i = next++;
    return pad(cells[i], widths[i]);
  });
}

function pad({ text, width, right }: Shown, to: number): string {
  const space = ' '.repeat(Math.max(0, to - width));
  return right ? space + text : text + space;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Takes columns from the widest cells that may be cut until all fit: first down to what reads well, then to the least. */
function shrink(natural: readonly number[], columns: readonly GridColumn[], room: number): number[] {
  const widths = [...natural];
  for (const limit of ['soft', 'hard'] as const) {
    for (let over = sum(widths) - room; over > 0; over--) {
      let widest = -1;
      for (let i = 0; i < widths.length; i++) {
        const cut = columns[i].cut;
        if (cut !== undefined && widths[i] > cut[limit] && (widest < 0 || widths[i] > widths[widest]))
          widest = i;
      }
      if (widest < 0) break;
      widths[widest]--;
    }
  }
  return widths;
}
