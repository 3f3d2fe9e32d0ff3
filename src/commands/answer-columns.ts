import type { Neighbor } from '../core/neighbors.ts';
import type { Cell, Column, Tokenizer } from '../types.ts';

/** Which argument an answer is for, by its number and as it was given: machines read the keys that queryColumns has. */
export const askedColumns: readonly Column[] = [
  { key: 'row', kind: 'count', where: 'machine' },
  { key: 'query', kind: 'text', where: 'machine' },
];

/** Columns of answers that are rows of a table, best first. */
export function answerColumns(score: string, names: Tokenizer | undefined): Column[] {
  return [
    ...askedColumns,
    { key: 'rank', kind: 'count' },
    ...tokenColumns(names),
    { key: score, kind: 'number' },
    { key: 'norm', kind: 'number' },
  ];
}

/** Cells of answerColumns. */
export function answerCells(
  query: string,
  rank: number,
  { row, score, norm }: Neighbor,
  names: Tokenizer | undefined,
): Cell[] {
  return [0, query, rank, ...tokenCells(row, names), score, norm];
}

/** Columns of a row and its token: as machines read it and as people do. */
export function tokenColumns(names: Tokenizer | undefined): Column[] {
  const id: Column = { key: 'id', kind: 'id' };
  if (names === undefined) return [id];
  return [
    id,
    { key: 'token', kind: 'text', where: 'machine' },
    { key: 'token', kind: 'token', where: 'table' },
    { key: 'bytes', kind: 'bytes', where: 'machine' },
  ];
}

/** Cells of tokenColumns. */
export function tokenCells(row: number, names: Tokenizer | undefined): Cell[] {
  const bytes = names?.bytesOf(row) ?? null;
  return names === undefined ? [row] : [row, names.tokenOf(row) ?? null, bytes, bytes];
}
