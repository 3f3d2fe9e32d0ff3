import { escapeText } from '../text/escape.ts';
import { nonFiniteText } from '../text/half-even.ts';
import type { Cell, Column, Renderer, RenderOptions, Report, Sink } from '../types.ts';
import { bytesText, type JsonStyle, jsonCell, jsonStyle, numberText } from './json-text.ts';
import { machineColumns, machineRows } from './machine-rows.ts';
import { TextBuffer } from './text-buffer.ts';

/** Comma separated: a header line, quotes where RFC 4180 wants them, line ends as Unix has them. */
export const csvRenderer: Renderer = separatedRenderer('csv', ',', quoted);

/** Tab separated: a header line; tab, newline, carriage return and backslash inside a cell are \t, \n, \r and \\. */
export const tsvRenderer: Renderer = separatedRenderer('tsv', '\t', tabEscaped);

type Spell = (text: string) => string;

function separatedRenderer(name: string, separator: string, spell: Spell): Renderer {
  return {
    name,
    endings: [name],
    binary: false,
    needsVectors: false,
    captioned: false,
    render: (report, sink, options) => renderSeparated(report, sink, options, separator, spell),
  };
}

async function renderSeparated(
  report: Report,
  sink: Sink,
  options: RenderOptions,
  separator: string,
  spell: Spell,
): Promise<void> {
  const text = new TextBuffer();
  const style = jsonStyle(options, false);
  const dim = report.vectors?.dim ?? 0;
  let columns: readonly Column[] | undefined;
  if (report.rowsKey === undefined) {
    columns = machineColumns(report.columns).columns;
    if (!options.continued) text.text(headerLine(columns, dim, separator, spell));
  }
  for await (const rows of machineRows(report)) {
    if (!columns) text.text(headerLine(rows.columns, 0, separator, spell));
    columns ??= rows.columns;
    for (let row = 0; row < rows.cells.length; row++) {
      text.text(rowText(rows.cells[row], rows.columns, rows.places, separator, spell, style));
      if (rows.values && dim > 0) {
        if (columns.length > 0) text.text(separator);
        text.floats(rows.values, row * dim, (row + 1) * dim, separator, 'plain');
      }
      text.text('\n');
      if (text.isLong) await text.flush(sink);
    }
    await text.flush(sink);
  }
  await text.flush(sink);
}

function headerLine(columns: readonly Column[], dim: number, separator: string, spell: Spell): string {
  const names = columns.map((column) => spell(column.key));
  for (let index = 0; index < dim; index++) names.push(`d${index}`);
  return `${names.join(separator)}\n`;
}

function rowText(
  cells: readonly Cell[],
  columns: readonly Column[],
  places: readonly number[],
  separator: string,
  spell: Spell,
  style: JsonStyle,
): string {
  let text = '';
  for (let index = 0; index < columns.length; index++) {
    if (index > 0) text += separator;
    const cell = cells[places[index]] ?? null;
    if (typeof cell === 'number') {
      text += Number.isFinite(cell) ? numberText(cell, columns[index].kind) : nonFiniteText(cell);
    } else if (cell !== null) text += spell(cellText(cell, columns[index], style));
  }
  return text;
}

function cellText(cell: NonNullable<Cell>, column: Column, style: JsonStyle): string {
  if (typeof cell === 'string') return style.terminal ? escapeText(cell) : cell;
  if (cell instanceof Uint8Array) {
    const text = bytesText(cell, column);
    return style.terminal ? escapeText(text) : text;
  }
  return typeof cell === 'object' ? jsonCell(cell, column, style) : String(cell);
}

/** Quotes what would not read back otherwise; an empty text is "", so that it is not null. */
function quoted(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const tabEscapes: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' };

function tabEscaped(text: string): string {
  return text.replace(/[\t\n\r\\]/g, (character) => tabEscapes[character]);
}
