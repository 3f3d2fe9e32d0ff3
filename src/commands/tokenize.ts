import type { Command, Context } from '../command.ts';
import { shownId } from '../composed-id.ts';
import { EmbError } from '../errors.ts';
import { characterCount } from '../text/characters.ts';
import { formatCount } from '../text/numbers.ts';
import type { Block, Column, IdSink, Report, Tokenizer } from '../types.ts';
import { threadsOption } from './scan-options.ts';
import {
  encodedBy,
  encodeOptions,
  idCells,
  idColumns,
  textOf,
  tokenCells,
  tokenColumns,
  truncated,
  truncatedIds,
  withSpans,
} from './token-rows.ts';
import { compare, compareScripts } from './tokenize-compare.ts';
import { decode } from './tokenize-decode.ts';
import { explain } from './tokenize-explain.ts';
import { summarize } from './tokenize-summary.ts';

export const command: Command = {
  name: 'tokenize',
  summary: 'text to tokens: ids, pieces, bytes, spans',
  usage: '[text...]',
  description:
    'Cuts texts into the tokens of a model: one row per token with id, piece, bytes and span (UTF-16 offsets).\n' +
    'Without texts it reads stdin, one text per line.',
  options: [
    {
      long: 'model',
      short: 'm',
      type: 'text',
      value: 'ref',
      description: 'a model, a preset, a tokenizer file or a built-in encoding (default gpt2)',
    },
    {
      long: 'decode',
      type: 'flag',
      description:
        'ids to text: --ids, or lines of ids on stdin, or with --input jsonl what tokenize wrote (tokens, or lists "ids"); --no-special leaves special tokens out',
    },
    { long: 'count', type: 'flag', description: 'how many tokens each text has' },
    {
      long: 'summary',
      type: 'flag',
      description: 'all texts together: tokens per word, unknown rate, vocabulary coverage, scripts',
    },
    {
      long: 'compare',
      type: 'text',
      value: 'ref,ref',
      description: 'the same texts by several tokenizers, side by side',
    },
    {
      long: 'explain',
      type: 'flag',
      description:
        'how words became tokens, for every kind of tokenizer: the merges one by one with their ranks or scores (byte pair encoding); every piece that stands in a word, with score and best sum (Unigram) or as it was tried (WordPiece, RWKV); what is looked up where there are no steps (words, characters)',
    },
    {
      long: 'by-script',
      type: 'flag',
      description: 'with --compare: tokens, characters and bytes per token of each script of a text',
    },
    {
      long: 'spans',
      type: 'text',
      value: 'unit',
      choices: ['utf-16', 'bytes'],
      default: 'utf-16',
      description:
        'what start and end count: UTF-16 units or bytes of UTF-8, where a lone surrogate is the 3 of U+FFFD',
    },
    {
      long: 'stages',
      type: 'flag',
      description:
        'what made each token, in tables too: added token, model, byte fallback, unknown, template, padding',
    },
    { long: 'fit', type: 'flag', description: 'truncate and pad as the tokenizer.json says' },
    threadsOption(
      'threads for much text (default: one for each core, 8 at most); the answers and their order are the same',
    ),
  ],
  groups: ['tokenizer', 'input'],
  inputs: ['lines', 'jsonl[:field]', 'ids'],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md', 'ids', 'text'],
  defaultFormat: (options) => (options.decode || options.count ? 'text' : undefined),
  examples: [
    { line: 'emb tokenize "Hello world"', says: 'tokens of the gpt2 encoding' },
    {
      line: 'emb tokenize "naïve 😀" --spans bytes --stages',
      says: 'spans in bytes of UTF-8, and what made each token',
    },
    { line: 'emb tokenize "tokenization" --explain', says: 'which merges made its tokens, in their order' },
    { line: 'emb tokenize "Hello world" -m cl100k_base -f ids', says: 'ids only, one line per text' },
    { line: 'echo "15496 995" | emb tokenize --decode', says: 'ids back to text' },
    {
      line: 'emb tokenize "naïve café" --compare gpt2,cl100k_base,o200k_base',
      says: 'three tokenizers side by side',
    },
    {
      line: 'emb tokenize "Hello Привет 你好" --compare gpt2,o200k_base --by-script',
      says: 'which scripts cost which tokenizer how much',
    },
    {
      line: 'emb tokenize --summary --compare gpt2,o200k_base < corpus.txt',
      says: 'what two tokenizers make of a corpus, script by script',
    },
  ],
  perText: ({ summary, decode, ids, token }) =>
    !summary && !decode && ids === undefined && token === undefined,
  async run(context) {
    checkModes(context);
    const refs = (context.options.compare as string | undefined)?.split(',').map((ref) => ref.trim());
    if (context.options.summary) {
      const named = refs?.map((ref) => context.tokenizerOf(ref)) ?? [context.tokenizer(undefined)];
      return summarize(context, await Promise.all(named));
    }
    if (refs !== undefined) {
      const tokenizers = await Promise.all(refs.map((ref) => context.tokenizerOf(ref)));
      return (context.options.byScript ? compareScripts : compare)(context, refs, tokenizers);
    }
    const tokenizer = await context.tokenizer(undefined);
    if (context.options.decode) return decode(context, tokenizer);
    if (context.options.count) return count(context, tokenizer);
    if (context.options.explain) {
      if (context.format === 'ids') throw new EmbError('usage', '--explain has no ids to print with -f ids');
      return explain(context, tokenizer, caption(tokenizer));
    }
    if (context.inputKind() === 'ids') return describeIds(context, tokenizer);
    return tokenize(context, tokenizer);
  },
};

