import { type Cut, createCut, matchUserDefined } from './sentencepiece-cutter.ts';
import type { SentencePieceModel } from './sentencepiece-model.ts';
import { SentencePieceNormalizer } from './sentencepiece-normalizer.ts';
import type { SentencePieceUse } from './sentencepiece-use.ts';
import { AddedTokenMatcher } from './tokenizer-json-added.ts';

/** What a text goes through. */
export interface SentencePieceEngine {
  normalizer: SentencePieceNormalizer;
  cut: Cut;
  /** Absent where no tokens were added. */
  matcher?: AddedTokenMatcher;
}

/** The tables of a model and of what its class adds. Cost: a pass over the vocabulary. */
export function createEngine(model: SentencePieceModel, { added }: SentencePieceUse): SentencePieceEngine {
  const userDefined = matchUserDefined(model);
  return {
    normalizer: new SentencePieceNormalizer(model.normalizer, userDefined),
    cut: createCut(model, userDefined),
    matcher:
      added.length === 0
        ? undefined
        : new AddedTokenMatcher(new Map(added.map((token) => [token.content, token]))),
  };
}
