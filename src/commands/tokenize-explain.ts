import type { Context } from '../command.ts';
import { EmbError } from '../errors.ts';
import type { Block, Cell, Column, Report, Tokenizer } from '../types.ts';
import { encodeOptions, textOf } from './token-rows.ts';

/** How byte pair encoding made the tokens of each word: a row per merge, after one of the word before the first. */
export function explain(context: Context, tokenizer: Tokenizer, caption: string[]): Report {
  const options = encodeOptions(context.options);
  const nameOf = (id: number | null): string | null => (id === null ? null : (tokenizer.tokenOf(id) ?? null));
  async function* blocks(): AsyncGenerator<Block> {
    if (tokenizer.explain === undefined) {
      throw new EmbError(
        'unsupported',
        `${tokenizer.name} is of the kind ${tokenizer.kind}, expected byte pair encoding of a tokenizer.json or tiktoken`,
      );
    }
    for await (const input of context.texts()) {
      const { row } = input;
      let word = 0;
      for (const { steps } of tokenizer.explain(textOf(input), options)) {
        const cells = steps.map(({ rank, left, right, merged, ids }, step): Cell[] => [
          row,
          word,
          step,
          rank,
          nameOf(left),
          nameOf(right),
          nameOf(merged),
          ids.map(nameOf).join('|'),
          ids,
        ]);
        yield { cells, sequence: row, ends: false };
        word++;
      }
      yield { cells: [], sequence: row, ends: true };
    }
  }
  const columns: Column[] = [
    { key: 'row', kind: 'count', where: context.args.length === 1 ? 'machine' : 'all' },
    { key: 'word', kind: 'count' },
    { key: 'step', kind: 'count' },
    { key: 'rank', kind: 'count' },
    { key: 'left', kind: 'text' },
    { key: 'right', kind: 'text' },
    { key: 'merged', kind: 'text' },
    { key: 'pieces', kind: 'text' },
    { key: 'ids', kind: 'text', where: 'machine' },
  ];
  return { columns, blocks: blocks(), caption, layout: 'rows', plainKey: 'pieces' };
}
