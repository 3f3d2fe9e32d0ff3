import type { Context } from '../command.ts';
import { EmbError } from '../errors.ts';
import { formatCount } from '../text/numbers.ts';
import type { EmbeddingTable, Tokenizer } from '../types.ts';
import { encodedBy, textOf } from './token-rows.ts';

/** Most values of all queries together: a GiB of float32. */
const mostValues = 2 ** 28;

/** Bytes of the rows of --ids that are looked up together, one row at least. */
const gatheredBytes = 1 << 20;

/** What is compared with a table. */
export interface Query {
  /** Its number from 0. */
  row: number;
  /** The text or token that it came from; null where none is known. */
  text: string | null;
  /** Shape: [dim] */
  vector: Float32Array;
  /** Rows of the table that it is made of. */
  ids: readonly number[];
  /** Its line of stdin or of a file, from 1. */
  line?: number;
}

/** Where the queries of a command come from besides its input. */
export interface QuerySource {
  table: EmbeddingTable;
  /** Names the rows of --ids; undefined where nothing does. */
  names: Tokenizer | undefined;
  tokenizer: () => Promise<Tokenizer>;
  /** Without any input, texts come from stdin. */
  readsStdin?: boolean;
}

/** All queries at once. @throws EmbError as queriesOf does, and "range" for more than memory should hold */
export async function readQueries(context: Context, source: QuerySource): Promise<Query[]> {
  const queries: Query[] = [];
  for await (const query of queriesOf(context, source)) {
    queries.push(query);
    checkSize(queries.length, source.table.dim);
  }
  return queries;
}

/**
 * The queries of a command line, as they arrive: tokens and texts as arguments, --ids, --token, or vectors.
 *
 * An argument that is a piece of the vocabulary, or the text of one token, is that row; every other text is the mean of its tokens' rows.
 * A line of stdin or a file that is no query is passed over.
 * @throws EmbError "usage" when there is none
 */
export function queriesOf(context: Context, source: QuerySource): AsyncGenerator<Query> {
  const { options, args } = context;
  const kind = context.inputKind();
  const vectors = options.vectors as string | undefined;
  if (vectors !== undefined) {
    // --input says then what form the vectors have.
    if ((kind !== 'none' && kind !== 'vectors') || args.length > 0 || options.file !== undefined) {
      throw new EmbError('usage', '--vectors and texts or ids are given, expected one of them');
    }
    return ofVectors(context, vectors, source.table.dim);
  }
  if (kind === 'vectors') return ofVectors(context, undefined, source.table.dim);
  if (kind === 'ids') return ofIds(context, source);
  if (kind === 'texts' || (kind === 'none' && source.readsStdin)) return ofTexts(context, source);
  throw new EmbError(
    'usage',
    'nothing to compare is given',
    'a token or a text as argument, --ids, --token, or --vectors - for vectors on stdin',
  );
}

async function* ofVectors(context: Context, path: string | undefined, dim: number): AsyncGenerator<Query> {
  for await (const input of context.vectorRows(path, dim)) yield { ...input, ids: [] };
}

/** Every id is a query of its own. */
async function* ofIds(context: Context, { table, names, tokenizer }: QuerySource): AsyncGenerator<Query> {
  const atOnce = Math.max(1, Math.floor(gatheredBytes / 4 / table.dim));
  const rows = new Float32Array(atOnce * table.dim);
  let row = 0;
  for await (const { ids } of context.idSequences(table.rows, tokenizer)) {
    for (let at = 0; at < ids.length; at += atOnce) {
      const piece = ids.slice(at, at + atOnce);
      const { data } = await table.gather(piece, rows);
      for (const [index, id] of piece.entries()) {
        const vector = data.slice(index * table.dim, (index + 1) * table.dim);
        yield { row: row++, text: names?.tokenOf(id) ?? null, vector, ids: [id] };
      }
    }
  }
}

async function* ofTexts(context: Context, source: QuerySource): AsyncGenerator<Query> {
  const { table } = source;
  const tokenizer = await source.tokenizer();
  for await (const input of context.texts()) {
    const { row, line } = input;
    const ids = encodedBy(context, input, (text) => idsOfQuery(text, tokenizer));
    if (ids === undefined) continue;
    const text = textOf(input);
    if (ids.length > 0) yield { row, text, vector: await meanOfRows(table, ids), ids, line };
    else if (line !== undefined) context.passOver(line, 'has no tokens, so it has no vector');
    else
      throw new EmbError('range', `text ${row} (${JSON.stringify(text)}) has no tokens, so it has no vector`);
  }
}

/** How messages call a query. */
export function nameOfQuery({ row, text, ids }: Query): string {
  const name = text !== null ? JSON.stringify(text) : ids.length === 1 ? `#${ids[0]}` : undefined;
  return `vector ${row}${name === undefined ? '' : ` (${name})`}`;
}

/** Whether a vector has a direction. */
export function hasDirection(vector: Float32Array | Float64Array): boolean {
  let isZero = true;
  for (const value of vector) {
    if (!Number.isFinite(value)) return false;
    if (value !== 0) isZero = false;
  }
  return !isZero;
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
