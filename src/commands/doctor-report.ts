import { provenances } from '../core/provenance.ts';
import type { Cell, Column, Report, Tokenizer } from '../types.ts';
import { tokenCells, tokenColumns } from './answer-columns.ts';
import type { Finding, Rows } from './doctor-checks.ts';

/** Ids that a finding of the table shows; programs get all. */
const shownRanges = 4;

/** A line for each finding. */
export function findingReport(findings: readonly Finding[]): Report {
  const columns: Column[] = [
    { key: 'level', kind: 'text' },
    { key: 'check', kind: 'text' },
    { key: 'finding', kind: 'prose' },
    { key: 'count', kind: 'count', where: 'machine' },
    { key: 'ids', kind: 'text', where: 'table' },
    { key: 'ids', kind: 'text', where: 'machine' },
  ];
  const cells = findings.map(({ level, check, finding, ids }): Cell[] => {
    const ranges = ids === undefined ? [] : rangesOf(ids);
    const more = ranges.length > shownRanges ? ', ...' : '';
    const shown = ids === undefined ? null : ranges.slice(0, shownRanges).join(',') + more;
    return [level, check, finding, ids?.length ?? null, shown, ids === undefined ? null : ranges.join(',')];
  });
  async function* blocks() {
    yield { cells, sequence: 0, ends: true };
  }
  return { columns, blocks: blocks(), layout: 'rows' };
}

/** "5,177-187" */
function rangesOf(ids: readonly number[]): string[] {
  const ranges: [number, number][] = [];
  for (const id of ids) {
    const last = ranges[ranges.length - 1];
    if (last !== undefined && last[1] === id - 1) last[1] = id;
    else ranges.push([id, id]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`));
}

/** Every row that is not trained. */
export function rowReport(scans: readonly Rows[], tokenizer: Tokenizer | undefined): Report {
  const columns: Column[] = [
    { key: 'table', kind: 'text' },
    ...tokenColumns(tokenizer),
    { key: 'provenance', kind: 'text' },
    { key: 'copy_of', title: 'copy of', kind: 'id' },
    { key: 'sigma', kind: 'number' },
    { key: 'padding', kind: 'flag' },
  ];
  const ids = tokenizer?.vocabSize;
  async function* blocks() {
    for (const { role, table, found } of scans) {
      for (let row = 0; row < table.rows; row++) {
        const kind = provenances[found.kinds[row]];
        if (kind === 'trained') continue;
        const sigma = kind === 'normal-init' ? found.sigmaOf(row) : null;
        const copyOf = kind === 'copy' ? found.twins[row] : null;
        const names = row < (ids ?? 0) ? tokenizer : undefined;
        const cell: Cell[] =
          tokenizer === undefined || names !== undefined ? tokenCells(row, names) : [row, null, null, null];
        yield {
          cells: [[role, ...cell, kind, copyOf, sigma, ids === undefined ? null : row >= ids]],
          sequence: 0,
          ends: false,
        };
      }
    }
  }
  return { columns, blocks: blocks(), layout: 'rows' };
}
