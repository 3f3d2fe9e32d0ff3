import { EmbError } from '../errors.ts';
import type { ExplainedWord, MergedWord, MergeStep, MergeSymbol } from '../types.ts';
import type { MergeTable } from './bpe-merges.ts';
import { createSpanSink, type SpanSink } from './id-sink.ts';

/** A word as byte pair encoding got it: its symbols before any merge. Without a table it was taken whole. */
export interface UnmergedWord {
  ids: number[];
  table: MergeTable | undefined;
  /** It was taken whole, as this id; its merges are told where they lead there. */
  whole?: number;
}

/** A word that is to be explained. */
export type TracedWord = UnmergedWord | ExplainedWord;

/** Most symbols of a word that is explained: what is printed grows with their square. */
const mostSymbols = 256;

/** The words that `encode` traces in the sink; those of ids merge here, word by word: a word's merges are the square of its length. @throws EmbError "range" for a word of more than 256 symbols */
export function* explainWords(encode: (into: SpanSink) => void): Generator<ExplainedWord> {
  const trace: TracedWord[] = [];
  encode({ ...createSpanSink(), trace });
  for (const word of trace) yield 'ids' in word ? explainMerges(word) : word;
}

/**
 * The merges of a word one by one: of all neighbors that merge those of the lowest rank, leftmost of equal ones.
 *
 * Step 0 is the word before the first merge, the last one what encoding gives.
 */
function explainMerges({ ids: first, table, whole }: UnmergedWord): MergedWord {
  checkSymbols(first.length);
  let ids = [...first];
  const steps: MergeStep[] = [stepWithoutMerge(ids)];
  while (table !== undefined) {
    let best = -1;
    let place = -1;
    for (let i = 0; i + 1 < ids.length; i++) {
      const rank = (table.packed ?? table).find(ids[i], ids[i + 1]);
      if (rank >= 0 && (best < 0 || rank < best)) {
        best = rank;
        place = i;
      }
    }
    if (place < 0) break;
    const merged = table.mergedId(best);
    const [left, right] = [ids[place], ids[place + 1]];
    ids = [...ids.slice(0, place), merged, ...ids.slice(place + 2)];
    steps.push({ rank: table.nameOfRank(best), score: null, left, right, merged, ids });
  }
  if (whole !== undefined && (ids.length !== 1 || ids[0] !== whole)) return takenAs([whole]);
  return { steps };
}

/** @throws EmbError "range" for more symbols of a word than are explained */
export function checkSymbols(count: number): void {
  if (count <= mostSymbols) return;
  throw new EmbError(
    'range',
    `a word is ${count} symbols, expected at most ${mostSymbols} to explain its merges`,
    'give a shorter text',
  );
}

/** A word that nothing merged. */
export function takenAs(ids: MergeSymbol[]): MergedWord {
  return { steps: [stepWithoutMerge(ids)] };
}

export function stepWithoutMerge(ids: MergeSymbol[]): MergeStep {
  return { rank: null, score: null, left: null, right: null, merged: null, ids };
}
