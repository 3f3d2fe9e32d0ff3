import type { ClassStats } from '../core/class-stats.ts';
import type { Duplicates } from '../core/duplicates.ts';
import { quantileLevels } from '../core/quantiles.ts';
import type { Spectrum } from '../core/spectrum.ts';
import type { Cell } from '../types.ts';
import { type Field, field, type RowNames, tokenCellsOf, tokenColumnsOf } from './stats-fields.ts';

/** Quantiles of values and norms side by side; null where there are none. */
export function quantileFields(values: number[] | null, norms: number[] | null): Field[] {
  return [
    field('quantiles', 'table', {
      columns: [
        { key: 'percent', kind: 'id' },
        { key: 'value', kind: 'number' },
        { key: 'norm', kind: 'number' },
      ],
      rows: quantileLevels.map((level, at) => [level, values?.[at] ?? null, norms?.[at] ?? null]),
    }),
  ];
}

/** Groups of equal rows; one line for each of the first rows of the largest. */
export function duplicateFields({ groups, rows, largest }: Duplicates, names: RowNames): Field[] {
  return [
    field('duplicate_groups', 'count', groups),
    field('duplicate_rows', 'count', rows),
    field('largest_duplicates', 'table', {
      columns: [
        { key: 'group', kind: 'id' },
        { key: 'rows', kind: 'count' },
        { key: names.key, kind: 'id' },
        ...tokenColumnsOf(names),
        { key: 'norm', kind: 'number' },
      ],
      rows: largest.flatMap((group, at) =>
        group.rows.map((row): Cell[] => {
          const id = names.idOf(row);
          return [at, group.size, id, ...tokenCellsOf(id, names), unknownIfNaN(group.norm)];
        }),
      ),
    }),
  ];
}

/** Rows with a NaN or an infinity have no norm. */
function unknownIfNaN(norm: number): number | null {
  return Number.isFinite(norm) ? norm : null;
}

/** How the variance is spread over directions. */
export function spectrumFields(spectrum: Spectrum): Field[] {
  const { totalVariance } = spectrum;
  let sum = 0;
  return [
    field('spectrum_rows', 'count', spectrum.rows),
    field('total_variance', 'number', spectrum.rows > 0 ? totalVariance : null),
    field('participation_ratio', 'number', spectrum.participationRatio),
    field('effective_rank', 'number', spectrum.effectiveRank),
    field('iso_score', 'number', spectrum.isoScore),
    field('components', 'table', {
      columns: [
        { key: 'component', kind: 'id' },
        { key: 'variance', kind: 'number' },
        { key: 'share', kind: 'share' },
        { key: 'cumulative', kind: 'share' },
        { key: 'bar', kind: 'bar', where: 'table' },
      ],
      rows: spectrum.leading.map((variance, at): Cell[] => {
        const share = totalVariance > 0 ? variance / totalVariance : null;
        sum += share ?? 0;
        return [at + 1, variance, share, share === null ? null : Math.min(1, sum), variance];
      }),
    }),
  ];
}

/** What the rows of every class or script have in common. */
export function classFields(by: string, classes: readonly ClassStats[], rows: number): Field[] {
  return [
    field(`by_${by}`, 'table', {
      columns: [
        { key: by, kind: 'text' },
        { key: 'rows', kind: 'count' },
        { key: 'share', kind: 'share' },
        { key: 'norm_mean', title: 'norm mean', kind: 'number' },
        { key: 'norm_std', title: 'norm std', kind: 'number' },
        { key: 'mean_cosine', title: 'mean cosine', kind: 'number' },
        // With it the table is wider than a terminal, and the names of classes are cut.
        { key: 'mean', kind: 'number', where: 'machine' },
        { key: 'std', kind: 'number' },
      ],
      rows: classes.map((one) => [
        one.name,
        one.rows,
        one.rows / rows,
        one.normMean,
        one.normStd,
        one.meanCosine,
        one.mean,
        one.std,
      ]),
    }),
  ];
}
