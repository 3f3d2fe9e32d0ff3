import { explainPadding } from '../core/padding.ts';
import { type Provenance, type Provenances, provenances } from '../core/provenance.ts';
import { compareRows, pairByRow } from '../core/row-diff.ts';
import { formatCount } from '../text/numbers.ts';
import type { EmbeddingTable, Tokenizer } from '../types.ts';

/** How bad a finding is. --strict counts warnings and errors. */
export type Level = 'ok' | 'note' | 'warning' | 'error';

/** One thing that was held against another. */
export interface Finding {
  level: Level;
  check: string;
  finding: string;
  /** Ids that it is about, ascending. */
  ids?: readonly number[];
}

export interface Rows {
  /** input or output */
  role: string;
  table: EmbeddingTable;
  found: Provenances;
}

/** Ids of the tokenizer against rows of the table. */
export function checkRowCount(rows: number, ids: number, { found }: Rows): Finding {
  const check = 'rows';
  if (ids === rows)
    return {
      level: 'ok',
      check,
      finding: `the tokenizer has ${formatCount(ids)} ids, the table as many rows`,
    };
  if (ids > rows) {
    return {
      level: 'error',
      check,
      finding: `the tokenizer has ${formatCount(ids)} ids, the table ${formatCount(rows)} rows: ids from ${rows} on have no row`,
      ids: range(rows, Math.min(ids, rows + mostListed)),
    };
  }
  const { multiple, isNext } = explainPadding(ids, rows);
  const times = `${formatCount(rows)} is ${isNext ? 'the next' : 'a'} multiple of ${multiple}`;
  const why =
    multiple === null
      ? `${formatCount(rows)} is no multiple of 8 or of a larger power of 2`
      : `${times}${isNext ? ` after ${formatCount(ids)}` : ', with room to spare'}`;
  const padding = range(ids, rows);
  // Where the table is the head, too, one NaN makes every probability one.
  const isBroken = padding.some((id) => found.kinds[id] === provenances.indexOf('nan'));
  const oddity = multiple === null ? 'warning' : 'note';
  return {
    level: isBroken ? 'error' : oddity,
    check: 'padding',
    finding: `${counted(rows - ids, 'row')} beyond the vocabulary: ${why}; ${originsOf(padding, found)}`,
    ids: padding,
  };
}

/** Ids beyond the table that are listed, however many a tokenizer claims to have. */
const mostListed = 1 << 20;

/** Special tokens, and what the config gives roles, against tokenizer and table. */
export function checkSpecials(
  tokenizer: Tokenizer,
  rows: number,
  named: readonly (readonly [key: string, id: unknown])[],
): Finding[] {
  const without: number[] = [];
  let specials = 0;
  for (let id = 0; id < Math.min(tokenizer.vocabSize, rows + mostListed); id++) {
    if (tokenizer.bytesOf(id) === undefined || !tokenizer.isSpecial(id)) continue;
    specials++;
    if (id >= rows) without.push(id);
  }
  const findings: Finding[] = [
    without.length === 0
      ? { level: 'ok', check: 'special', finding: `${counted(specials, 'special token')} with a row` }
      : {
          level: 'error',
          check: 'special',
          finding: `${counted(without.length, 'special token')} without a row`,
          ids: without,
        },
  ];
  for (const [key, id] of named) findings.push(checkRole(tokenizer, key, id));
  return findings;
}

function checkRole(tokenizer: Tokenizer, check: string, id: unknown): Finding {
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) {
    const text = JSON.stringify(id);
    const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    return { level: 'warning', check, finding: `the config's ${check} is ${shown}, which is no id` };
  }
  const name = JSON.stringify(tokenizer.tokenOf(id) ?? '');
  const ids = [id];
  if (tokenizer.bytesOf(id) === undefined)
    return { level: 'error', check, finding: `the config's ${check} is ${id}, which is no token`, ids };
  if (!tokenizer.isSpecial(id))
    return {
      level: 'warning',
      check,
      finding: `the config's ${check} is ${id}, the ordinary token ${name}`,
      ids,
    };
  return { level: 'ok', check, finding: `${check} ${id} is ${name}` };
}

/** A number of the config against that of a table. */
export function checkSize(check: string, said: number | null, found: number, what: string): Finding[] {
  if (said === null) return [];
  const [a, b] = [formatCount(said), formatCount(found)];
  return said === found
    ? [{ level: 'ok', check, finding: `the config's ${check} is ${a}, as the table has ${what}` }]
    : [{ level: 'error', check, finding: `the config's ${check} is ${a}, the table has ${b} ${what}` }];
}

/**
 * The output embedding against the input's, and against the config's flag.
 *
 * Cost: where the config says tied and it is not, both tables' rows once, to say which differ.
 */
