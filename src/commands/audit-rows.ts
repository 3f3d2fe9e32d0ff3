import type { Audit, AuditClass } from '../core/audit.ts';
import { deviationsOf } from '../core/audit-outliers.ts';
import type { Block, Cell, Column, Report, Tokenizer } from '../types.ts';

/** Lines of one block. */
const blockLines = 128;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** One line per token: what it is, why it stands out, and the numbers that tell so. */
export class AuditRows {
  readonly #audit: Audit;
  readonly #tokenizer: Tokenizer | undefined;
  readonly #classes: ReadonlySet<AuditClass> | undefined;

  /** classes: list only tokens of one of them */
  constructor(audit: Audit, tokenizer: Tokenizer | undefined, classes: readonly AuditClass[] | undefined) {
    this.#audit = audit;
    this.#tokenizer = tokenizer;
    this.#classes = classes === undefined ? undefined : new Set(classes);
  }

  /** Ascending ids that are listed: all, those of the classes, or those that stand out. */
  *ids(all: boolean): Generator<number> {
    const { ids } = this.#audit;
    for (let id = 0; id < ids; id++) if (this.#isListed(id, all)) yield id;
  }

  #isListed(id: number, all: boolean): boolean {
    const audit = this.#audit;
    const classes = this.#classes;
    const kind = audit.kindOf(id);
    if (classes === undefined)
      return all || (kind !== null && kind !== 'plain') || audit.faultsOf(id).length > 0;
    if (kind !== null && classes.has(kind)) return true;
    if (classes.has('candidate') && audit.isCandidate(id)) return true;
    return audit.faultsOf(id).some((fault) => classes.has(fault));
  }

  /**
   * How many tokens a check would find fault with: those of the classes, else those that text should lead to but cannot, or whose row is
   * broken, missing or hardly trained. Spare names, single bytes and padding rows are as they were meant.
   */
  countFaulty(): number {
    const audit = this.#audit;
    let count = 0;
    for (let id = 0; id < audit.ids; id++) {
      const kind = audit.kindOf(id);
      const isMeant = kind === 'plain' || kind === 'special' || audit.tokens === undefined;
      if (this.#classes !== undefined) count += this.#isListed(id, false) ? 1 : 0;
      else if (kind === 'unreachable' || (isMeant && audit.faultsOf(id).length > 0)) count++;
    }
    return count;
  }

  /** Cells of one token, in the order of columns(). */
  cells(id: number): Cell[] {
    const audit = this.#audit;
    const bytes = this.#tokenizer?.bytesOf(id) ?? null;
    const reasons = [audit.kindOf(id), ...audit.faultsOf(id)].filter(
      (reason) => reason !== null && reason !== 'plain',
    );
    const cells: Cell[] = [
      id,
      ...(this.#tokenizer === undefined ? [] : [this.#tokenizer.tokenOf(id) ?? null, bytes, bytes]),
      reasons.join(' '),
    ];
    if (audit.tokens !== undefined) cells.push(this.#reencoded(id, bytes));
    if (audit.values === undefined) return cells;
    const value = finite(audit.values[id]);
    cells.push(
      value,
      audit.low === undefined ? null : deviationsOf(value, audit.low),
      audit.isCandidate(id),
      this.#twin(id),
    );
    return [...cells, ...this.#numbers(id)];
  }

  #reencoded(id: number, bytes: Uint8Array | null): number[] | null {
    const { tokens } = this.#audit;
    const isLost = id < (tokens?.reached.length ?? 0) && tokens?.reached[id] === 0;
    const kind = this.#audit.kindOf(id);
    if (!isLost || bytes === null || (kind !== 'unreachable' && kind !== 'byte')) return null;
    return bytes.length === 1 && bytes[0] >= 0x80
      ? null
      : (tokens?.reencoder.idsOf(decoder.decode(bytes)) ?? null);
  }

  #twin(id: number): number | null {
    const twin = this.#audit.twins?.[id] ?? -1;
    return twin < 0 ? null : twin;
  }

  #numbers(id: number): Cell[] {
    const { squares, distances } = this.#audit;
    const numbers: Cell[] = [finite(Math.sqrt(squares?.[id] ?? Number.NaN))];
    if (distances === undefined) return numbers;
    numbers.push(finite(distances.cosine[id]), finite(distances.l2[id]));
    if (distances.cosineWithoutFirst !== undefined) numbers.push(finite(distances.cosineWithoutFirst[id]));
    return numbers;
  }

  columns(): Column[] {
    const { tokens, values, distances, indicator = 'input-norm' } = this.#audit;
    const columns: Column[] = [{ key: 'id', kind: 'id' }];
    if (this.#tokenizer !== undefined) {
      columns.push(
        { key: 'token', kind: 'text', where: 'machine' },
        { key: 'token', kind: 'token', where: 'table' },
        { key: 'bytes', kind: 'bytes', where: 'machine' },
      );
    }
    columns.push({ key: 'reasons', kind: 'text' });
    if (tokens !== undefined)
      columns.push({ key: 'reencoded', title: 'gives ids', kind: 'id', where: 'machine' });
    if (values === undefined) return columns;
    columns.push(
      { key: 'indicator', title: indicator, kind: 'number' },
      { key: 'deviations', kind: 'number' },
      { key: 'candidate', kind: 'flag', where: 'machine' },
      { key: 'same_as', title: 'same as', kind: 'id' },
      { key: 'norm', kind: 'number', where: indicator === 'input-norm' ? 'machine' : 'all' },
    );
    if (distances === undefined) return columns;
    columns.push(
      { key: 'output_cosine', kind: 'number', where: 'machine' },
      { key: 'output_l2', kind: 'number', where: 'machine' },
    );
    if (distances.cosineWithoutFirst !== undefined)
      columns.push({ key: 'output_cosine_pc1', kind: 'number', where: 'machine' });
    return columns;
  }

  /** The tokens as a report of rows. */
  list(all: boolean): Report {
    return { columns: this.columns(), blocks: this.#blocks(all, (id) => this.cells(id)), layout: 'rows' };
  }

  /** Their ids alone. */
  listIds(all: boolean): Report {
    return { columns: [{ key: 'id', kind: 'id' }], blocks: this.#blocks(all, (id) => [id]), layout: 'rows' };
  }

  async *#blocks(all: boolean, cellsOf: (id: number) => Cell[]): AsyncGenerator<Block> {
    let cells: Cell[][] = [];
    for (const id of this.ids(all)) {
      cells.push(cellsOf(id));
      if (cells.length < blockLines) continue;
      yield { cells, sequence: 0, ends: false };
      cells = [];
    }
    yield { cells, sequence: 0, ends: true };
  }
}

/** What is no number is unknown. */
function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
