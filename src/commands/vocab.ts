import type { Command, Context } from '../command.ts';
import {
  beginsWord,
  classMeanings,
  classOfToken,
  type TokenClass,
  tokenClasses,
} from '../core/token-class.ts';
import { EmbError } from '../errors.ts';
import { formatCount } from '../text/numbers.ts';
import type { Block, Cell, Column, Tokenizer } from '../types.ts';
import { namedRef } from './named-ref.ts';

/** Entries of one block. */
const blockEntries = 512;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

const columns: Column[] = [
  { key: 'id', kind: 'id' },
  { key: 'token', kind: 'text', where: 'machine' },
  { key: 'token', kind: 'token', where: 'table' },
  { key: 'bytes', kind: 'bytes' },
  { key: 'class', kind: 'text' },
];

export const command: Command = {
  name: 'vocab',
  summary: 'entries of a vocabulary: id, piece, bytes, class',
  usage: '[ref]',
  description:
    'Every entry of a vocabulary: its id, its piece as the vocabulary writes it, the bytes it stands for, and its class:\n' +
    tokenClasses.map((name) => `  ${name.padEnd(8)} ${classMeanings[name]}`).join('\n'),
  options: [
    {
      long: 'model',
      short: 'm',
      type: 'text',
      value: 'ref',
      description:
        'a model, a tokenizer file or a built-in encoding, where it is no argument (default: EMB_MODEL)',
    },
    {
      long: 'grep',
      type: 'text',
      value: 're',
      description: 'entries whose text or piece this regular expression finds',
    },
    { long: 'ignore-case', short: 'i', type: 'flag', description: '--grep finds capitals and small letters' },
    {
      long: 'class',
      type: 'text',
      value: 'class',
      repeat: true,
      choices: tokenClasses,
      description: 'entries of this class',
    },
    {
      long: 'ids',
      alias: 'id',
      type: 'text',
      value: 'ids',
      repeat: true,
      description: 'these entries: 1,23 or 0-99',
    },
    {
      long: 'token',
      type: 'text',
      value: 'piece',
      repeat: true,
      description: "the entry of this name: '[CLS]', ' world'",
    },
    { long: 'count', type: 'flag', description: 'how many entries each class has' },
  ],
  groups: [],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md', 'ids'],
  examples: [
    { line: "emb vocab gpt2 --grep '^ [Hh]ello'", says: 'entries that begin with a greeting' },
    { line: 'emb vocab cl100k_base --count', says: 'how many entries of each class there are' },
    { line: 'emb vocab model-folder --class partial -f csv', says: 'tokens of half a character' },
  ],
  async run(context) {
    const tokenizer = await context.tokenizerOf(namedRef(context, words));
    const caption = [
      `vocabulary of ${tokenizer.name} (${tokenizer.kind}), ${formatCount(tokenizer.vocabSize)} ids`,
    ];
    if (context.options.count) return { ...countClasses(context, tokenizer), caption };
    return {
      columns: context.format === 'ids' ? [{ key: 'id', kind: 'id' }] : columns,
      blocks: blocksOf(context, tokenizer),
      caption,
      layout: 'rows',
    };
  },
};

const words = {
  command: 'vocab',
  thing: 'vocabulary',
  hint: 'emb vocab REF: a built-in encoding such as gpt2, a tokenizer file or a model',
};

interface Entry {
  id: number;
  token: string;
  bytes: Uint8Array;
  kind: TokenClass;
}

/** The entries that the options ask for, ascending; ids without an entry are passed over. */
async function* entriesOf(context: Context, tokenizer: Tokenizer): AsyncGenerator<Entry> {
  const { options } = context;
  const classes = options.class as readonly string[] | undefined;
  const pattern = patternOf(options.grep as string | undefined, options.ignoreCase === true);
  for await (const id of idsOf(context, tokenizer)) {
    const token = tokenizer.tokenOf(id);
    const bytes = tokenizer.bytesOf(id);
    if (token === undefined || bytes === undefined) continue;
    if (pattern !== undefined && !pattern.test(decoder.decode(bytes)) && !pattern.test(token)) continue;
    const kind = classOfToken(bytes, tokenizer.isSpecial(id), beginsWord(tokenizer.kind, token));
    if (classes === undefined || classes.includes(kind)) yield { id, token, bytes, kind };
  }
}

async function* idsOf({ options, idSequences }: Context, tokenizer: Tokenizer): AsyncGenerator<number> {
  if (options.ids === undefined && options.token === undefined) {
    for (let id = 0; id < tokenizer.vocabSize; id++) yield id;
    return;
  }
  for await (const { ids } of idSequences(tokenizer.vocabSize, async () => tokenizer, 'vocabulary'))
    yield* ids;
}

function patternOf(source: string | undefined, ignoreCase: boolean): RegExp | undefined {
  if (source === undefined) return undefined;
  try {
    return new RegExp(source, ignoreCase ? 'iu' : 'u');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new EmbError(
      'usage',
      `--grep ${JSON.stringify(source)} is no regular expression`,
      'JavaScript syntax, with \\p{L}; a backslash before . ( [ + takes them as they are',
    );
  }
}

async function* blocksOf(context: Context, tokenizer: Tokenizer): AsyncGenerator<Block> {
  let cells: Cell[][] = [];
  for await (const { id, token, bytes, kind } of entriesOf(context, tokenizer)) {
    cells.push(context.format === 'ids' ? [id] : [id, token, bytes, bytes, kind]);
    if (cells.length < blockEntries) continue;
    yield { cells, sequence: 0, ends: false };
    cells = [];
  }
  yield { cells, sequence: 0, ends: true };
}

function countClasses(
  context: Context,
  tokenizer: Tokenizer,
): { columns: Column[]; blocks: AsyncIterable<Block>; layout: 'rows' } {
  if (context.format === 'ids') throw new EmbError('usage', '--count has no ids to print with -f ids');
  async function* blocks(): AsyncGenerator<Block> {
    const counts = new Map<TokenClass, number>();
    let total = 0;
    for await (const { kind } of entriesOf(context, tokenizer)) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      total++;
    }
    const cells = tokenClasses
      .filter((kind) => counts.has(kind))
      .map((kind): Cell[] => [kind, counts.get(kind) ?? 0, (counts.get(kind) ?? 0) / total]);
    yield { cells, sequence: 0, ends: true };
  }
  return {
    columns: [
      { key: 'class', kind: 'text' },
      { key: 'count', kind: 'count' },
      { key: 'share', kind: 'share' },
    ],
    blocks: blocks(),
    layout: 'rows',
  };
}
