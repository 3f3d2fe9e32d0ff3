import type { Context } from '../command.ts';
import { EmbError } from '../errors.ts';
import { formatCount } from '../text/numbers.ts';
import type { EmbeddingTable, Layer, Model, Tokenizer } from '../types.ts';

/** The model that the options name, and the table of it that they ask for. */
export interface OpenTable {
  model: Model;
  table: EmbeddingTable;
}

/**
 * Opens the model of -m (or the scratch layer) and its table of --layer and --tensor.
 *
 * @param dimHint what to do about a --dim that the table does not have
 * @throws EmbError "range" when --dim or --vocab contradict a trained table
 */
export async function openTable(
  context: Context,
  dimHint = (_wanted: unknown) => 'leave out --dim',
): Promise<OpenTable> {
  const { options } = context;
  const model = await context.open(context.modelRef);
  const table = await model.table(options.layer as Layer | undefined, options.tensor as string | undefined);
  if (context.modelRef !== undefined) {
    const { dim, vocab } = options;
    checkSize(model, table, 'columns', table.dim, '--dim', dim, dimHint(dim));
    checkSize(model, table, 'rows', table.rows, '--vocab', vocab, 'leave out --vocab');
  }
  if (table.rounds) context.note(`${table.dtype} values are no float32: each is rounded once`);
  return { model, table };
}

function checkSize(
  model: Model,
  table: EmbeddingTable,
  what: string,
  size: number,
  option: string,
  wanted: unknown,
  hint: string,
): void {
  if (wanted === undefined || wanted === size) return;
  throw new EmbError(
    'range',
    `${model.name}: "${table.tensorName}" has ${formatCount(size)} ${what}, ${option} asks for ${wanted}`,
    hint,
  );
}

/** What was read, for captions: model, tensor, dtype, shape, tokenizer. */
export function captionOfTable({ model, table }: OpenTable, tokenizer: Tokenizer | undefined): string {
  const shape = `${formatCount(table.rows)} x ${formatCount(table.dim)}`;
  const name =
    table.label === undefined
      ? `${model.name} · ${table.tensorName} · ${table.dtype}`
      : `scratch layer · ${table.label}`;
  return `${name} · ${shape}${tokenizer ? ` · tokenizer ${tokenizer.name}` : ''}`;
}

/**
 * The tokenizer that names rows: --tokenizer, else the model's own; undefined where there is none or rows are no tokens
 * (positions, token types, other tensors).
 */
export async function rowNames(
  context: Context,
  { model, table }: OpenTable,
): Promise<Tokenizer | undefined> {
  const { options } = context;
  if (options.layer === 'position' || options.layer === 'type') return undefined;
  if (options.tokenizer !== undefined) return context.tokenizer(model);
  if (!(await model.hasTokenizer())) return undefined;
  let tokenizer: Tokenizer;
  try {
    tokenizer = await context.tokenizer(model);
  } catch (error) {
    // Names are a help, not what was asked for.
    if (!(error instanceof EmbError)) throw error;
    context.note(`rows have no names: ${error.message}`);
    return undefined;
  }
  // A tensor with fewer rows than there are tokens is a table of something else.
  return options.tensor === undefined || table.rows >= tokenizer.vocabSize ? tokenizer : undefined;
}

/** Says that a mean is not that of all rows. */
export function noteMean(context: Context, table: EmbeddingTable, rows: number): void {
  if (rows === table.rows) return;
  const [used, all] = [formatCount(rows), formatCount(table.rows)];
  context.note(`the mean is that of ${used} of ${all} rows: the others hold a NaN or an infinity`);
}
