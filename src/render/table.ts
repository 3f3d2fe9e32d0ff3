import type CliTable3 from 'cli-table3';
import { escapeText } from '../text/escape.ts';
import { displayWidth } from '../text/width.ts';
import type {
  Block,
  Cell,
  Column,
  ColumnKind,
  Renderer,
  RenderOptions,
  Report,
  Sink,
  SubTable,
} from '../types.ts';
import { createPaint, type Paint } from './colors.ts';
import { type Gap, isGap, RowElision, shownRows } from './elide.ts';
import {
  alignsRight,
  type CellStyle,
  isNoNumber,
  isSubTable,
  type ShownColumn,
  showCell,
  shownColumns,
  titleOf,
} from './table-cells.ts';
import { Grid, type GridCell, type GridColumn, type GridRow } from './table-grid.ts';
import { VectorColumn } from './table-vectors.ts';

/** What every part of one table needs. */
interface Setting {
  table: typeof CliTable3;
  paint: Paint;
  style: CellStyle;
  /** Columns of the terminal; Infinity with --full. */
  width: number;
}

/** Least widths of what may be cut, and the room kept for rows that are still to come. */
const widthsOf: Partial<Record<ColumnKind, { soft: number; hard: number; floor: number; middle?: boolean }>> =
  {
    text: { soft: 20, hard: 6, floor: 24 },
    prose: { soft: 28, hard: 12, floor: 24 },
    name: { soft: 24, hard: 8, floor: 24, middle: true },
    token: { soft: 10, hard: 4, floor: 12 },
    bytes: { soft: 11, hard: 5, floor: 11 },
    bar: { soft: 12, hard: 4, floor: 1 },
  };
const idFloor = 6;
/** Records side by side cut their texts to this, so that more than one stands beside the next. */
const recordText = 36;

function gridColumn(column: Column): GridColumn {
  const widths = widthsOf[column.kind];
  const right = alignsRight(column.kind);
  const title = titleOf(column);
  if (widths === undefined) return { title, right, floor: column.kind === 'id' ? idFloor : 1 };
  // A heading is ours and short: it is not cut unless there is no other way.
  return {
    title,
    right,
    floor: widths.floor,
    wraps: column.kind === 'prose',
    cut: { ...widths, soft: Math.max(widths.soft, displayWidth(title)) },
  };
}

/** One cell of a grid; lists, and whatever a plug-in puts in an unexpected kind of column, are text. */
function gridCell(cell: Cell, kind: ColumnKind, { paint, style }: Setting): GridCell {
  if (kind === 'bar' && typeof cell === 'number') return { text: '', bar: cell };
  const text = showCell(cell, kind, style);
  if (cell === null) return { text, paint: paint.dim };
  return isNoNumber(cell) ? { text, paint: paint.alarm } : { text };
}

/** Colors the tokens of one sequence after another: neighbors differ, special ones are bold and dim. */
function tokenPainter(report: Report, paint: Paint): (cells: Cell[]) => (text: string) => string {
  const special = report.columns.findIndex(({ key }) => key === 'special');
  let index = 0;
  return (cells) => {
    if (special >= 0 && cells[special] === true) return paint.special;
    const at = index++;
    return (text) => paint.token(text, at);
  };
}

async function renderRows(
  report: Report,
  sink: Sink,
  options: RenderOptions,
  setting: Setting,
): Promise<void> {
  const columns = shownColumns(report.columns);
  const { paint, width, style } = setting;
  // A matrix of no columns (similarity of nothing) has no vectors to show.
  const dim = report.vectors?.dim || undefined;
  const vectors = dim === undefined ? undefined : new VectorColumn(dim, style.precision, width, paint);
  const grid = new Grid(
    setting.table,
    columns.map(({ column }) => gridColumn(column)),
    { width, paint, headed: true },
    vectors,
  );
  const painter = tokenPainter(report, paint);
  const elision = new RowElision<GridRow>(
    vectors === undefined || options.full ? Number.POSITIVE_INFINITY : shownRows,
  );
  const makeRow = (block: Block, row: number): GridRow => {
    const cells = block.cells[row];
    const paintToken = paint.level === 0 ? undefined : painter(cells);
    return {
      cells: columns.map(({ column, index }) => {
        const cell = gridCell(cells[index], column.kind, setting);
        return column.kind === 'token' && cell.paint === undefined ? { ...cell, paint: paintToken } : cell;
      }),
      vector: block.matrix === undefined ? undefined : vectors?.take(block.matrix, row),
    };
  };
  options.onPause(() => sink.write(grid.emit(false)));
  for await (const block of report.blocks) {
    for (const row of elision.add(block, (i) => makeRow(block, i))) {
      grid.add(isGap(row) ? gapRow(row, columns, paint) : row);
      if (grid.full) sink.write(grid.emit(false));
    }
    await sink.flush();
  }
  for (const row of elision.end()) grid.add(isGap(row) ? gapRow(row, columns, paint) : row);
  sink.write(grid.emit(true));
}

const gapRow = ({ elided }: Gap, columns: readonly ShownColumn[], paint: Paint): GridRow => ({
  cells: columns.map(() => ({ text: '...', paint: paint.dim })),
  note: `... ${elided} ${elided === 1 ? 'row' : 'rows'} not shown: --full shows all`,
});

