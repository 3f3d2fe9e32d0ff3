import type { Context } from '../command.ts';
import { characterCount } from '../text/characters.ts';
import type { Block, Cell, Column, Report, Tokenizer } from '../types.ts';
import { ScriptCounts, scriptColumns, share } from './script-counts.ts';
import { joinPieces, textOfBytes } from './shown-pieces.ts';
import { encodedBy, encodeOptions, textOf, truncated } from './token-rows.ts';

/** What each of several tokenizers makes of each text: a row per text and tokenizer. */
export function compare(context: Context, refs: readonly string[], tokenizers: readonly Tokenizer[]): Report {
  const options = encodeOptions(context.options);
  async function* blocks(): AsyncGenerator<Block> {
    for await (const input of context.texts()) {
      const { row } = input;
      const encoded = encodedBy(context, input, (each) => tokenizers.map((one) => one.encode(each, options)));
      if (encoded === undefined) continue;
      const text = textOf(input);
      const characters = characterCount(text);
      const bytes = Buffer.byteLength(text, 'utf8');
      const cells = encoded.map((all, index): Cell[] => {
        const tokens = truncated(all, row, context, tokenizers[index]!);
        const ids = tokens.map((token) => token.id);
        const pieces = tokens.map((token) => token.bytes);
        return [
          row,
          text,
          refs[index]!,
          tokens.length,
          share(characters, tokens.length),
          share(bytes, tokens.length),
          pieces.map(textOfBytes),
          joinPieces(pieces),
          ids,
        ];
      });
      yield { cells, sequence: row, ends: true };
    }
  }
  const columns: Column[] = [
    { key: 'row', kind: 'count', where: context.args.length === 1 ? 'machine' : 'all' },
    { key: 'text', kind: 'text', where: 'machine' },
    { key: 'tokenizer', kind: 'text' },
    { key: 'tokens', kind: 'count' },
    { key: 'characters_per_token', title: 'chars/token', kind: 'number' },
    { key: 'bytes_per_token', title: 'bytes/token', kind: 'number' },
    { key: 'segmentation', kind: 'text', where: 'machine' },
    { key: 'segmentation', kind: 'text', where: 'table' },
    { key: 'ids', kind: 'text', where: 'machine' },
  ];
  return { columns, blocks: blocks(), layout: 'rows', plainKey: 'segmentation' };
}

/** The same script by script: a row per text, tokenizer and script. */
export function compareScripts(
  context: Context,
  refs: readonly string[],
  tokenizers: readonly Tokenizer[],
): Report {
  const options = encodeOptions(context.options);
  async function* blocks(): AsyncGenerator<Block> {
    for await (const input of context.texts()) {
      const { row } = input;
      const encoded = encodedBy(context, input, (each) => tokenizers.map((one) => one.encode(each, options)));
      if (encoded === undefined) continue;
      const text = textOf(input);
      const cells = encoded.flatMap((all, index) => {
        const scripts = new ScriptCounts();
        const tokens = truncated(all, row, context, tokenizers[index]!);
        scripts.addText(text);
        for (const token of tokens) scripts.addToken(text, token);
        return scripts.rows().map((counts): Cell[] => [row, text, refs[index]!, ...counts]);
      });
      yield { cells, sequence: row, ends: true };
    }
  }
  const columns: Column[] = [
    { key: 'row', kind: 'count', where: context.args.length === 1 ? 'machine' : 'all' },
    { key: 'text', kind: 'text', where: 'machine' },
    { key: 'tokenizer', kind: 'text' },
    ...scriptColumns,
  ];
  return { columns, blocks: blocks(), layout: 'rows', plainKey: 'tokens' };
}
