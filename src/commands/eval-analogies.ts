import type { Progress } from '../command.ts';
import { keptAnswers, predictAnalogies } from '../core/evaluate.ts';
import type { EmbeddingTable } from '../types.ts';
import type { AnalogySet } from './eval-sets.ts';
import type { RowWords } from './eval-vocabulary.ts';

/** What a section of analogies comes to. */
export interface AnalogyScore {
  section: string;
  correct: number;
  /** Questions that count. */
  total: number;
  oov: number;
}

export interface AnalogySettings {
  /** Questions out of the vocabulary are wrong instead of being left out. */
  dummy: boolean;
  kernel: 'ts' | 'simd';
  progress(): Progress;
}

/**
 * Answers the questions and counts by section; the last of the scores is the total.
 *
 * As in gensim, an answer is the first of five rows whose word is none of the question's, else the last of them.
 */
export async function scoreAnalogies(
  table: EmbeddingTable,
  set: AnalogySet,
  words: RowWords,
  { dummy, kernel, progress }: AnalogySettings,
): Promise<AnalogyScore[]> {
  const found = words.find(new Set(set.words));
  const rows = set.words.map((word) => found.get(word));
  const count = set.questions.length / 4;
  const known = new Uint8Array(count);
  const asked = new Uint32Array(count * 3);
  let length = 0;
  for (let question = 0; question < count; question++) {
    const places = set.questions.slice(4 * question, 4 * question + 4);
    if (places.some((place) => rows[place] === undefined)) continue;
    known[question] = 1;
    for (const place of places.slice(0, 3)) asked[length++] = rows[place]!;
  }
  const shown = progress();
  const answers = await predictAnalogies(table, asked.subarray(0, length), {
    rows: words.named.length,
    among: words.named,
    kernel,
    advance: (scanned) => shown.advance(scanned),
  });
  shown.done();
  const isRight = (question: number, at: number): boolean => {
    const [a, b, c, wanted] = set.questions
      .slice(4 * question, 4 * question + 4)
      .map((place) => set.words[place]);
    let predicted: string | undefined;
    for (const row of answers.subarray(at * keptAnswers, (at + 1) * keptAnswers)) {
      if (row < 0) break;
      predicted = words.wordOf(row);
      if (predicted !== a && predicted !== b && predicted !== c) break;
    }
    return predicted === wanted;
  };
  const all: AnalogyScore = { section: 'total', correct: 0, total: 0, oov: 0 };
  let at = 0;
  const scores = set.sections.map(({ name, first }, index): AnalogyScore => {
    const score = { section: name, correct: 0, total: 0, oov: 0 };
    const end = set.sections[index + 1]?.first ?? count;
    for (let question = first; question < end; question++) {
      if (known[question] === 0) score.oov++;
      else if (isRight(question, at++)) score.correct++;
    }
    score.total = end - first - (dummy ? 0 : score.oov);
    all.correct += score.correct;
    all.total += score.total;
    all.oov += score.oov;
    return score;
  });
  return [...scores, all];
}
