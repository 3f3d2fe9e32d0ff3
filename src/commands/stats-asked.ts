import type { Context, WorkerThread } from '../command.ts';
import { ClassMeter } from '../core/class-stats.ts';
import { findDuplicates } from '../core/duplicates.ts';
import { isWorthSharing, principalComponents, type RowSource } from '../core/principal.ts';
import { quantileLevels, quantilesOf, ValueQuantiles } from '../core/quantiles.ts';
import { RowDigests } from '../core/row-digests.ts';
import { scriptOfSpan } from '../core/scripts.ts';
import { listedComponents, spectrumOf } from '../core/spectrum.ts';
import type { TableStats } from '../core/table-stats.ts';
import { beginsWord, classOfToken } from '../core/token-class.ts';
import { EmbError } from '../errors.ts';
import { formatCount } from '../text/numbers.ts';
import type { EmbeddingTable, RowBlock, Tokenizer } from '../types.ts';
import { kernelOf } from './scan-options.ts';
import { startScanThreads } from './scan-threads.ts';
import { classFields, duplicateFields, quantileFields, spectrumFields } from './stats-asked-fields.ts';
import type { Field, RowNames } from './stats-fields.ts';

/** Widest rows whose principal components are looked for. */
const widestSpectrum = 2 ** 18;

/** Values of a table that is worth a look beforehand, and what is looked at. */
const fewestSampled = 1 << 23;
const sampleRows = 1024;
const mostSampled = 1 << 21;

interface Meters {
  values?: ValueQuantiles;
  digests?: RowDigests;
  classes?: { meter: ClassMeter; of: (row: number) => string };
}

/** What is measured only when it is asked for. */
export class AskedFor {
  readonly #context: Context;
  readonly #names: RowNames;
  readonly #meters: Meters;
  /** They scan the whole table with the spectrum. */
  #threads: readonly WorkerThread[] = [];

  private constructor(context: Context, names: RowNames, meters: Meters) {
    this.#context = context;
    this.#names = names;
    this.#meters = meters;
  }

  /**
   * @throws EmbError "usage" for --by where rows are no tokens
   * @throws EmbError "range" for --spectrum of rows that are too wide
   */
  static async of(context: Context, names: RowNames, dim: number, rows?: number): Promise<AskedFor> {
    const { quantiles, duplicates, spectrum, by } = context.options;
    if (spectrum && dim > widestSpectrum) {
      const counts = `${formatCount(dim)} columns, expected at most ${formatCount(widestSpectrum)}`;
      throw new EmbError('range', `--spectrum: rows have ${counts}`);
    }
    const meters: Meters = {};
    if (by !== undefined) {
      const of = groupOf(names, by as 'class' | 'script');
      meters.classes = { meter: new ClassMeter(dim), of };
    }
    if (quantiles || duplicates) {
      const kernel = kernelOf(context.options);
      if (quantiles) meters.values = await ValueQuantiles.by(kernel);
      meters.digests = await RowDigests.by(kernel, dim, rows);
    }
    return new AskedFor(context, names, meters);
  }

  /** Looks at some rows of a large table beforehand, which spares a second pass over it as a rule. */
  async lookAt(source: Omit<RowSource, 'scan'>): Promise<void> {
    const { values } = this.#meters;
    if (values === undefined || source.rows * source.dim < fewestSampled) return;
    const rows = Math.min(sampleRows, Math.floor(mostSampled / source.dim));
    if (rows < 1) return;
    const ids = Uint32Array.from({ length: rows }, (_, at) => Math.floor((at * source.rows) / rows));
    const { data } = await source.gather(ids);
    values.expect(data, quantileLevels);
  }

  /** Starts threads for the spectrum of a whole table: they have begun when the first pass is over. */
  async share(table: EmbeddingTable): Promise<void> {
    if (this.#context.options.spectrum)
      this.#threads = await startScanThreads(this.#context, table, isWorthSharing(table));
  }

  /** Measures blocks on their way. */
  async *watch(blocks: AsyncIterable<RowBlock>): AsyncGenerator<RowBlock> {
    const { values, digests, classes } = this.#meters;
    for await (const block of blocks) {
      values?.add(block);
      digests?.add(block);
      classes?.meter.add(block, classes.of);
      yield block;
    }
  }

  /** @param source the rows that passed, once more; stats: what is known of them */
  async fields(source: RowSource, { min, max }: TableStats): Promise<Field[]> {
    const { options } = this.#context;
    const { values, digests, classes } = this.#meters;
    const fields: Field[] = [];
    if (values !== undefined && digests !== undefined) {
      const extremes = min && max ? ([min.value, max.value] as const) : undefined;
      const norms = quantilesOf(digests.finiteNorms(), quantileLevels);
      fields.push(...quantileFields(await values.at(quantileLevels, () => source.scan(), extremes), norms));
    }
    if (options.duplicates && digests !== undefined)
      fields.push(...duplicateFields(await findDuplicates(source, digests.hashes()), this.#names));
    if (options.spectrum) fields.push(...(await this.#spectrum(source)));
    if (classes !== undefined)
      fields.push(...classFields(options.by as string, classes.meter.results(), source.rows));
    return fields;
  }

  async #spectrum(source: RowSource): Promise<Field[]> {
    const kernel = kernelOf(this.#context.options);
    const components = await principalComponents(source, listedComponents, {
      kernel,
      threads: this.#threads,
    });
    if (components.sampled) {
      const counts = `${formatCount(components.rows)} of ${formatCount(source.rows)} rows`;
      this.#context.note(
        `the spectrum of ${formatCount(source.dim)} dimensions is that of ${counts}; effective_rank is at most ${formatCount(components.rows - 1)}`,
      );
    }
    return spectrumFields(spectrumOf(components, source.dim));
  }

  release(): void {
    for (const thread of this.#threads) void thread.stop();
    this.#meters.values?.release();
    this.#meters.digests?.release();
  }
}

/** The group of a row by its token. @throws EmbError "usage" where no tokenizer names rows */
function groupOf({ tokenizer, idOf }: RowNames, by: 'class' | 'script'): (row: number) => string {
  if (tokenizer === undefined) {
    throw new EmbError(
      'usage',
      `--by ${by} needs tokens, and these rows have none`,
      '--tokenizer REF names the rows of a table; positions, token types and vectors have no tokens',
    );
  }
  return (row) => {
    const id = idOf(row);
    const bytes = tokenizer.bytesOf(id);
    return bytes === undefined ? 'no token' : groupOfToken(tokenizer, id, bytes, by);
  };
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function groupOfToken(tokenizer: Tokenizer, id: number, bytes: Uint8Array, by: 'class' | 'script'): string {
  const special = tokenizer.isSpecial(id);
  if (by === 'class')
    return classOfToken(bytes, special, beginsWord(tokenizer.kind, tokenizer.tokenOf(id) ?? ''));
  if (special) return 'special';
  const text = decoder.decode(bytes);
  return text.includes('\ufffd') && isPartial(bytes) ? 'partial' : scriptOfSpan(text, 0, text.length);
}

/** Whether the bytes are no whole characters; U+FFFD itself is one. */
function isPartial(bytes: Uint8Array): boolean {
  return (bytes.length === 1 && bytes[0] >= 0x80) || classOfToken(bytes, false, false) === 'partial';
}
