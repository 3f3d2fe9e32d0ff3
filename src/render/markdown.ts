import { largestFinite, numberStyle } from '../text/numbers.ts';
import type {
  Block,
  Cell,
  Column,
  Matrix,
  Renderer,
  RenderOptions,
  Report,
  Sink,
  SubTable,
} from '../types.ts';
import { type Gap, isGap, RowElision, shownRows, splitEnds } from './elide.ts';
import {
  alignsRight,
  type CellStyle,
  drawBar,
  isSubTable,
  largestBar,
  type ShownColumn,
  showCell,
  shownColumns,
  titleOf,
} from './table-cells.ts';

/** As the table: three dimensions at either end of a vector that is longer than this. */
const allDims = 8;
const edge = 3;
/** Columns of the longest bar. */
const barWidth = 20;

/**
 * Text that a Markdown renderer shows as it stands: no markup, no HTML, no link, no table border comes of it.
 *
 * Source: CommonMark 0.31.2, 2.4 backslash escapes and 2.5 entities; GFM 4.10, a pipe in a cell is escaped.
 */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_[\]|~$#!]/g, '\\$&')
    .replace(/:\/\//g, ':\\/\\/')
    .replace(/www\./gi, (www) => `${www.slice(0, 3)}\\.`);
}

interface MarkdownColumn {
  title: string;
  right: boolean;
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;

const heading = (columns: readonly MarkdownColumn[]): string =>
  line(columns.map(({ title }) => title)) + line(columns.map(({ right }) => (right ? '---:' : ':---')));

const markdownColumn = (column: Column): MarkdownColumn => ({
  title: escapeMarkdown(titleOf(column)),
  right: alignsRight(column.kind),
});

const mark = (cell: Cell, column: Column, style: CellStyle): string =>
  escapeMarkdown(showCell(cell, column.kind, style)).trim();

interface Dims {
  head: number;
  tail: number;
}

/** The vector part of a line; one notation for the numbers that are known when the line is made: its own. */
function markVector(values: Float32Array, { head, tail }: Dims, precision: number): string[] {
  const shown = [...values.subarray(0, head), ...values.subarray(values.length - tail)];
  const numbers = shown.map(numberStyle(largestFinite(shown), precision));
  return tail === 0 ? numbers : [...numbers.slice(0, head), '...', ...numbers.slice(head)];
}

function vectorColumns(dim: number, { head, tail }: Dims): MarkdownColumn[] {
  const name = (i: number): MarkdownColumn => ({ title: `d${i}`, right: true });
  const first = Array.from({ length: head }, (_, i) => name(i));
  const last = Array.from({ length: tail }, (_, i) => name(dim - tail + i));
  return tail === 0 ? first : [...first, { title: '...', right: true }, ...last];
}

const rowOf = (matrix: Matrix, row: number, dim: number): Float32Array =>
  matrix.data.subarray(matrix.offset + row * dim, matrix.offset + (row + 1) * dim);

async function renderRows(
  report: Report,
  sink: Sink,
  options: RenderOptions,
  style: CellStyle,
): Promise<void> {
  const columns = shownColumns(report.columns);
  const dim = report.vectors?.dim;
  const dims =
    dim === undefined ? undefined : splitEnds(dim, options.full || dim <= allDims ? dim : 2 * edge);
  const vectors = dim === undefined || dims === undefined ? [] : vectorColumns(dim, dims);
  sink.write(heading([...columns.map(({ column }) => markdownColumn(column)), ...vectors]));
  const elision = new RowElision<string[]>(
    dim === undefined || options.full ? Number.POSITIVE_INFINITY : shownRows,
  );
  const makeRow = (block: Block, row: number): string[] => {
    const cells = columns.map(({ column, index }) => mark(block.cells[row][index], column, style));
    if (block.matrix === undefined || dim === undefined || dims === undefined) return cells;
    return [...cells, ...markVector(rowOf(block.matrix, row, dim), dims, style.precision)];
  };
  const write = (row: string[] | Gap): void => {
    sink.write(line(isGap(row) ? Array.from({ length: columns.length + vectors.length }, () => '...') : row));
  };
  for await (const block of report.blocks) {
    for (const row of elision.add(block, (i) => makeRow(block, i))) write(row);
    await sink.flush();
  }
  for (const row of elision.end()) write(row);
}

async function renderRecords(report: Report, sink: Sink, style: CellStyle): Promise<void> {
  const records: Cell[][] = [];
  for await (const block of report.blocks) {
    records.push(...block.cells);
    await sink.flush();
  }
  if (records.length === 0) return;
  const shown = shownColumns(report.columns);
  const isTable = ({ index }: ShownColumn): boolean => records.some((record) => isSubTable(record[index]));
  const fields = shown.filter((column) => !isTable(column));
  const nameOf = (record: readonly Cell[]): string =>
    fields.length === 0 ? '' : mark(record[fields[0].index], fields[0].column, style);
  const named = records.length > 1 && fields.length > 1 && fields[0].column.kind === 'text';
  if (fields.length > 0) {
    const titles = named
      ? records.map(nameOf)
      : records.map((_, i) => (records.length === 1 ? 'value' : `${i + 1}`));
    const first = named ? escapeMarkdown(titleOf(fields[0].column)) : 'field';
    const right = records.length > 1;
    sink.write(heading([{ title: first, right: false }, ...titles.map((title) => ({ title, right }))]));
    for (const { column, index } of named ? fields.slice(1) : fields) {
      const values = records.map((record) => mark(record[index], column, { ...style, short: true }));
      sink.write(line([escapeMarkdown(titleOf(column)), ...values]));
    }
  }
  for (const { column, index } of shown.filter(isTable)) {
    for (const record of records) {
      const cell = record[index];
      if (!isSubTable(cell) || cell.rows.length === 0) continue;
      const name = records.length > 1 ? `: ${nameOf(record)}` : '';
      sink.write(`\n**${escapeMarkdown(titleOf(column))}${name}**\n\n${markSubTable(cell, style)}`);
    }
  }
}

function markSubTable(table: SubTable, style: CellStyle): string {
  const columns = shownColumns(table.columns);
  const largest = columns.map(({ index }) => largestBar(table.rows.map((row) => row[index])));
  const rows = table.rows.map((row) =>
    line(
      columns.map(({ column, index }, i) => {
        const cell = row[index];
        return column.kind === 'bar' && typeof cell === 'number'
          ? drawBar(cell, largest[i], barWidth)
          : mark(cell, column, style);
      }),
    ),
  );
  return heading(columns.map(({ column }) => markdownColumn(column))) + rows.join('');
}

/** GitHub Markdown: a table; vectors elided as in tables. */
export const renderer: Renderer = {
  name: 'md',
  endings: ['md', 'markdown'],
  binary: false,
  needsVectors: false,
  captioned: false,
  async render(report, sink, options) {
    const style: CellStyle = {
      precision: options.precision ?? 4,
      clip: options.full ? Number.POSITIVE_INFINITY : 1000,
    };
    if (report.layout === 'records') await renderRecords(report, sink, style);
    else await renderRows(report, sink, options, style);
  },
};
