import type { Context } from '../command.ts';
import { EmbError } from '../errors.ts';
import type {
  Block,
  Cell,
  Column,
  ExplainedWord,
  MergedWord,
  Report,
  Tokenizer,
  WeighedWord,
} from '../types.ts';
import { joinPieces, shownPiece } from './shown-pieces.ts';
import { encodeOptions, textOf } from './token-rows.ts';

/** How a model made the tokens of each word: merge by merge, or of which pieces. */
export function explain(context: Context, tokenizer: Tokenizer, caption: string[]): Report {
  const options = encodeOptions(context.options);
  const { explains, name, kind } = tokenizer;
  if (explains === undefined) {
    throw new EmbError(
      'unsupported',
      `${name} is of the kind ${kind}, expected a tokenizer.json, a vocabulary that is read as one, tiktoken, or SentencePiece's Unigram to explain`,
      '-m takes the tokenizer.json of the model, where it has one; --stages says what made each token of any kind',
    );
  }
  const row: Column = { key: 'row', kind: 'count', where: context.args.length === 1 ? 'machine' : 'all' };
  const cellsOf = (word: ExplainedWord): Cell[][] =>
    'steps' in word ? mergeCells(word, tokenizer) : pieceCells(word, tokenizer);
  async function* blocks(): AsyncGenerator<Block> {
    for await (const input of context.texts()) {
      let index = 0;
      for (const word of tokenizer.explain?.(textOf(input), options) ?? []) {
        const cells = cellsOf(word).map((rest) => [input.row, index, ...rest]);
        yield { cells, sequence: input.row, ends: false };
        index++;
      }
      yield { cells: [], sequence: input.row, ends: true };
    }
  }
  const isMerges = explains === 'merges';
  const columns = [row, { key: 'word', kind: 'count' } as const, ...(isMerges ? mergeColumns : pieceColumns)];
  return { columns, blocks: blocks(), caption, layout: 'rows', plainKey: isMerges ? 'pieces' : 'piece' };
}

/** A column of a piece by its name, and as tables show it. */
const pieceColumn = (key: string): Column[] => [
  { key, kind: 'text', where: 'machine' },
  { key, kind: 'text', where: 'table' },
];

const mergeColumns: readonly Column[] = [
  { key: 'step', kind: 'count' },
  { key: 'rank', kind: 'count' },
  ...pieceColumn('left'),
  ...pieceColumn('right'),
  ...pieceColumn('merged'),
  ...pieceColumn('pieces'),
  { key: 'ids', kind: 'text', where: 'machine' },
];

/** Cells of pieceColumn. */
function cellsOfPiece(id: number | null, tokenizer: Tokenizer): Cell[] {
  return id === null ? [null, null] : [tokenizer.tokenOf(id) ?? null, shownPiece(tokenizer, id)];
}

/** A row per merge, after one of the word before the first. */
function mergeCells({ steps }: MergedWord, tokenizer: Tokenizer): Cell[][] {
  return steps.map(({ rank, left, right, merged, ids }, step): Cell[] => [
    step,
    rank,
    ...cellsOfPiece(left, tokenizer),
    ...cellsOfPiece(right, tokenizer),
    ...cellsOfPiece(merged, tokenizer),
    ids.map((id) => tokenizer.tokenOf(id) ?? ''),
    joinPieces(ids.map((id) => shownPiece(tokenizer, id))),
    ids,
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
    id,
    ...cellsOfPiece(id, tokenizer),
    score,
    total,
    chosen,
  ]);
}
