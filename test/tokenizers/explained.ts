import { expect } from 'vitest';
import type { ExplainedWord, MergeSymbol, Tokenizer } from '../../src/types.ts';

/** The tokens that an explained word ends in. */
function tokensOf(word: ExplainedWord): MergeSymbol[] {
  if ('steps' in word) return word.steps.at(-1)?.ids ?? [];
  return word.pieces.filter(({ chosen }) => chosen).map(({ id }) => id);
}

/** Holds what explains texts against what encodes them, without added tokens and the template; how many tokens there were. */
export function checkExplained(tokenizer: Tokenizer, texts: readonly string[]): number {
  let count = 0;
  for (const text of texts) {
    const wanted = tokenizer
      .encode(text, { template: false })
      .filter(({ stage }) => stage !== 'added token')
      .map(({ id }) => id);
    const found = [...tokenizer.explain(text)].flatMap(tokensOf);
    expect([text, found]).toEqual([text, wanted]);
    count += wanted.length;
  }
  return count;
}
