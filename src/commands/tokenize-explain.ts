import type { Context } from '../command.ts';
import { shownId } from '../composed-id.ts';
import type {
  Block,
  Cell,
  Column,
  ExplainedWord,
  Explanation,
  MergedWord,
  MergeSymbol,
  Report,
  Tokenizer,
  WeighedWord,
} from '../types.ts';
import { joinPieces, shownPiece } from './shown-pieces.ts';
import { encodeOptions, textOf } from './token-rows.ts';

/** How a model made the tokens of each word: merge by merge, or of which pieces. */
export function explain(context: Context, tokenizer: Tokenizer, caption: string[]): Report {
  const options = encodeOptions(context.options);
  const { explains } = tokenizer;
  const row: Column = { key: 'row', kind: 'count', where: context.args.length === 1 ? 'machine' : 'all' };
  const cellsOf = (word: ExplainedWord): Cell[][] =>
    'steps' in word ? mergeCells(word, tokenizer) : pieceCells(word, tokenizer);
  async function* blocks(): AsyncGenerator<Block> {
    for await (const input of context.texts()) {
      let index = 0;
      for (const word of tokenizer.explain(textOf(input), options)) {
        const cells = cellsOf(word).map((rest) => [input.row, index, ...rest]);
        yield { cells, sequence: input.row, ends: false };
        index++;
      }
      yield { cells: [], sequence: input.row, ends: true };
    }
  }
  const isMerges = explains === 'merges' || explains === 'scored merges';
  const columns = [
    row,
    { key: 'word', kind: 'count' } as const,
    ...(isMerges ? mergeColumns(explains) : pieceColumns),
  ];
  return {
    columns,
    blocks: blocks(),
    caption: [...caption, ...(sayings[explains] ?? [])],
    layout: 'rows',
    plainKey: isMerges ? 'pieces' : 'piece',
  };
}

/** What there is to know of models without steps. */
const sayings: Partial<Record<Explanation, string[]>> = {
  words: ['each word is looked up as a whole: there are no steps'],
  characters: ['each character is looked up on its own: there are no steps'],
};

/** A column of a piece by its name, and as tables show it. */
const pieceColumn = (key: string): Column[] => [
  { key, kind: 'text', where: 'machine' },
  { key, kind: 'text', where: 'table' },
];

/** Tables show what merges go by. */
const mergeColumns = (explains: Explanation): readonly Column[] => [
  { key: 'step', kind: 'count' },
  { key: 'rank', kind: 'count', where: explains === 'merges' ? 'all' : 'machine' },
  { key: 'score', kind: 'number', where: explains === 'merges' ? 'machine' : 'all' },
  ...pieceColumn('left'),
  ...pieceColumn('right'),
  ...pieceColumn('merged'),
  ...pieceColumn('pieces'),
  { key: 'ids', kind: 'text', where: 'machine' },
];

/** Cells of pieceColumn; what is no token is its text. */
function cellsOfPiece(symbol: MergeSymbol | null, tokenizer: Tokenizer): Cell[] {
  return symbol === null ? [null, null] : [nameOf(symbol, tokenizer), shownSymbol(symbol, tokenizer)];
}

function nameOf(symbol: MergeSymbol, tokenizer: Tokenizer): string | null {
  return typeof symbol === 'string' ? symbol : (tokenizer.tokenOf(symbol) ?? null);
}

function shownSymbol(symbol: MergeSymbol, tokenizer: Tokenizer): Uint8Array {
  return typeof symbol === 'string' ? Buffer.from(symbol) : shownPiece(tokenizer, symbol);
}

/** A row per merge, after one of the word before the first. */
function mergeCells({ steps }: MergedWord, tokenizer: Tokenizer): Cell[][] {
  return steps.map(({ rank, score, left, right, merged, ids }, step): Cell[] => [
    step,
    rank,
    score,
    ...cellsOfPiece(left, tokenizer),
    ...cellsOfPiece(right, tokenizer),
    ...cellsOfPiece(merged, tokenizer),
    ids.map((symbol) => nameOf(symbol, tokenizer) ?? ''),
    joinPieces(ids.map((symbol) => shownSymbol(symbol, tokenizer))),
    ids.map((symbol) => (typeof symbol === 'string' ? null : symbol)),
  ]);
}

const pieceColumns: readonly Column[] = [
  { key: 'text', kind: 'text' },
  { key: 'start', kind: 'count' },
  { key: 'end', kind: 'count' },
  { key: 'id', kind: 'id' },
  ...pieceColumn('piece'),
  { key: 'score', kind: 'number' },
  { key: 'total', kind: 'number' },
  { key: 'chosen', kind: 'flag' },
];

/** A row per piece that stands in the word, the tokens among them chosen. */
function pieceCells({ word, pieces }: WeighedWord, tokenizer: Tokenizer): Cell[][] {
  return pieces.map(({ start, end, id, score, total, chosen }): Cell[] => [
    word,
    start,
    end,
    shownId(id),
    ...cellsOfPiece(id, tokenizer),
    score,
    total,
    chosen,
  ]);
}
