import { showBytes, showText } from '../text/escape.ts';
import { formatCount, formatCountWithShort, formatNumber, formatShare, formatSize } from '../text/numbers.ts';
import type { Cell, Column, ColumnKind, SubTable } from '../types.ts';

/** A column that people see, and where its cells stand in a row. */
export interface ShownColumn {
  column: Column;
  index: number;
}

/** The columns that tables, Markdown and pictures show. */
export function shownColumns(columns: readonly Column[]): ShownColumn[] {
  return columns
    .map((column, index) => ({ column, index }))
    .filter(({ column }) => column.where !== 'machine');
}

export const titleOf = (column: Column): string => showText(column.title ?? column.key);

const rightAligned: ReadonlySet<ColumnKind> = new Set(['id', 'count', 'number', 'float32', 'size', 'share']);

/** Numbers stand on the right, so that their digits line up. */
export const alignsRight = (kind: ColumnKind): boolean => rightAligned.has(kind);

/** How cells are written. */
export interface CellStyle {
  /** Decimals of numbers. */
  precision: number;
  /** Text beyond this many code units is cut before it is escaped: it would not be shown anyway. */
  clip: number;
  /** Counts with their short form: 38,400,000 (38.4M). */
  short?: boolean;
}

export const isSubTable = (cell: Cell): cell is SubTable =>
  typeof cell === 'object' && cell !== null && 'columns' in cell;

/** True for NaN and the infinities, which are shown in red. */
export const isNoNumber = (cell: Cell): boolean => typeof cell === 'number' && !Number.isFinite(cell);

/** A cell as people read it, safe to print; null, which is unknown, is "-". Bars are drawn by drawBar. */
export function showCell(cell: Cell, kind: ColumnKind, style: CellStyle): string {
  if (cell === null) return '-';
  if (typeof cell === 'string') return clipped(cell, style.clip, showText);
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  if (typeof cell === 'number' || typeof cell === 'bigint') return showNumber(cell, kind, style);
  if (cell instanceof Uint8Array) return showByteCell(cell, kind, style.clip);
  if (kind === 'shape' && Array.isArray(cell)) return cell.join(' x ') || 'scalar';
  if (Array.isArray(cell)) return showList(cell, style);
  return cell.rows.length === 1 ? '1 row' : `${formatCount(cell.rows.length)} rows`;
}

function clipped(text: string, clip: number, show: (text: string) => string): string {
  if (text.length <= clip) return show(text);
  // Not between the halves of a surrogate pair.
  const end = (text.charCodeAt(clip - 1) & 0xfc00) === 0xd800 ? clip - 1 : clip;
  return `${show(text.slice(0, end))}…`;
}

function showByteCell(bytes: Uint8Array, kind: ColumnKind, clip: number): string {
  const shown = bytes.length <= clip ? bytes : bytes.subarray(0, clip);
  const rest = shown === bytes ? '' : '…';
  if (kind === 'token' || kind === 'text') return showBytes(shown) + rest;
  return Array.from(shown, (byte) => byte.toString(16).padStart(2, '0')).join(' ') + rest;
}

function showNumber(value: number | bigint, kind: ColumnKind, style: CellStyle): string {
  switch (kind) {
    case 'size':
      return formatSize(value);
    case 'share':
      return formatShare(Number(value));
    case 'number':
    case 'float32':
    case 'bar':
      return formatNumber(Number(value), style.precision);
    case 'count':
      if (typeof value === 'number' && !Number.isInteger(value)) return formatNumber(value, style.precision);
      return style.short ? formatCountWithShort(value) : formatCount(value);
    default:
      // Ids are names, not amounts: no separators.
      return typeof value === 'number' && !Number.isInteger(value)
        ? formatNumber(value, style.precision)
        : String(value);
  }
}

function showList(values: readonly (number | string | null)[], style: CellStyle): string {
  const shown = values.length <= style.clip ? values : values.slice(0, style.clip);
  const parts = shown.map((value) =>
    typeof value === 'number' ? showNumber(value, 'id', style) : showText(value ?? '-'),
  );
  if (shown !== values) parts.push('...');
  return `[${parts.join(', ')}]`;
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of block characters, `width` columns for the largest value; what is not zero shows at least an eighth of a column. */
export function drawBar(value: number, largest: number, width: number): string {
  if (!(value > 0) || !(largest > 0)) return '';
  const size = Math.max(1, Math.round(Math.min(1, value / largest) * width * 8));
  return '█'.repeat(Math.floor(size / 8)) + eighths[size % 8];
}

/** Largest bar among cells, for drawBar. */
export function largestBar(cells: Iterable<Cell>): number {
  let largest = 0;
  for (const cell of cells) {
    const value = typeof cell === 'bigint' ? Number(cell) : cell;
    if (typeof value === 'number' && value > largest && value !== Number.POSITIVE_INFINITY) largest = value;
  }
  return largest;
}
