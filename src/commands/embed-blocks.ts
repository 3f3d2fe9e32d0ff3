import ndarray from 'ndarray';
import type { Context } from '../command.ts';
import type { Block, Cell, Column, EmbeddingTable, Tokenizer } from '../types.ts';
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
    const padded = source.padTo !== undefined;
    const length = source.padTo ?? sequence.ids.length;
    const cells = (first: number, last: number): Cell[][] => {
      const { row, text, tokens, ids } = sequence;
      if (tokens) return tokenCells(row, text!, tokens.slice(first, last), context, first);
      if (!lookup.asIds) return knownCells(row, text, ids.subarray(first, last), tokenizer, first);
      return idCells(row, ids.subarray(first, last), tokenizer, first);
    };
    let at = 0;
    const counted = sequence.ids.length > step;
    const progress = counted ? context.progressBeside(sequence.ids.length, 'rows') : undefined;
    do {
      const end = Math.min(sequence.ids.length, at + step);
      const { rows: looked, parts } = await pipeline.look(sequence.ids.subarray(at, end), at);
      const matrix = pipeline.finish(looked);
      const rows = cells(at, end).map((row, index) => [...row, ...(parts[index] ?? [])]);
      progress?.advance(end - at);
      at = end;
      const ends = at === length;
      yield {
        cells: rows,
        matrix,
        sequence: sequence.row,
        ends,
        realRows: padded ? sequence.ids.length : undefined,
      };
    } while (at < sequence.ids.length);
    progress?.done();
    for (; at < length; at += step) {
      yield paddingBlock(sequence, at, Math.min(length, at + step), length, lookup);
    }
  }
}

/** Rows [from, to) that --pad adds: they have a place, and no id. */
function paddingBlock(sequence: Sequence, from: number, to: number, length: number, lookup: Lookup): Block {
  const columns = columnsOf(lookup);
  const known: Record<string, Cell> = { row: sequence.row, text: sequence.text };
  const cells = Array.from({ length: to - from }, (_, index) =>
    columns.map(({ key }) => (key === 'index' ? from + index : (known[key] ?? null))),
  );
  const { dim } = lookup.pipeline;
  const matrix = ndarray(new Float32Array((to - from) * dim), [to - from, dim]);
  return { cells, matrix, sequence: sequence.row, ends: to === length, realRows: sequence.ids.length };
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
