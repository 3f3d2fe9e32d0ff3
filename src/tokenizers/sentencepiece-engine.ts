import { createCut, matchUserDefined } from './sentencepiece-cutter.ts';
import type { SentencePieceModel } from './sentencepiece-model.ts';
import { SentencePieceNormalizer } from './sentencepiece-normalizer.ts';
import { createCutNumber } from './sentencepiece-numbers.ts';
import type { SentencePieceUse } from './sentencepiece-use.ts';
import { SentencePieceWords } from './sentencepiece-words.ts';
import { AddedTokenMatcher } from './tokenizer-json-added.ts';

/** What a text goes through. */
export interface SentencePieceEngine {
  normalizer: SentencePieceNormalizer;
  words: SentencePieceWords;
  /** Absent where no tokens were added. */
  matcher?: AddedTokenMatcher;
}

/** The tables of a model and of what its class adds. `piecesOf` is `sentencepiece` itself. Cost: a pass over the vocabulary. */
export function createEngine(
  model: SentencePieceModel,
  use: SentencePieceUse,
  piecesOf: (text: string) => string[],
): SentencePieceEngine {
  const { added } = use;
  const userDefined = matchUserDefined(model);
  const cutNumber = use.splitsNumbers ? createCutNumber(model, piecesOf) : undefined;
  return {
    normalizer: new SentencePieceNormalizer(model.normalizer, userDefined),
    words: new SentencePieceWords(model, use, createCut(model, userDefined), cutNumber),
    matcher:
      added.length === 0
        ? undefined
        : new AddedTokenMatcher(new Map(added.map((token) => [token.content, token]))),
  };
}