/** What is asked for at once would be answered in part only. */
function checkModes({ options, inputKind }: Context): void {
  const modes = ['decode', 'count', 'compare', 'summary', 'explain']
    .filter((mode) => options[mode] !== undefined)
    .map((mode) => `--${mode}`);
  const together = modes.length > 1 && modes.join(' ') !== '--compare --summary';
  if (together) throw new EmbError('usage', `${modes.join(' and ')} are given, expected one of them`);
  if (options.explain && (options.truncate !== undefined || options.fit)) {
    throw new EmbError(
      'usage',
      '--explain shows whole words, and --truncate or --fit is given',
      'leave out one of them',
    );
  }
  if (options.byScript && modes.join(' ') !== '--compare') {
    throw new EmbError(
      'usage',
      '--by-script is given without --compare alone, expected with it',
      'emb tokenize --summary tells scripts apart of itself',
    );
  }
  if (inputKind() === 'ids' && modes.length > 0 && modes[0] !== '--decode') {
    throw new EmbError(
      'usage',
      `${modes[0]} takes texts, and ids are given`,
      'emb tokenize --decode turns ids into text',
    );
  }
}

const newSink = (): IdSink => ({ ids: new Uint32Array(1024), length: 0 });

/** @throws EmbError "range" for a word without a row: its id would mean nothing to the next command */
function checkIds(ids: Uint32Array, tokenizer: Tokenizer): void {
  for (const id of ids) {
    if (shownId(id) !== null) continue;
    throw new EmbError(
      'range',
      `${tokenizer.name}: "${tokenizer.tokenOf(id)}" is not in the vocabulary and has no id: its vector is composed of its parts`,
      'emb embed takes the text itself',
    );
  }
}

/** The ids of a text, at most --truncate of them: valid until the sink is used again. */
function idsOf(text: string, row: number, tokenizer: Tokenizer, context: Context, sink: IdSink): Uint32Array {
  sink.length = 0;
  tokenizer.encodeIds(text, sink, encodeOptions(context.options));
  return truncatedIds(sink.ids.subarray(0, sink.length), row, context, tokenizer);
}

const caption = (tokenizer: Tokenizer) => [
  `tokenizer ${tokenizer.name} (${tokenizer.kind}), vocabulary ${formatCount(tokenizer.vocabSize)}`,
];

function tokenize(context: Context, tokenizer: Tokenizer): Report {
  const options = encodeOptions(context.options);
  const shown = context.options.stages ? 'all' : 'machine';
  const sink = newSink();
  async function* blocks(): AsyncGenerator<Block> {
    for await (const input of context.texts()) {
      const { row } = input;
      if (context.format === 'ids') {
        const ids = encodedBy(context, input, (text) => {
          const found = idsOf(text, row, tokenizer, context, sink);
          checkIds(found, tokenizer);
          return found;
        });
        if (ids !== undefined) yield { cells: [], ids, sequence: row, ends: true };
        continue;
      }
      const encoded = encodedBy(context, input, (text) => tokenizer.encode(text, options));
      if (encoded === undefined) continue;
      const tokens = truncated(encoded, row, context, tokenizer);
      const text = textOf(input);
      const cells = tokenCells(row, text, withSpans(text, tokens, context), context);
      tokens.forEach((token, index) => {
        cells[index]!.push(token.stage ?? null);
      });
      yield { cells, sequence: row, ends: true };
    }
  }
  return {
    columns:
      context.format === 'ids'
        ? [{ key: 'id', kind: 'id' }]
        : [...tokenColumns(context.args.length !== 1), { key: 'stage', kind: 'text', where: shown }],
    blocks: blocks(),
    caption: caption(tokenizer),
    layout: 'rows',
    plainKey: 'token',
  };
}

function describeIds(context: Context, tokenizer: Tokenizer): Report {
  async function* blocks(): AsyncGenerator<Block> {
    for await (const { row, ids } of context.idSequences(
      tokenizer.vocabSize,
      async () => tokenizer,
      'vocabulary',
    )) {
      yield { cells: idCells(row, ids, tokenizer), sequence: row, ends: true };
    }
  }
  return {
    columns: idColumns(true),
    blocks: blocks(),
    caption: caption(tokenizer),
    layout: 'rows',
    plainKey: 'token',
  };
}

function count(context: Context, tokenizer: Tokenizer): Report {
  const sink = newSink();
  async function* blocks(): AsyncGenerator<Block> {
    for await (const input of context.texts()) {
      const { row } = input;
      const ids = encodedBy(context, input, (text) => idsOf(text, row, tokenizer, context, sink));
      if (ids === undefined) continue;
      const { length } = ids;
      const text = textOf(input);
      const bytes = Buffer.byteLength(text, 'utf8');
      yield { cells: [[row, text, length, characterCount(text), bytes]], sequence: row, ends: true };
    }
  }
  const columns: Column[] = [
    { key: 'row', kind: 'count' },
    { key: 'text', kind: 'text' },
    { key: 'tokens', kind: 'count' },
    { key: 'characters', kind: 'count' },
    { key: 'bytes', kind: 'count' },
  ];
  return { columns, blocks: blocks(), layout: 'rows', plainKey: 'tokens' };
}
