import type { Context } from '../command.ts';
import type { Term } from '../core/expression.ts';
import { EmbError } from '../errors.ts';
import { didYouMean } from '../text/nearest.ts';
import { formatCount } from '../text/numbers.ts';
import type { EmbeddingTable, Tokenizer } from '../types.ts';
import { idsOfQuery } from './queries.ts';

/** The row that an argument names: `#5` is row 5, everything else a piece of the vocabulary. */
export function operandOf(argument: string): Term['operand'] {
  const numbered = /^#(\d+)$/.exec(argument);
  return numbered === null ? { word: argument } : { id: Number(numbered[1]) };
}

/**
 * The rows of tokens that are named: an exact piece first, else the piece with a leading space or without it, else what the
 * tokenizer makes a single token of. Which one was taken is said where it is not the name itself.
 *
 * @throws EmbError "missing" for a name that is no token, "range" for a row that the table does not have
 */
export async function rowsOfOperands(
  context: Context,
  table: EmbeddingTable,
  operands: readonly Term['operand'][],
  tokenizer: () => Promise<Tokenizer>,
): Promise<number[]> {
  const rows: number[] = [];
  for (const operand of operands) {
    const row = 'id' in operand ? operand.id : rowOfWord(context, operand.word, await tokenizer());
    const name = 'id' in operand ? `#${row}` : `${JSON.stringify(operand.word)} is id ${row}, which`;
    if (row >= table.rows && !('word' in operand && isComposed(await tokenizer(), row))) {
      throw new EmbError(
        'range',
        `${name} is no row of "${table.tensorName}", expected at most ${formatCount(table.rows - 1)}`,
      );
    }
    rows.push(row);
  }
  return rows;
}

/** Rows of words that are in no list stand beyond the table's and are made from parts. */
function isComposed(tokenizer: Tokenizer, row: number): boolean {
  return tokenizer.kind === 'words' && row >= tokenizer.vocabSize;
}

function rowOfWord(context: Context, word: string, tokenizer: Tokenizer): number {
  const exact = tokenizer.idOf(word);
  if (exact !== undefined) return exact;
  const other = word.startsWith(' ') ? word.slice(1) : ` ${word}`;
  const id = other === '' ? undefined : tokenizer.idOf(other);
  if (id !== undefined) {
    context.note(`no token is ${JSON.stringify(word)}: ${JSON.stringify(other)} is taken`);
    return id;
  }
  const single = singleToken(word, tokenizer);
  if (single !== undefined) {
    const piece = tokenizer.tokenOf(single);
    const taken =
      piece === undefined || piece === word ? 'it is composed' : `${JSON.stringify(piece)} is taken`;
    context.note(`no token is ${JSON.stringify(word)}: ${taken}`);
    return single;
  }
  const near = didYouMean(tokenizer.suggest(word, 3).map((name) => JSON.stringify(name)));
  const glued = /\S[-+*]\S/.test(word) ? 'put spaces around + and -' : undefined;
  throw new EmbError(
    'missing',
    `${tokenizer.name}: no token is ${JSON.stringify(word)}`,
    glued ?? near ?? 'emb vocab --grep finds tokens, #id names a row',
  );
}

/** What encodes to one token that is not the one for unknown words. */
function singleToken(word: string, tokenizer: Tokenizer): number | undefined {
  let ids: number[];
  try {
    ids = idsOfQuery(word, tokenizer);
  } catch (error) {
    // A list of words says here that the word is none of them; the caller says it with what is near.
    if (error instanceof EmbError && error.code === 'missing') return undefined;
    throw error;
  }
  return ids.length === 1 && ids[0] !== tokenizer.unknownId ? ids[0] : undefined;
}
