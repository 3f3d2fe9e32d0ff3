import type { Context, OptionValues, TextInput } from '../command.ts';
import { shownId } from '../composed-id.ts';
import { EmbError } from '../errors.ts';
import { byteOffsets } from '../text/byte-offsets.ts';
import { formatCount } from '../text/numbers.ts';
import type { Cell, Column, EncodeOptions, Token, Tokenizer } from '../types.ts';

/** A text longer than this is not repeated on each of its rows: the output would grow with its square. */
const longestRepeatedText = 10_000;

/** Formats that print the text on its rows. */
const textFormats = ['json', 'jsonl', 'csv', 'tsv'];

/** Columns of one row per token; machine formats carry them all, tables those that help a reader. */
export function tokenColumns(manyTexts: boolean): Column[] {
  return [
    { key: 'row', kind: 'count', where: manyTexts ? 'all' : 'machine' },
    { key: 'text', kind: 'text', where: 'machine' },
    { key: 'index', kind: 'count', where: 'machine' },
    { key: 'id', kind: 'id' },
    { key: 'token', kind: 'text', where: 'machine' },
    { key: 'token', kind: 'token', where: 'table' },
    { key: 'bytes', kind: 'bytes' },
    { key: 'start', kind: 'count' },
    { key: 'end', kind: 'count' },
    { key: 'special', kind: 'flag', where: 'machine' },
  ];
}

/** Cells of tokenColumns for tokens of one text; `offset` is the index of the first of them. */
export function tokenCells(
  row: number,
  text: string,
  tokens: readonly Token[],
  context: Context,
  offset = 0,
): Cell[][] {
  const repeated = text.length <= longestRepeatedText ? text : null;
  if (repeated === null && tokens.length > 0 && textFormats.includes(context.format)) {
    context.note(
      `texts longer than ${formatCount(longestRepeatedText)} characters are not repeated on each row: "text" is null there`,
    );
  }
  return tokens.map((token, index) => [
    row,
    repeated,
    offset + index,
    shownId(token.id),
    token.text,
    token.bytes,
    token.bytes,
    token.start,
    token.end,
    token.special,
  ]);
}

/** The same tokens with spans in bytes of the text's UTF-8, where --spans asks for them. */
export function withSpans(text: string, tokens: Token[], { options }: Context): Token[] {
  const offsets = options.spans === 'bytes' ? byteOffsets(text) : undefined;
  if (offsets === undefined) return tokens;
  return tokens.map((token) => ({ ...token, start: offsets[token.start], end: offsets[token.end] }));
}

/** Columns of one row per id, for ids that came without a text; token and bytes are null where no tokenizer names them. */
export function idColumns(manyTexts: boolean): Column[] {
  return tokenColumns(manyTexts).filter((column) => !['text', 'start', 'end'].includes(column.key));
}

/** Cells of idColumns; `offset` is the index of the first id in its sequence. */
export function idCells(
  row: number,
  ids: Uint32Array,
  tokenizer: Tokenizer | undefined,
  offset = 0,
): Cell[][] {
  return Array.from(ids, (id, index) => {
    const bytes = tokenizer?.bytesOf(id) ?? null;
    return [
      row,
      offset + index,
      shownId(id),
      tokenizer?.tokenOf(id) ?? null,
      bytes,
      bytes,
      tokenizer === undefined ? null : tokenizer.isSpecial(id),
    ];
  });
}

/** Cells of tokenColumns for tokens that came with their text, and without their spans. */
export function knownCells(
  row: number,
  text: string | null,
  ids: Uint32Array,
  tokenizer: Tokenizer | undefined,
  offset: number,
): Cell[][] {
  return idCells(row, ids, tokenizer, offset).map(([, index, id, token, bytes, shown, special]) => [
    row,
    text !== null && text.length <= longestRepeatedText ? text : null,
    index,
    id,
    token,
    bytes,
    shown,
    null,
    null,
    special,
  ]);
}

/** The text of an input that must have one. @throws EmbError "missing" for tokens that came without it */
export function textOf({ row, text }: TextInput): string {
  if (text !== null) return text;
  throw new EmbError(
    'missing',
    `text ${row} comes as tokens only, and its text is asked for`,
    'emb embed --input jsonl takes tokens; emb tokenize --decode --ids turns ids into text',
  );
}

/** What is made of a text of the input; undefined for a line of which nothing can be made: it is passed over. @throws EmbError for arguments */
export function encodedBy<T>(context: Context, input: TextInput, make: (text: string) => T): T | undefined {
  try {
    return make(textOf(input));
  } catch (error) {
    // No line is to blame for what was asked for.
    if (!(error instanceof EmbError) || error.code === 'usage' || input.line === undefined) throw error;
    context.passOver(input.line, `cannot be tokenized: ${error.message}`);
    return undefined;
  }
}

/** How --no-special and --allow-special ask to encode. */
export function encodeOptions(options: OptionValues): EncodeOptions {
  return {
    template: options.noSpecial !== true,
    allowSpecial: options.allowSpecial === true ? true : undefined,
    fit: options.fit === true,
  };
}

/** At most --truncate of the ids that were given, from the first on, with a note when any were cut. */
export function truncatedGiven(ids: Uint32Array, row: number, context: Context): Uint32Array {
  const limit = limitOf(ids.length, context);
  if (limit === undefined) return ids;
  noteCut(ids.length, limit, row, context);
  return ids.subarray(0, limit);
}

/** At most --truncate of a text's tokens, those of the template among them, with a note when any were cut. @throws EmbError "usage" for fewer than the template adds */
export function truncated(tokens: Token[], row: number, context: Context, tokenizer: Tokenizer): Token[] {
  const limit = limitOf(tokens.length, context);
  if (limit === undefined) return tokens;
  const end = templateEnd(limit, context, tokenizer);
  noteCut(tokens.length, limit, row, context);
  return tokens.slice(0, limit - end).concat(tokens.slice(tokens.length - end));
}

/** The same of ids, which are moved where they are. */
export function truncatedIds(
  ids: Uint32Array,
  row: number,
  context: Context,
  tokenizer: Tokenizer,
): Uint32Array {
  const limit = limitOf(ids.length, context);
  if (limit === undefined) return ids;
  const end = templateEnd(limit, context, tokenizer);
  noteCut(ids.length, limit, row, context);
  ids.copyWithin(limit - end, ids.length - end);
  return ids.subarray(0, limit);
}

function limitOf(count: number, { options }: Context): number | undefined {
  const limit = options.truncate as number | undefined;
  return limit === undefined || count <= limit ? undefined : limit;
}

function noteCut(count: number, limit: number, row: number, context: Context): void {
  context.note(`text ${row} has ${formatCount(count)} tokens, cut to ${formatCount(limit)}`);
}

/** How many tokens at the end of a text are the template's and stay: padding by --fit comes after them, and is cut first. */
function templateEnd(limit: number, { options }: Context, tokenizer: Tokenizer): number {
  const template = options.noSpecial || options.fit ? undefined : tokenizer.template;
  if (template === undefined) return 0;
  const { before, after } = template;
  if (limit >= before + after) return after;
  throw new EmbError(
    'usage',
    `--truncate is ${limit}, expected at least ${before + after}: ${tokenizer.name} puts so many tokens around each text`,
    '--no-special leaves them out',
  );
}