/** Records side by side, fields down, as many as fit; one record is a list of fields and values. */
async function renderRecords(report: Report, sink: Sink, setting: Setting): Promise<void> {
  const records: Cell[][] = [];
  for await (const block of report.blocks) {
    records.push(...block.cells);
    await sink.flush();
  }
  const shown = shownColumns(report.columns);
  const isTable = ({ index }: ShownColumn): boolean => records.some((record) => isSubTable(record[index]));
  const fields = shown.filter((column) => !isTable(column));
  if (fields.length > 0 && records.length > 0) {
    const named = isNamed(records, fields);
    for (const group of groupRecords(records, fields, setting)) {
      sink.write(drawRecords(group, fields, setting, named, records.length === 1));
    }
  }
  for (const { column, index } of shown.filter(isTable)) {
    for (const record of records) {
      const cell = record[index];
      if (!isSubTable(cell) || cell.rows.length === 0) continue;
      const name = records.length > 1 ? `: ${recordName(record, fields, setting)}` : '';
      sink.write(`\n${setting.paint.bold(titleOf(column) + name)}\n`);
      sink.write(drawSubTable(cell, setting));
    }
  }
}

const recordName = (record: readonly Cell[], fields: readonly ShownColumn[], { style }: Setting): string =>
  fields.length === 0 ? '' : showCell(record[fields[0].index], fields[0].column.kind, style);

/** A text field that comes first names the records: it is their heading. */
const isNamed = (records: readonly Cell[][], fields: readonly ShownColumn[]): boolean =>
  records.length > 1 && fields.length > 1 && fields[0].column.kind === 'text';

function recordCell(
  record: readonly Cell[],
  { column, index }: ShownColumn,
  setting: Setting,
  alone: boolean,
): GridCell {
  const cell = gridCell(record[index], column.kind, { ...setting, style: { ...setting.style, short: true } });
  return { ...cell, right: !alone && (column.kind === 'flag' || alignsRight(column.kind)) };
}

/** Splits records into groups that fit the width beside the field names. */
function groupRecords(
  records: readonly Cell[][],
  fields: readonly ShownColumn[],
  setting: Setting,
): Cell[][][] {
  const alone = records.length === 1;
  const names = Math.max(...fields.map(({ column }) => displayWidth(titleOf(column))));
  const groups: Cell[][][] = [];
  let room = 0;
  for (const record of records) {
    const widths = fields.map((field) => displayWidth(recordCell(record, field, setting, alone).text));
    const width =
      Math.min(Math.max(...widths), setting.width === Number.POSITIVE_INFINITY ? setting.width : recordText) +
      3;
    if (groups.length === 0 || width > room) {
      groups.push([]);
      room = setting.width - names - 4;
    }
    groups[groups.length - 1].push(record);
    room -= width;
  }
  return groups;
}

function drawRecords(
  records: readonly Cell[][],
  fields: readonly ShownColumn[],
  setting: Setting,
  named: boolean,
  alone: boolean,
): string {
  const titles = named ? records.map((record) => recordCell(record, fields[0], setting, alone).text) : [];
  const cut = { soft: recordText, hard: 8 };
  const columns: GridColumn[] = [
    { title: named ? titleOf(fields[0].column) : '', right: false, floor: 1 },
    ...records.map((_, i): GridColumn => ({ title: titles[i] ?? '', right: false, floor: 1, cut })),
  ];
  const grid = new Grid(setting.table, columns, { ...setting, headed: named });
  for (const field of named ? fields.slice(1) : fields) {
    const values = records.map((record) => recordCell(record, field, setting, alone));
    grid.add({ cells: [{ text: titleOf(field.column), paint: setting.paint.dim }, ...values] });
  }
  return grid.emit(true);
}

function drawSubTable(table: SubTable, setting: Setting): string {
  const columns = shownColumns(table.columns);
  const grid = new Grid(
    setting.table,
    columns.map(({ column }) => gridColumn(column)),
    { ...setting, headed: true },
  );
  for (const row of table.rows) {
    grid.add({ cells: columns.map(({ column, index }) => gridCell(row[index], column.kind, setting)) });
  }
  return grid.emit(true);
}

/** Tables for people, drawn by cli-table3: captions, then rows as they come or records side by side. */
export const renderer: Renderer = {
  name: 'table',
  endings: [],
  binary: false,
  needsVectors: false,
  captioned: true,
  async render(report, sink, options) {
    const { default: table } = await import('cli-table3');
    const paint = await createPaint(options.color);
    const width = options.full ? Number.POSITIVE_INFINITY : options.width;
    const clip = options.full ? Number.POSITIVE_INFINITY : Math.max(64, 8 * options.width);
    const setting: Setting = { table, paint, width, style: { precision: options.precision ?? 4, clip } };
    for (const line of report.caption ?? []) sink.write(`${paint.dim(escapeText(line))}\n`);
    if (report.layout === 'records') await renderRecords(report, sink, setting);
    else await renderRows(report, sink, options, setting);
  },
};
