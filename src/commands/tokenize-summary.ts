import type { Context } from '../command.ts';
import { characterCount } from '../text/characters.ts';
import type { Block, Cell, Column, Report, SubTable, Token, Tokenizer } from '../types.ts';
import { ScriptCounts, scriptColumns, share } from './script-counts.ts';
import { encodedBy, encodeOptions, textOf, truncated } from './token-rows.ts';

/** What a tokenizer makes of a corpus, counted text by text. Memory: a bit per id and a few numbers per script. */
class Summary {
  readonly #seen: Uint8Array;
  readonly #scripts = new ScriptCounts();
  texts = 0;
  tokens = 0;
  special = 0;
  unknown = 0;
  distinct = 0;
  words = 0;
  wordTokens = 0;
  characters = 0;
  bytes = 0;
  longestText: { row: number; tokens: number } | undefined;
  longestWord: { text: string; tokens: number } | undefined;

  constructor({ vocabSize }: Tokenizer) {
    this.#seen = new Uint8Array(vocabSize);
  }

  add(row: number, text: string, tokens: readonly Token[]): void {
    this.texts++;
    this.tokens += tokens.length;
    this.characters += characterCount(text);
    this.bytes += Buffer.byteLength(text, 'utf8');
    if (tokens.length > (this.longestText?.tokens ?? -1)) this.longestText = { row, tokens: tokens.length };
    for (const token of tokens) {
      if (this.#seen[token.id] === 0) {
        this.#seen[token.id] = 1;
        this.distinct++;
      }
      // Where the text spells the unknown token's name it is no unknown text.
      if (token.stage === 'unknown') this.unknown++;
      // What the template adds stands for no part of the text.
      if (!this.#scripts.addToken(text, token)) this.special++;
    }
    this.#addWords(text, tokens);
    this.#scripts.addText(text);
  }

  /** Scripts by characters, most first. */
  scripts(): SubTable {
    return { columns: scriptColumns, rows: this.#scripts.rows() };
  }

  /** A word is what stands between white space; the tokens that begin in it are its tokens. */
  #addWords(text: string, tokens: readonly Token[]): void {
    let at = 0;
    for (const match of text.matchAll(/\S+/gu)) {
      const end = match.index + match[0].length;
      let count = 0;
      while (at < tokens.length && tokens[at].start < end) {
        if (tokens[at].end > match.index) count++;
        at++;
      }
      this.words++;
      this.wordTokens += count;
      if (count > (this.longestWord?.tokens ?? 0)) this.longestWord = { text: match[0], tokens: count };
    }
  }
}

const fields: { column: Column; cell(summary: Summary, tokenizer: Tokenizer): Cell }[] = [
  { column: { key: 'tokenizer', kind: 'text' }, cell: (_, tokenizer) => tokenizer.name },
  { column: { key: 'vocabulary', kind: 'count' }, cell: (_, tokenizer) => tokenizer.vocabSize },
  { column: { key: 'texts', kind: 'count' }, cell: ({ texts }) => texts },
  { column: { key: 'characters', kind: 'count' }, cell: ({ characters }) => characters },
  { column: { key: 'bytes', kind: 'count' }, cell: ({ bytes }) => bytes },
  { column: { key: 'words', kind: 'count' }, cell: ({ words }) => words },
  { column: { key: 'tokens', kind: 'count' }, cell: ({ tokens }) => tokens },
  { column: { key: 'template_tokens', kind: 'count' }, cell: ({ special }) => special },
  { column: { key: 'distinct_tokens', kind: 'count' }, cell: ({ distinct }) => distinct },
  {
    column: { key: 'vocabulary_coverage', kind: 'share' },
    cell: ({ distinct }, { vocabSize }) => share(distinct, vocabSize),
  },
  { column: { key: 'unknown_tokens', kind: 'count' }, cell: ({ unknown }) => unknown },
  {
    column: { key: 'unknown_rate', kind: 'share' },
    cell: ({ unknown, tokens, special }) => share(unknown, tokens - special),
  },
  {
    column: { key: 'tokens_per_word', kind: 'number' },
    cell: ({ wordTokens, words }) => share(wordTokens, words),
  },
  {
    column: { key: 'characters_per_token', kind: 'number' },
    cell: ({ characters, tokens, special }) => share(characters, tokens - special),
  },
  {
    column: { key: 'bytes_per_token', kind: 'number' },
    cell: ({ bytes, tokens, special }) => share(bytes, tokens - special),
  },
  { column: { key: 'longest_text', kind: 'count' }, cell: ({ longestText }) => longestText?.row ?? null },
  {
    column: { key: 'longest_text_tokens', kind: 'count' },
    cell: ({ longestText }) => longestText?.tokens ?? null,
  },
  { column: { key: 'longest_word', kind: 'text' }, cell: ({ longestWord }) => longestWord?.text ?? null },
  {
    column: { key: 'longest_word_tokens', kind: 'count' },
    cell: ({ longestWord }) => longestWord?.tokens ?? null,
  },
  { column: { key: 'scripts', kind: 'table' }, cell: (summary) => summary.scripts() },
];

/** One record per tokenizer: what it makes of all the texts together. */
export function summarize(context: Context, tokenizers: readonly Tokenizer[]): Report {
  const options = encodeOptions(context.options);
  async function* blocks(): AsyncGenerator<Block> {
    const summaries = tokenizers.map((tokenizer) => new Summary(tokenizer));
    for await (const input of context.texts()) {
      const encoded = encodedBy(context, input, (each) => tokenizers.map((one) => one.encode(each, options)));
      if (encoded === undefined) continue;
      const text = textOf(input);
      for (const [index, all] of encoded.entries()) {
        const tokens = truncated(all, input.row, context, tokenizers[index]);
        summaries[index].add(input.row, text, tokens);
      }
    }
    const cells = summaries.map((summary, index) =>
      fields.map((field) => field.cell(summary, tokenizers[index])),
    );
    yield { cells, sequence: 0, ends: true };
  }
  return {
    columns: fields.map((field) => field.column),
    blocks: blocks(),
    layout: 'records',
    single: tokenizers.length === 1,
  };
}
