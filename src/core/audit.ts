import { EmbError } from '../errors.ts';
import { formatCount } from '../text/numbers.ts';
import type { EmbeddingTable, Tokenizer } from '../types.ts';
import {
  type IndicatorName,
  meanOfUnused,
  type OutputDistances,
  type OutputScan,
  type Reference,
  scanOutput,
} from './audit-indicators.ts';
import { auditTokens, kindCode, type TokenAudit, type TokenKind, tokenKinds } from './audit-kinds.ts';
import { type LowValues, lowValues } from './audit-outliers.ts';
import { findTwins, squareOf, sumRows, visitRows } from './audit-rows.ts';

/** What may be wrong with a row. */
export const rowFaults = ['no-row', 'padding', 'zero', 'nan', 'duplicate', 'under-trained'] as const;

export type RowFault = (typeof rowFaults)[number];

/** What --class takes: kinds of tokens, faults of rows, and the share of tokens that is worth trying out. */
export const auditClasses = [...tokenKinds, ...rowFaults, 'candidate'] as const;

export type AuditClass = (typeof auditClasses)[number];

/** Ids of a tokenizer without a table are so many at most: ids are counted, not stored, so a small file could name any number. */
const mostIds = 2 ** 21;

/** How far sums in float32 may be off: what lies so close above a bound is measured again. */
const roundingRoom = 1e-5;

export interface AuditInput {
  tokenizer?: Tokenizer;
  /** Absent where there is a tokenizer only. */
  input?: EmbeddingTable;
  /** The output embedding; the same object as input where they are tied. */
  output?: EmbeddingTable;
  /** The default is the norm of the input row, and where the tables are tied the cosine distance, if any row is known to be unused. */
  indicator?: IndicatorName;
  /** Rows at or below it are under-trained, instead of those 5 robust deviations below the median. */
  threshold?: number;
  /** Rows that are known to be unused, instead of those that the tokenizer shows. */
  unused?: readonly number[];
  /** Told how many rows or ids were gone through. */
  advance?(amount: number): void;
}

/** What is known of every id, by id. */
export interface Audit {
  /** Ids of the tokenizer and rows of the table, whichever are more. */
  ids: number;
  tokens: TokenAudit | undefined;
  /** Shape: [rows of input] */
  squares: Float64Array | undefined;
  twins: Int32Array | undefined;
  reference: Reference | undefined;
  distances: OutputDistances | undefined;
  indicator: IndicatorName | undefined;
  /** Shape: [rows]. The values of the indicator. */
  values: Float64Array | undefined;
  low: LowValues | undefined;
  kindOf(id: number): TokenKind | null;
  faultsOf(id: number): RowFault[];
  isCandidate(id: number): boolean;
}

/**
 * What stands out in a vocabulary and its rows.
 *
 * Cost: one encode per token, one scan per table, and the rows again that are read twice: equal squares, the lowest indicators.
 * @throws EmbError "range" for unused ids that have no row, "unsupported" for a tokenizer of more than 2^21 ids without as many rows
 */
export async function auditModel(given: AuditInput): Promise<Audit> {
  const { tokenizer, input, output, advance } = given;
  const rows = input?.rows ?? 0;
  checkIds(tokenizer, rows);
  const ids = Math.max(rows, tokenizer?.vocabSize ?? 0);
  const tokens = tokenizer === undefined ? undefined : auditTokens(tokenizer, advance);
  const found = new Findings(ids, tokens, input);
  if (input === undefined) return found;
  const reference = output && (await meanOfUnused(output, unusedIds(given, output, tokens)));
  found.reference = reference;
  const isTied = output === input;
  const indicator = given.indicator ?? (isTied && reference !== undefined ? 'output-cosine' : 'input-norm');
  checkIndicator(indicator, output, reference);
  found.indicator = indicator;
  const withoutFirst = indicator === 'output-cosine-pc1';
  const scan = output && reference && (await scanOutput(output, reference, { withoutFirst, advance }));
  found.distances = scan?.distances;
  found.squares = isTied && scan ? scan.sums.squares : (await sumRows(input, [], advance)).squares;
  found.twins = await findTwins(input, found.squares);
  await found.judge(input, scan, given.threshold);
  return found;
}

function checkIds(tokenizer: Tokenizer | undefined, rows: number): void {
  if (tokenizer === undefined || tokenizer.vocabSize <= Math.max(rows, mostIds)) return;
  const counts = `${formatCount(tokenizer.vocabSize)} ids, expected at most ${formatCount(mostIds)}`;
  throw new EmbError('unsupported', `${tokenizer.name}: the vocabulary has ${counts}`);
}

