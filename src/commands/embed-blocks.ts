import ndarray from 'ndarray';
import type { Context } from '../command.ts';
import type { Block, Cell, Column, EmbeddingTable, Matrix, Tokenizer } from '../types.ts';
import { gatheredValues, type Pipeline } from './embed-pipeline.ts';
import type { Sequence, Source } from './embed-sequences.ts';
import { idCells, idColumns, knownCells, tokenCells, tokenColumns } from './token-rows.ts';

/** What the blocks of one run are made with. */
export interface Lookup {
  context: Context;
  table: EmbeddingTable;
  tokenizer: Tokenizer | undefined;
  pipeline: Pipeline;
  asIds: boolean;
}

/** Columns of the report: one row per token, or one per text when pooled. */
export function columnsOf({ context, pipeline, asIds }: Lookup): Column[] {
  const many = asIds || context.args.length !== 1;
  if (pipeline.pool !== 'none') {
    return [
      { key: 'row', kind: 'count' },
      { key: 'text', kind: 'text' },
      { key: 'tokens', kind: 'count' },
    ];
  }
  const columns = asIds ? idColumns(many) : tokenColumns(many);
  const shown = columns.map(
    (column): Column =>
      ['bytes', 'start', 'end'].includes(column.key) ? { ...column, where: 'machine' } : column,
  );
  return [...shown, ...pipeline.partColumns];
}

/** One row per token, in pieces of bounded size. */
export async function* rowBlocks(source: Source, lookup: Lookup): AsyncGenerator<Block> {
  const { context, table, tokenizer, pipeline } = lookup;
  const step = Math.max(1, Math.floor(gatheredValues / table.dim));
  for await (const sequence of source.sequences) {
    const length = source.padTo ?? sequence.ids.length;
    const cells = (first: number, last: number): Cell[][] => {
      const { row, text, tokens, ids } = sequence;
      if (tokens) return tokenCells(row, text!, tokens.slice(first, last), context, first);
      if (text !== null) return knownCells(row, text, ids.subarray(first, last), tokenizer, first);
      return idCells(row, ids.subarray(first, last), tokenizer, first);
    };
    let at = 0;
    do {
      const end = Math.min(sequence.ids.length, at + step);
      const { rows: looked, parts } = await pipeline.look(sequence.ids.subarray(at, end), at);
      const matrix = pipeline.finish(looked);
      const rows = cells(at, end).map((row, index) => [...row, ...(parts[index] ?? [])]);
      at = end;
      const padding = at === sequence.ids.length ? length - at : 0;
      yield {
        cells: padding > 0 ? [...rows, ...paddingCells(sequence.row, at, padding, columnsOf(lookup))] : rows,
        matrix: padding > 0 ? withZeroRows(matrix, padding) : matrix,
        sequence: sequence.row,
        ends: at === sequence.ids.length,
        realRows: source.padTo === undefined ? undefined : rows.length,
      };
    } while (at < sequence.ids.length);
  }
}

/** Rows that --pad adds: they have a place, and no id. */
function paddingCells(row: number, from: number, count: number, columns: Column[]): Cell[][] {
  return Array.from({ length: count }, (_, index) =>
    columns.map(({ key }) => (key === 'row' ? row : key === 'index' ? from + index : null)),
  );
}

function withZeroRows(matrix: Matrix, count: number): Matrix {
  const [rows, dim] = matrix.shape;
  const data = new Float32Array((rows + count) * dim);
  data.set(matrix.data);
  return ndarray(data, [rows + count, dim]);
}

/** One row per text. */
export async function* pooledBlocks(source: AsyncIterable<Sequence>, lookup: Lookup): AsyncGenerator<Block> {
  const { context, table, pipeline } = lookup;
  const step = Math.max(1, Math.floor(gatheredValues / table.dim));
  for await (const { row, ids, text } of source) {
    const pool = pipeline.startPool();
    for (let at = 0; at < ids.length; at += step) {
      pool.add((await pipeline.look(ids.subarray(at, Math.min(ids.length, at + step)), at)).rows);
    }
    if (ids.length === 0)
      context.note(
        `text ${row} has no tokens: its pooled row is ${pipeline.pool === 'sum' ? 'zero' : 'NaN'}`,
      );
    yield {
      cells: [[row, text, ids.length]],
      matrix: pipeline.finish(pool.result()),
      sequence: row,
      ends: true,
    };
  }
}
