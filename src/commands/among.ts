import type { Context } from '../command.ts';
import { EmbError } from '../errors.ts';
import type { EmbeddingTable, Tokenizer } from '../types.ts';
import { idsOfQuery } from './queries.ts';

/** 1 for every row that a line of the file of --among names; undefined without one. Shape: [rows] */
export async function readAmong(
  context: Context,
  table: EmbeddingTable,
  tokenizer: () => Promise<Tokenizer>,
): Promise<Uint8Array | undefined> {
  const path = context.options.among as string | undefined;
  if (path === undefined) return undefined;
  if (path === '-' && context.options.vectors === '-') {
    throw new EmbError('usage', '--vectors - and --among - both read stdin', '--among FILE');
  }
  const among = new Uint8Array(table.rows);
  let line = 0;
  for await (const text of context.linesOf(path)) {
    line++;
    if (text === '') continue;
    const numbered = /^#(\d+)$/.exec(text);
    const ids = numbered ? [Number(numbered[1])] : idsOfQuery(text, await tokenizer());
    if (ids.length !== 1) {
      throw new EmbError('range', `${path}: line ${line} is ${ids.length} tokens, expected one`);
    }
    if (ids[0] >= table.rows) {
      throw new EmbError(
        'range',
        `${path}: line ${line} is id ${ids[0]}, expected at most ${table.rows - 1}`,
      );
    }
    among[ids[0]] = 1;
  }
  return among;
}
