import type { Context } from '../command.ts';
import { EmbError } from '../errors.ts';
import { formatCount } from '../text/numbers.ts';
import type { EmbeddingTable, Tokenizer } from '../types.ts';
import { textOf } from './token-rows.ts';

/** Most values of all queries together: a GiB of float32. */
const mostValues = 2 ** 28;

/** What is compared with a table. */
export interface Query {
  /** Its number from 0. */
  row: number;
  /** The text or token that it came from; null for a vector. */
  text: string | null;
  /** Shape: [dim] */
  vector: Float32Array;
  /** Rows of the table that it is made of. */
  ids: readonly number[];
}

/**
 * The queries of a command line: tokens and texts as arguments, --ids, --token, or vectors.
 *
 * An argument that is a piece of the vocabulary, or the text of one token, is that row; every other text is the mean of its tokens' rows.
 * @param readsStdin without any input, texts come from stdin
 * @throws EmbError "usage" when there is none
 */
export async function readQueries(
  context: Context,
  table: EmbeddingTable,
  tokenizer: () => Promise<Tokenizer>,
  readsStdin = false,
): Promise<Query[]> {
  const { options } = context;
  const kind = context.inputKind();
  const vectors = options.vectors as string | undefined;
  if (vectors !== undefined && kind !== 'none') {
    throw new EmbError('usage', '--vectors and texts or ids are given, expected one of them');
  }
  if (vectors !== undefined) return ofVectors(await context.vectorsOf(vectors, table.dim));
  if (kind === 'vectors') return ofVectors(await context.vectors(table.dim));
  if (kind === 'ids') return ofIds(context, table, tokenizer);
  if (kind === 'texts' || (kind === 'none' && readsStdin)) return ofTexts(context, table, await tokenizer());
  throw new EmbError(
    'usage',
    'nothing to compare is given',
    'a token or a text as argument, --ids, --token, or --vectors - for vectors on stdin',
  );
}

function ofVectors({ data, rows, dim }: { data: Float32Array; rows: number; dim: number }): Query[] {
  return Array.from({ length: rows }, (_, row) => ({
    row,
    text: null,
    vector: data.subarray(row * dim, (row + 1) * dim),
    ids: [],
  }));
}

/** Every id is a query of its own. */
async function ofIds(
  context: Context,
  table: EmbeddingTable,
  tokenizer: () => Promise<Tokenizer>,
): Promise<Query[]> {
  const queries: Query[] = [];
  for await (const { ids } of context.idSequences(table.rows, tokenizer)) {
    checkSize(queries.length + ids.length, table.dim);
    const { data } = await table.gather(ids);
    for (const [index, id] of ids.entries()) {
      const vector = data.subarray(index * table.dim, (index + 1) * table.dim);
      queries.push({ row: queries.length, text: null, vector, ids: [id] });
    }
  }
  return queries;
}

async function ofTexts(context: Context, table: EmbeddingTable, tokenizer: Tokenizer): Promise<Query[]> {
  const queries: Query[] = [];
  for await (const input of context.texts()) {
    const { row } = input;
    const text = textOf(input);
    checkSize(queries.length + 1, table.dim);
    const ids = idsOfQuery(text, tokenizer);
    if (ids.length === 0) {
      throw new EmbError('range', `text ${row} (${JSON.stringify(text)}) has no tokens, so it has no vector`);
    }
    queries.push({ row, text, vector: await meanOfRows(table, ids), ids });
  }
  return queries;
}

/** A piece of the vocabulary first, else the tokens of the text without a template. */
export function idsOfQuery(text: string, tokenizer: Tokenizer): number[] {
  const id = tokenizer.idOf(text);
  if (id !== undefined) return [id];
  const sink = { ids: new Uint32Array(16), length: 0 };
  tokenizer.encodeIds(text, sink, { template: false });
  return [...sink.ids.subarray(0, sink.length)];
}

/** The mean of rows, summed in float64. Shape: → [dim] */
async function meanOfRows(table: EmbeddingTable, ids: readonly number[]): Promise<Float32Array> {
  const { data } = await table.gather(Uint32Array.from(ids));
  if (ids.length === 1) return data;
  const sums = new Float64Array(table.dim);
  for (let at = 0; at < data.length; at++) sums[at % table.dim] += data[at];
  return Float32Array.from(sums, (sum) => sum / ids.length);
}

function checkSize(count: number, dim: number): void {
  if (count * dim <= mostValues) return;
  throw new EmbError(
    'range',
    `${formatCount(count)} queries of ${formatCount(dim)} values, expected at most ${formatCount(mostValues)} values at once`,
  );
}
