import type { Block, Cell, Column, Report, SubTable } from '../types.ts';
import { roundValues } from './narrow.ts';

/** Some rows as machine formats print them. */
export interface MachineRows {
  /** Columns that machine formats show; the same array as long as they stay the same. */
  columns: readonly Column[];
  /** Where in a row the cell of each column stands. */
  places: readonly number[];
  cells: readonly Cell[][];
  /** Shape: [cells.length, dim], row-major, rounded to the report's dtype. */
  values?: Float32Array;
}

/** Columns that machine formats show, and where their cells stand. */
export function machineColumns(columns: readonly Column[]): { columns: Column[]; places: number[] } {
  const places = columns.flatMap((column, place) => (column.where === 'table' ? [] : [place]));
  return { columns: places.map((place) => columns[place]), places };
}

/** The rows of a report, block by block; those of the table that `rowsKey` names when the report has one. */
export async function* machineRows(report: Report): AsyncGenerator<MachineRows> {
  if (report.rowsKey !== undefined) return yield* innerRows(report, report.rowsKey);
  const shown = machineColumns(report.columns);
  for await (const block of report.blocks) {
    yield { ...shown, cells: block.cells, values: blockValues(block, report) };
  }
}

async function* innerRows(report: Report, key: string): AsyncGenerator<MachineRows> {
  const place = report.columns.findIndex((column) => column.key === key);
  let shown: ReturnType<typeof machineColumns> | undefined;
  for await (const block of report.blocks) {
    for (const cells of block.cells) {
      const table = cells[place] ?? null;
      if (!isSubTable(table)) continue;
      shown ??= machineColumns(table.columns);
      yield { ...shown, cells: table.rows };
    }
  }
}

export function isSubTable(cell: Cell): cell is SubTable {
  return typeof cell === 'object' && cell !== null && 'columns' in cell;
}

/**
 * The matrix of a block as one row-major array, rounded to the report's dtype; undefined when the report has no vectors.
 *
 * Shape: [cells.length, dim].
 */
export function blockValues(block: Block, report: Report): Float32Array | undefined {
  if (!block.matrix || !report.vectors) return undefined;
  const { data, offset } = block.matrix;
  const count = block.cells.length * report.vectors.dim;
  if (block.matrix.size !== count) {
    throw new Error(`block matrix has ${block.matrix.size} values, expected ${count}`);
  }
  return roundValues(data.subarray(offset, offset + count), report.vectors.dtype);
}