export async function checkHead(
  input: EmbeddingTable,
  output: EmbeddingTable | undefined,
  ties: { tied: boolean; reason: string } | null,
  said: boolean | null,
): Promise<Finding[]> {
  if (ties === null || output === undefined) {
    if (said === null) return [{ level: 'note', check: 'head', finding: 'no output embedding' }];
    const level = said ? 'note' : 'warning';
    const finding = said
      ? 'no output embedding, though the config says tied'
      : 'no output embedding, and the config says that it is not tied: the file may lack its head';
    return [{ level, check: 'head', finding }];
  }
  const findings: Finding[] = [];
  if (output.rows !== input.rows || output.dim !== input.dim) {
    const [a, b] = [input, output].map(({ rows, dim }) => `${formatCount(rows)} x ${formatCount(dim)}`);
    findings.push({
      level: output.rows === input.rows ? 'note' : 'error',
      check: 'head',
      finding: `the output embedding is ${b}, the input ${a}`,
    });
  }
  const flag =
    said === null || ties.reason.includes('the config says')
      ? ''
      : `, and the config says ${said ? 'tied' : 'untied'}`;
  if (said === true && !ties.tied) {
    const ids = output.dim === input.dim ? await differingRows(input, output) : [];
    const isSame = ids.length === 0 && output.dim === input.dim;
    const which = ids.length === 0 ? '' : ` in ${counted(ids.length, 'row')}`;
    const lost = isSame
      ? 'no value of it is another, and the config says tied'
      : 'but the config says tied: a loader drops the head';
    findings.push({
      level: isSame ? 'note' : 'error',
      check: 'tied',
      finding: `untied: ${ties.reason}${which}, ${lost}`,
      ...(ids.length === 0 ? {} : { ids }),
    });
  } else if (said === false && ties.tied)
    findings.push({
      level: 'note',
      check: 'tied',
      finding: `tied: ${ties.reason}, but the config says untied: training would part them`,
    });
  else
    findings.push({
      level: 'ok',
      check: 'tied',
      finding: `${ties.tied ? 'tied' : 'untied'}: ${ties.reason}${flag}`,
    });
  return findings;
}

/** Rows that are not the same in both tables; those that only one has are among them. */
async function differingRows(input: EmbeddingTable, output: EmbeddingTable): Promise<number[]> {
  const pairs = pairByRow(input.rows, output.rows);
  const { after } = await compareRows(input, output, pairs);
  return [...after, ...pairs.removed, ...pairs.added];
}

const findingLevels: Record<Exclude<Provenance, 'trained'>, Level> = {
  nan: 'error',
  zero: 'warning',
  copy: 'warning',
  'mean-init': 'warning',
  'normal-init': 'warning',
};

const meanings: Record<Exclude<Provenance, 'trained'>, string> = {
  nan: 'a NaN or an infinity in',
  zero: 'all zeros',
  copy: 'copies of earlier rows',
  'mean-init': 'the mean of the others, as added tokens begin, and not trained since',
  'normal-init': 'as drawn from a normal distribution, and not trained since',
};

/** Rows of tokens that are not as training leaves them. spare: an id whose row is not meant to be trained. */
export function checkRows(
  { role, table, found }: Rows,
  ids: number,
  spare: (id: number) => boolean,
): Finding[] {
  const findings: Finding[] = [];
  if (found.untrained !== null)
    findings.push({
      level: 'warning',
      check: `${role} rows`,
      finding: `untrained: all of ${table.tensorName} is as drawn from a normal distribution of sigma ${shortNumber(found.untrained)}`,
    });
  if (found.outsized.length > 0)
    findings.push({
      level: 'warning',
      check: `${role} norm`,
      finding: `a norm over a hundred times the median: ${counted(found.outsized.length, 'row')}`,
      ids: found.outsized,
    });
  for (const kind of provenances) {
    if (kind === 'trained' || (kind === 'normal-init' && found.untrained !== null)) continue;
    const code = provenances.indexOf(kind);
    const all = range(0, Math.min(ids, table.rows)).filter((id) => found.kinds[id] === code);
    for (const part of [all.filter((id) => !spare(id)), all.filter(spare)]) {
      if (part.length === 0) continue;
      const isSpare = spare(part[0]);
      const whose = isSpare ? ' of spare tokens' : '';
      findings.push({
        level: kind === 'nan' || !isSpare ? findingLevels[kind] : 'note',
        check: `${role} ${kind}`,
        finding: `${meanings[kind]}: ${counted(part.length, 'row')}${whose}${detailOf(kind, part, found)}`,
        ids: part,
      });
    }
  }
  if (findings.length === 0)
    findings.push({
      level: 'ok',
      check: `${role} rows`,
      finding: `no row of ${table.tensorName} stands out`,
    });
  return findings;
}

function detailOf(kind: Provenance, ids: readonly number[], { twins, sigmaOf }: Provenances): string {
  if (kind === 'normal-init') return `, sigma ${sigmasOf(ids, sigmaOf)}`;
  if (kind !== 'copy') return '';
  const pairs = ids.slice(0, shownPairs).map((id) => `${id} of ${twins[id]}`);
  return `, ${pairs.join(', ')}${ids.length > shownPairs ? ', ...' : ''}`;
}

/** Copies that a line names. */
const shownPairs = 4;

/** One sigma, or the span of several. */
function sigmasOf(ids: readonly number[], sigmaOf: (row: number) => number): string {
  const sigmas = ids.map(sigmaOf).sort((a, b) => a - b);
  const [low, high] = [shortNumber(sigmas[0]), shortNumber(sigmas[sigmas.length - 1])];
  return low === high ? low : `${low} to ${high}`;
}

const shortNumber = (value: number): string => String(Number(value.toPrecision(3)));

/** "3 zero, 20 normal-init (sigma 0.02)" */
function originsOf(ids: readonly number[], found: Provenances): string {
  const parts: string[] = [];
  for (const [code, kind] of provenances.entries()) {
    const these = ids.filter((id) => found.kinds[id] === code);
    if (these.length === 0) continue;
    const sigma = kind === 'normal-init' ? ` (sigma ${sigmasOf(these, found.sigmaOf)})` : '';
    parts.push(`${formatCount(these.length)} ${kind}${sigma}`);
  }
  return parts.join(', ');
}

/** "1 row", "2 rows" */
export function counted(count: number, thing: string): string {
  return `${formatCount(count)} ${thing}${count === 1 ? '' : 's'}`;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}
