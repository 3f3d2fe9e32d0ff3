import { type Audit, type AuditClass, auditClasses } from '../core/audit.ts';
import { TopRows } from '../core/top-rows.ts';
import type { Report, SubTable } from '../types.ts';
import type { AuditParts } from './audit.ts';
import type { AuditRows } from './audit-rows.ts';
import { type Field, field } from './stats-fields.ts';

/** Counts per class, where the low indicators begin, and the lowest tokens that text leads to. */
export function summaryOf(audit: Audit, rows: AuditRows, parts: AuditParts, top: number): Report {
  const fields = [...factsOf(audit, parts), field('classes', 'table', classTable(audit))];
  if (audit.values !== undefined) {
    const lowest = lowestIds(audit, top).map((id) => rows.cells(id));
    fields.push(field('lowest', 'table', { columns: rows.columns(), rows: lowest }));
  }
  async function* blocks() {
    yield { cells: [fields.map(({ cell }) => cell)], sequence: 0, ends: true };
  }
  return { columns: fields.map(({ column }) => column), blocks: blocks(), layout: 'records', single: true };
}

function factsOf(audit: Audit, { tokenizer, input, output }: AuditParts): Field[] {
  const fields = [field('ids', 'count', tokenizer?.vocabSize ?? null)];
  if (input === undefined) return fields;
  const { reference, low } = audit;
  return [
    ...fields,
    field('rows', 'count', input.rows),
    field('dim', 'count', input.dim),
    field('tied', 'flag', output === undefined ? null : output === input),
    field('unused_rows', 'count', reference?.ids.length ?? null),
    field('unused_by', 'text', reference === undefined ? null : reasonsOf(audit)),
    field('indicator', 'text', audit.indicator ?? null),
    field('median', 'number', low?.median ?? null),
    field('deviation', 'number', low?.deviation ?? null),
    field('candidates_to', 'number', low?.candidateBound ?? null),
    field('under_trained_to', 'number', low?.bound ?? null),
  ];
}

/** How the unused rows are known: "11 impossible byte, 3 padding row". */
function reasonsOf({ reference, tokens }: Audit): string {
  const counts = new Map<string, number>();
  for (const id of reference?.ids ?? []) {
    const isPadding = tokens !== undefined && id >= tokens.kinds.length;
    const reason = isPadding ? 'padding row' : (tokens?.unused.get(id) ?? '--unused');
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return Array.from(counts, ([reason, count]) => `${count} ${reason}`).join(', ');
}

function classTable(audit: Audit): SubTable {
  const counts = new Map<AuditClass, number>();
  const count = (name: AuditClass) => counts.set(name, (counts.get(name) ?? 0) + 1);
  for (let id = 0; id < audit.ids; id++) {
    const kind = audit.kindOf(id);
    if (kind !== null) count(kind);
    for (const fault of audit.faultsOf(id)) count(fault);
    if (audit.isCandidate(id)) count('candidate');
  }
  const known = auditClasses.filter((name) => {
    if (audit.tokens === undefined) return counts.has(name);
    return audit.values !== undefined || auditClasses.indexOf(name) <= auditClasses.indexOf('plain');
  });
  return {
    columns: [
      { key: 'class', kind: 'text' },
      { key: 'count', kind: 'count' },
      { key: 'share', kind: 'share' },
    ],
    rows: known.map((name) => [
      name,
      counts.get(name) ?? 0,
      (counts.get(name) ?? 0) / Math.max(1, audit.ids),
    ]),
  };
}

/** The tokens of the lowest indicators, of those that text leads to and that are no special ones. */
function lowestIds(audit: Audit, most: number): number[] {
  if (most === 0 || audit.values === undefined) return [];
  const lowest = new TopRows(most);
  for (const [id, value] of audit.values.entries()) {
    const isToken =
      audit.tokens === undefined || (audit.kindOf(id) === 'plain' && audit.tokens.reached[id] === 1);
    if (isToken && Number.isFinite(value)) lowest.offer(id, -value);
  }
  return lowest.rows().sort((a, b) => audit.values![a] - audit.values![b] || a - b);
}
