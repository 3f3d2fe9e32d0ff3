import type { RankedRow } from '../core/extremes.ts';
import type { OutlierDim } from '../core/outliers.ts';
import type { PlacedValue, TableStats } from '../core/table-stats.ts';
import type { Cell, Column, ColumnKind, SubTable, Tokenizer } from '../types.ts';

/** One field of the record that stats prints. */
export interface Field {
  column: Column;
  cell: Cell;
}

/** A field; the title in tables is the key with spaces. */
export function field(key: string, kind: ColumnKind, cell: Cell): Field {
  return { column: { key, title: key.replaceAll('_', ' '), kind }, cell };
}

/** What the row of an extreme is called. */
export interface RowNames {
  /** Key of the number: id for rows of a table, row for vectors without one. */
  key: 'id' | 'row';
  idOf(row: number): number;
  tokenizer: Tokenizer | undefined;
}

/** Most outlier dimensions that are listed; the count tells of the rest. */
const listedOutliers = 20;

/** Moments, extremes and norms. */
export function momentFields(stats: TableStats, names: RowNames): Field[] {
  return [
    field('mean', 'number', stats.mean),
    field('std', 'number', stats.std),
    ...extremeFields('min', stats.min, names),
    ...extremeFields('max', stats.max, names),
    field('norm_mean', 'number', stats.normMean),
    field('norm_std', 'number', stats.normStd),
    field('norm_min', 'number', stats.smallestNorms[0]?.value ?? null),
    field('norm_max', 'number', stats.largestNorms[0]?.value ?? null),
    field('mean_cosine', 'number', stats.meanCosine),
    field('smallest_norms', 'table', normTable(stats.smallestNorms, names)),
    field('largest_norms', 'table', normTable(stats.largestNorms, names)),
  ];
}

function extremeFields(name: 'min' | 'max', placed: PlacedValue | null, names: RowNames): Field[] {
  const id = placed === null ? null : names.idOf(placed.row);
  return [
    field(name, 'float32', placed?.value ?? null),
    field(`${name}_${names.key}`, 'id', id),
    ...(names.tokenizer === undefined ? [] : tokenFields(`${name}_token`, id, names.tokenizer)),
    field(`${name}_dim`, 'id', placed?.dim ?? null),
  ];
}

/** A token as machines read it (its piece) and as people do (its bytes). */
function tokenFields(key: string, id: number | null, tokenizer: Tokenizer): Field[] {
  const title = key.replaceAll('_', ' ');
  return [
    { column: { key, kind: 'text', where: 'machine' }, cell: id === null ? null : pieceOf(id, tokenizer) },
    {
      column: { key, title, kind: 'token', where: 'table' },
      cell: id === null ? null : (tokenizer.bytesOf(id) ?? null),
    },
  ];
}

function pieceOf(id: number, tokenizer: Tokenizer): string | null {
  return tokenizer.tokenOf(id) ?? null;
}

/** Columns of a row's token, for machines and for people; none where rows have no tokens. */
export function tokenColumnsOf({ tokenizer }: RowNames): Column[] {
  if (tokenizer === undefined) return [];
  return [
    { key: 'token', kind: 'text', where: 'machine' },
    { key: 'token', kind: 'token', where: 'table' },
  ];
}

/** Cells of tokenColumnsOf. */
export function tokenCellsOf(id: number, { tokenizer }: RowNames): Cell[] {
  return tokenizer === undefined ? [] : [pieceOf(id, tokenizer), tokenizer.bytesOf(id) ?? null];
}

function normTable(ranked: readonly RankedRow[], names: RowNames): SubTable {
  return {
    columns: [{ key: names.key, kind: 'id' }, ...tokenColumnsOf(names), { key: 'norm', kind: 'number' }],
    rows: ranked.map(({ row, value }) => {
      const id = names.idOf(row);
      return [id, ...tokenCellsOf(id, names), value];
    }),
  };
}

/** Outlier dimensions: how many, and the most extreme of them. */
export function outlierFields(outliers: readonly OutlierDim[] | null): Field[] {
  return [
    field('outlier_dim_count', 'count', outliers?.length ?? null),
    field('outlier_dims', 'table', {
      columns: [
        { key: 'dim', kind: 'id' },
        { key: 'mean', kind: 'number' },
        { key: 'std', kind: 'number' },
        { key: 'mean_score', title: 'mean score', kind: 'number' },
        { key: 'std_score', title: 'std score', kind: 'number' },
      ],
      rows: (outliers ?? [])
        .slice(0, listedOutliers)
        .map(({ dim, mean, std, meanScore, stdScore }) => [dim, mean, std, meanScore, stdScore]),
    }),
  ];
}

/** The histogram of the values and how many rows it counts. */
export function histogramFields({ histogram, histogramRows }: TableStats): Field[] {
  const total = histogram.reduce((sum, { count }) => sum + count, 0);
  return [
    field('histogram_rows', 'count', histogramRows),
    field('histogram', 'table', {
      columns: [
        { key: 'from', kind: 'number' },
        { key: 'to', kind: 'number' },
        { key: 'count', kind: 'count' },
        { key: 'share', kind: 'share' },
        { key: 'bar', kind: 'bar', where: 'table' },
      ],
      rows: histogram.map(({ from, to, count }) => [from, to, count, count / total, count]),
    }),
  ];
}
