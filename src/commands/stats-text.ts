import type { Context } from '../command.ts';
import type { RowSource } from '../core/principal.ts';
import { pairwiseCosines } from '../core/similarity.ts';
import { characterCount } from '../text/characters.ts';
import type { EmbeddingTable, RowBlock, SubTable, Tokenizer } from '../types.ts';
import { type Field, field, type RowNames } from './stats-fields.ts';
import { encodedBy, encodeOptions, truncatedGiven, truncatedIds } from './token-rows.ts';

/** Rows are gathered in pieces of about this many values, so that memory does not grow with the input. */
const gatheredValues = 1 << 20;

/** Cosines of every pair are shown for so many rows at most: 24 columns are what a wide terminal holds. */
const mostPairRows = 24;

/** The rows that texts or ids name, and what is counted on the way. */
export class NamedRows {
  readonly #table: EmbeddingTable;
  /** Id of every row; grows by doubling. */
  #ids = new Uint32Array(256);
  /** The first rows, while they are few enough to be compared in pairs. */
  readonly #kept: Float32Array[] = [];
  #rows = 0;
  #sequences = 0;
  #textTokens = 0;
  #words = 0;
  #characters = 0;

  constructor(table: EmbeddingTable) {
    this.#table = table;
  }

  idOf(row: number): number {
    return this.#ids[row];
  }

  /** Looks up the tokens of every text. Ends when the texts end. */
  async *ofTexts(context: Context, tokenizer: Tokenizer): AsyncGenerator<RowBlock> {
    const options = encodeOptions(context.options);
    const sink = { ids: new Uint32Array(256), length: 0 };
    for await (const input of context.texts()) {
      const { row, text, ids: known } = input;
      const encode = (whole: string) => {
        sink.length = 0;
        tokenizer.encodeIds(whole, sink, options);
        return sink.ids.subarray(0, sink.length);
      };
      const encoded = known ?? encodedBy(context, input, encode);
      if (encoded === undefined) continue;
      const ids =
        known === undefined
          ? truncatedIds(encoded, row, context, tokenizer)
          : truncatedGiven(known, row, context);
      // A template's tokens stand for no characters; what --truncate cut off is not counted as text either.
      const shown =
        text !== null && ids.length === encoded.length
          ? text
          : new TextDecoder().decode(tokenizer.decodeBytes(plainIds(ids, tokenizer)));
      this.#textTokens += plainIds(ids, tokenizer).length;
      this.#words += shown.match(/\S+/gu)?.length ?? 0;
      this.#characters += characterCount(shown);
      yield* this.#gather(ids);
    }
  }

  /** Looks up every sequence of ids. */
  async *ofIds(context: Context, tokenizer: () => Promise<Tokenizer>): AsyncGenerator<RowBlock> {
    for await (const { ids } of context.idSequences(this.#table.rows, tokenizer)) yield* this.#gather(ids);
  }

  async *#gather(ids: Uint32Array): AsyncGenerator<RowBlock> {
    const { dim } = this.#table;
    const step = Math.max(1, Math.floor(gatheredValues / dim));
    this.#sequences++;
    for (let at = 0; at < ids.length; at += step) {
      const piece = ids.slice(at, at + step);
      const { data } = await this.#table.gather(piece);
      this.#remember(piece);
      const start = this.#rows;
      this.#rows += piece.length;
      if (this.#rows <= mostPairRows) this.#kept.push(data.slice(0, piece.length * dim));
      yield { start, rows: piece.length, data };
    }
  }

  #remember(ids: Uint32Array): void {
    const needed = this.#rows + ids.length;
    if (needed > this.#ids.length) {
      const grown = new Uint32Array(Math.max(needed, this.#ids.length * 2));
      grown.set(this.#ids.subarray(0, this.#rows));
      this.#ids = grown;
    }
    this.#ids.set(ids, this.#rows);
  }

  /** The rows that came, to be looked up again. */
  source(): RowSource {
    const [table, ids] = [this.#table, this.#ids.subarray(0, this.#rows)];
    const step = Math.max(1, Math.floor(gatheredValues / table.dim));
    return {
      rows: ids.length,
      dim: table.dim,
      gather: (rows) => table.gather(rows.map((row) => ids[row])),
      async *scan() {
        for (let start = 0; start < ids.length; start += step) {
          const piece = ids.slice(start, start + step);
          const { data } = await table.gather(piece);
          yield { start, rows: piece.length, data };
        }
      },
    };
  }

  /** How many texts, tokens and words there were. */
  countFields(isText: boolean): Field[] {
    const distinct = new Set(this.#ids.subarray(0, this.#rows)).size;
    const perWord = isText && this.#words > 0 ? this.#textTokens / this.#words : null;
    const perToken = isText && this.#textTokens > 0 ? this.#characters / this.#textTokens : null;
    return [
      field(isText ? 'texts' : 'sequences', 'count', this.#sequences),
      field('tokens', 'count', this.#rows),
      field('distinct_tokens', 'count', distinct),
      ...(isText
        ? [
            field('words', 'count', this.#words),
            field('characters', 'count', this.#characters),
            field('tokens_per_word', 'number', perWord),
            field('characters_per_token', 'number', perToken),
          ]
        : []),
    ];
  }

  /** The cosine of every pair of rows, one list per row; null for more rows than a table shows. */
  pairField(names: RowNames): Field {
    if (this.#rows > mostPairRows) return field('pairwise_cosine', 'table', null);
    const { dim } = this.#table;
    const data = new Float32Array(this.#rows * dim);
    let at = 0;
    for (const piece of this.#kept) {
      data.set(piece, at);
      at += piece.length;
    }
    return pairField(data, dim, this.#rows, names);
  }
}

/** The same for rows that lie in memory. */
export function pairField(data: Float32Array, dim: number, rows: number, names: RowNames): Field {
  if (rows > mostPairRows) return field('pairwise_cosine', 'table', null);
  const cosines = pairwiseCosines(data, dim);
  const { tokenizer } = names;
  const table: SubTable = {
    columns: [
      { key: names.key, kind: 'id' },
      ...(tokenizer === undefined
        ? []
        : ([
            { key: 'token', kind: 'text', where: 'machine' },
            { key: 'token', kind: 'token', where: 'table' },
          ] as const)),
      { key: 'cosine', kind: 'number' },
    ],
    rows: Array.from({ length: rows }, (_, row) => {
      const id = names.idOf(row);
      const list = [...cosines.subarray(row * rows, (row + 1) * rows)];
      if (tokenizer === undefined) return [id, list];
      return [id, tokenizer.tokenOf(id) ?? null, tokenizer.bytesOf(id) ?? null, list];
    }),
  };
  return field('pairwise_cosine', 'table', table);
}

function plainIds(ids: Uint32Array, tokenizer: Tokenizer): Uint32Array {
  return ids.filter((id) => !tokenizer.isSpecial(id));
}
