import type { Context } from '../command.ts';
import { EmbError } from '../errors.ts';
import type { Block, Column, Report, Tokenizer } from '../types.ts';
import { truncatedGiven } from './token-rows.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The text of every sequence of ids: a row per sequence. */
export function decode(context: Context, tokenizer: Tokenizer): Report {
  if (context.args.length > 0 && context.inputKind() !== 'ids') {
    throw new EmbError(
      'usage',
      '--decode turns ids into text, and the arguments are texts',
      'emb tokenize --decode --ids 15496,995',
    );
  }
  async function* blocks(): AsyncGenerator<Block> {
    for await (const { row, ids: all } of context.idSequences(
      tokenizer.vocabSize,
      async () => tokenizer,
      'vocabulary',
    )) {
      const wanted = context.options.noSpecial ? all.filter((id) => !tokenizer.isSpecial(id)) : all;
      const ids = truncatedGiven(wanted, row, context);
      const bytes = tokenizer.decodeBytes(ids);
      yield { cells: [[row, ids.length, decoder.decode(bytes), bytes]], sequence: row, ends: true };
    }
  }
  const columns: Column[] = [
    { key: 'row', kind: 'count' },
    { key: 'tokens', kind: 'count' },
    { key: 'text', kind: 'text' },
    { key: 'bytes', kind: 'bytes', where: 'machine' },
  ];
  return { columns, blocks: blocks(), layout: 'rows', plainKey: 'text' };
}
