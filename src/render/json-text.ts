import { shortestText } from '../text/shortest.ts';
import type { Cell, Column, ColumnKind, RenderOptions } from '../types.ts';
import { isSubTable, machineColumns } from './machine-rows.ts';

/** Code points that could drive a terminal or hide there; JSON may spell any of them as \uXXXX. */
const hidden = /[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu;

const shortArray = 16;

/** How JSON is spelled: with a space after commas and colons or without, and what is done on the way. */
export interface JsonStyle {
  comma: string;
  colon: string;
  /** A terminal shows the output: nothing in a string may drive it. */
  terminal: boolean;
  /** Told of each NaN and infinity, which become null. */
  onNonFinite(): void;
}

/** The style of lines (`{"a":1}`) or of pretty JSON (`{"a": 1}`). */
export function jsonStyle(options: RenderOptions, spaced: boolean): JsonStyle {
  return {
    comma: spaced ? ', ' : ',',
    colon: spaced ? ': ' : ':',
    terminal: options.terminal === true,
    onNonFinite: nonFiniteNote(options),
  };
}

/** Says once that JSON has no NaN. */
function nonFiniteNote(options: RenderOptions): () => void {
  let said = false;
  return () => {
    if (!said) options.note('NaN and infinities are null in JSON');
    said = true;
  };
}

/** A number in full: of a float32 column as the shortest decimal that reads back to it, all others as the doubles they are. */
export function numberText(value: number, kind: ColumnKind): string {
  return kind === 'float32' ? shortestText(value) : plainNumber(value);
}

function plainNumber(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** A JSON string; well-formed, as JSON.stringify makes it, and harmless when a terminal shows it. */
function jsonString(text: string, style: JsonStyle): string {
  const quoted = JSON.stringify(text);
  return style.terminal ? quoted.replace(hidden, escapeUnits) : quoted;
}

function escapeUnits(character: string): string {
  let escaped = '';
  for (let index = 0; index < character.length; index++) {
    escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }
  return escaped;
}

/** What the bytes of a cell are outside of tables: a token's are its text, all others hex. */
export function bytesText(bytes: Uint8Array, column: Column): string {
  if (column.kind !== 'token' && bytes.length <= fewBytes) return fewHex(bytes);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString(column.kind === 'token' ? 'utf8' : 'hex');
}

/** Bytes of a token, usually: asking Buffer for their hex takes longer than the digits do. */
const fewBytes = 24;
const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function fewHex(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += hexOfByte[bytes[i]];
  return text;
}

/** A cell as JSON on one line. */
export function jsonCell(cell: Cell, column: Column, style: JsonStyle): string {
  if (cell === null) return 'null';
  if (typeof cell === 'string') return jsonString(cell, style);
  if (typeof cell === 'number') return jsonNumber(cell, column.kind, style);
  if (typeof cell === 'bigint' || typeof cell === 'boolean') return String(cell);
  if (cell instanceof Uint8Array) {
    const text = bytesText(cell, column);
    return column.kind === 'token' ? jsonString(text, style) : `"${text}"`;
  }
  if (isSubTable(cell)) return `[${subTableRows(cell.columns, cell.rows, style).join(style.comma)}]`;
  return `[${listItems(cell, column, style).join(style.comma)}]`;
}

function listItems(values: readonly (number | string | null)[], column: Column, style: JsonStyle): string[] {
  return values.map((value) =>
    typeof value === 'number' ? jsonNumber(value, column.kind, style) : jsonCell(value, column, style),
  );
}

function jsonNumber(value: number, kind: ColumnKind, style: JsonStyle): string {
  if (Number.isFinite(value)) return numberText(value, kind);
  style.onNonFinite();
  return 'null';
}

/** A function that makes a row's object on one line, without the closing brace. */
export function rowOpener(columns: readonly Column[], places: readonly number[], style: JsonStyle) {
  const keys = columns.map((column, index) => {
    return `${index === 0 ? '' : style.comma}${jsonString(column.key, style)}${style.colon}`;
  });
  // The number of a text, and the text, stand on the row of each of its tokens; many strings come again in the next row.
  const lastCells: (Cell | undefined)[] = new Array(keys.length).fill(undefined);
  const fields: string[] = new Array(keys.length).fill('');
  let begun = '{';
  let begins = 0;
  return (cells: readonly Cell[]): string => {
    let same = 0;
    while (same < keys.length && isRepeated(cells[places[same]] ?? null, lastCells[same])) same++;
    if (same < begins || same === keys.length || begins === 0) {
      begun = `{${fields.slice(0, same).join('')}`;
      begins = same;
    }
    let text = begun;
    for (let index = begins; index < keys.length; index++) {
      const cell = cells[places[index]] ?? null;
      if (!isRepeated(cell, lastCells[index])) {
        fields[index] = keys[index] + jsonCell(cell, columns[index], style);
        lastCells[index] = cell;
      }
      text += fields[index];
    }
    return text;
  };
}

/** Whether a cell is spelled as the one above it; lists may have changed since. */
function isRepeated(cell: Cell, last: Cell | undefined): boolean {
  return Object.is(cell, last) && (cell === null || typeof cell !== 'object');
}

function subTableRows(columns: readonly Column[], rows: readonly Cell[][], style: JsonStyle): string[] {
  const shown = machineColumns(columns);
  const open = rowOpener(shown.columns, shown.places, style);
  return rows.map((cells) => `${open(cells)}}`);
}

/**
 * A record over several lines, as jq lays objects out: two spaces deeper per level; arrays of up to 16 numbers on one line, rows of a
 * table one line each.
 */
export function jsonRecord(
  columns: readonly Column[],
  cells: readonly Cell[],
  indent: string,
  style: JsonStyle,
): string {
  const inner = `${indent}  `;
  const fields = columns.flatMap((column, place) => {
    if (column.where === 'table') return [];
    const value = jsonField(cells[place] ?? null, column, inner, style);
    return [`${inner}${jsonString(column.key, style)}${style.colon}${value}`];
  });
  return fields.length === 0 ? '{}' : `{\n${fields.join(',\n')}\n${indent}}`;
}

function jsonField(cell: Cell, column: Column, indent: string, style: JsonStyle): string {
  if (cell === null || typeof cell !== 'object' || cell instanceof Uint8Array)
    return jsonCell(cell, column, style);
  const items = isSubTable(cell)
    ? subTableRows(cell.columns, cell.rows, style)
    : listItems(cell, column, style);
  if (items.length === 0) return '[]';
  if (!isSubTable(cell) && items.length <= shortArray) return `[${items.join(style.comma)}]`;
  return `[\n${items.map((item) => `${indent}  ${item}`).join(',\n')}\n${indent}]`;
}