function unusedIds(
  { unused }: AuditInput,
  output: EmbeddingTable,
  tokens: TokenAudit | undefined,
): readonly number[] {
  if (unused !== undefined) {
    const beyond = unused.find((id) => id >= output.rows);
    if (beyond === undefined) return [...new Set(unused)].sort((a, b) => a - b);
    throw new EmbError(
      'range',
      `--unused ${beyond} is no row of ${output.tensorName}, which has ${output.rows}`,
    );
  }
  if (tokens === undefined) return [];
  const known = Array.from(tokens.unused.keys()).filter((id) => id < output.rows);
  for (let row = tokens.kinds.length; row < output.rows; row++) known.push(row);
  return known;
}

function checkIndicator(
  indicator: IndicatorName,
  output: EmbeddingTable | undefined,
  reference: Reference | undefined,
): void {
  if (indicator === 'input-norm') return;
  if (output === undefined)
    throw new EmbError(
      'missing',
      `--indicator ${indicator}: the model has no output embedding`,
      'input-norm',
    );
  if (reference === undefined) {
    throw new EmbError(
      'missing',
      `--indicator ${indicator}: no row is known to be unused`,
      'name some by --unused, or use input-norm',
    );
  }
}

/** What the parts found, put together. */
class Findings implements Audit {
  readonly ids: number;
  readonly tokens: TokenAudit | undefined;
  readonly #rows: number | undefined;
  squares: Float64Array | undefined;
  twins: Int32Array | undefined;
  reference: Reference | undefined;
  distances: OutputDistances | undefined;
  indicator: IndicatorName | undefined;
  values: Float64Array | undefined;
  low: LowValues | undefined;

  constructor(ids: number, tokens: TokenAudit | undefined, input: EmbeddingTable | undefined) {
    this.ids = ids;
    this.tokens = tokens;
    this.#rows = input?.rows;
  }

  /** Values of the indicator, where they are low, and the lowest of them exactly. */
  async judge(
    input: EmbeddingTable,
    scan: OutputScan | undefined,
    threshold: number | undefined,
  ): Promise<void> {
    const { indicator, squares } = this;
    if (squares === undefined) return;
    this.values =
      indicator === 'input-norm' || scan === undefined
        ? squares.map(Math.sqrt)
        : {
            'output-cosine': scan.distances.cosine,
            'output-cosine-pc1': scan.distances.cosineWithoutFirst ?? scan.distances.cosine,
            'output-l2': scan.distances.l2,
          }[indicator as Exclude<IndicatorName, 'input-norm'>];
    this.low = this.#lowValues(threshold);
    const { values } = this;
    const bound =
      Math.max(this.low.candidateBound ?? 0, this.low.bound ?? 0) * (1 + roundingRoom) + roundingRoom;
    const lowest: number[] = [];
    for (let id = 0; id < values.length; id++) if (values[id] <= bound) lowest.push(id);
    if (indicator !== 'input-norm') await scan?.refine(lowest);
    else await visitRows(input, lowest, (id, row) => this.#setNorm(id, row));
    this.low = this.#lowValues(threshold);
  }

  #setNorm(id: number, row: Float32Array): void {
    if (this.squares === undefined || this.values === undefined) return;
    this.squares[id] = squareOf(row);
    this.values[id] = Math.sqrt(this.squares[id]);
  }

  #lowValues(threshold: number | undefined): LowValues {
    const low = lowValues((this.values ?? new Float64Array()).filter((_, id) => this.#isJudged(id)));
    return threshold === undefined ? low : { ...low, bound: threshold };
  }

  /** Tokens that a text leads to and that are no special ones: the low values are looked for among them. */
  #isJudged(id: number): boolean {
    const { tokens } = this;
    if (tokens === undefined) return true;
    return id < tokens.reached.length && tokens.reached[id] === 1;
  }

  kindOf(id: number): TokenKind | null {
    const { tokens } = this;
    return tokens === undefined || id >= tokens.kinds.length ? null : tokenKinds[tokens.kinds[id]];
  }

  faultsOf(id: number): RowFault[] {
    const { squares, tokens, values, low } = this;
    if (squares === undefined) return [];
    if (id >= (this.#rows ?? 0)) return tokens?.kinds[id] === kindCode.unassigned ? [] : ['no-row'];
    const faults: RowFault[] = [];
    if (tokens !== undefined && id >= tokens.kinds.length) faults.push('padding');
    const square = squares[id];
    if (!Number.isFinite(square)) faults.push('nan');
    if ((this.twins?.[id] ?? -1) >= 0) faults.push('duplicate');
    if (square === 0) faults.push('zero');
    else if (values !== undefined && low?.bound != null && values[id] <= low.bound)
      faults.push('under-trained');
    return faults;
  }

  isCandidate(id: number): boolean {
    const { values, low } = this;
    if (values === undefined || low?.candidateBound == null || !this.#isJudged(id)) return false;
    return values[id] <= low.candidateBound;
  }
}
