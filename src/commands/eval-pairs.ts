import { unitRow } from '../core/analogy.ts';
import { pearson, spearman } from '../core/correlation.ts';
import type { EmbeddingTable } from '../types.ts';
import type { PairSet } from './eval-sets.ts';
import type { RowWords } from './eval-vocabulary.ts';

/** What a set of word pairs comes to. */
export interface PairScore {
  /** Pairs that were correlated. */
  pairs: number;
  oov: number;
  /** Of all pairs that were read. */
  oovShare: number;
  /** r and p of Pearson, then of Spearman. */
  correlations: (number | null)[];
}

/** Rows that are gathered at once. */
const gatheredRows = 1024;

/**
 * Correlates the cosines of pairs with their scores. `dummy`: pairs out of the vocabulary have cosine 0 instead of being left out.
 *
 * Cost: reads the rows of the words, no scan. The cosine with a row of zeros is 0, as in gensim; a row that is not finite has none: null
 * correlations.
 */
export async function scorePairs(
  table: EmbeddingTable,
  set: PairSet,
  words: RowWords,
  dummy: boolean,
): Promise<PairScore> {
  const found = words.find(new Set(set.words));
  const rows = set.words.map((word) => found.get(word));
  const scores: number[] = [];
  const known: number[] = [];
  let oov = 0;
  for (let pair = 0; pair < set.scores.length; pair++) {
    const isKnown = [0, 1].every((side) => rows[set.pairs[2 * pair + side]] !== undefined);
    if (!isKnown) oov++;
    if (!isKnown && !dummy) continue;
    scores.push(set.scores[pair]);
    known.push(isKnown ? pair : -1);
  }
  const cosines = new Float64Array(known.length);
  for (let first = 0; first < known.length; first += gatheredRows / 2) {
    const part = known.slice(first, first + gatheredRows / 2);
    const ids = part.flatMap((pair) =>
      pair < 0 ? [] : [rows[set.pairs[2 * pair]]!, rows[set.pairs[2 * pair + 1]]!],
    );
    const { data } = await table.gather(Uint32Array.from(ids));
    let at = 0;
    for (const [index, pair] of part.entries()) {
      if (pair >= 0) cosines[first + index] = cosineAt(data, table.dim, at++);
    }
  }
  const [linear, ranked] = [pearson(scores, cosines), spearman(scores, cosines)];
  return {
    pairs: scores.length,
    oov,
    oovShare: oov / set.scores.length,
    correlations: [linear.r, linear.p, ranked.r, ranked.p],
  };
}

/** Of the pair of rows 2 * at and 2 * at + 1; 0 where one is all zeros, NaN where one is not finite. */
function cosineAt(data: Float32Array, dim: number, at: number): number {
  const a = unitRow(data, 2 * at * dim, dim);
  const b = unitRow(data, (2 * at + 1) * dim, dim);
  if (a !== undefined && b !== undefined) return a.reduce((sum, value, i) => sum + value * b[i], 0);
  const pair = data.subarray(2 * at * dim, 2 * (at + 1) * dim);
  return pair.every(Number.isFinite) ? 0 : Number.NaN;
}
