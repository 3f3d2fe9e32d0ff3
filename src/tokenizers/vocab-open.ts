import type { Tokenizer } from '../types.ts';
import { openTokenizerJson } from './tokenizer-json.ts';
import type { Part } from './tokenizer-json-file.ts';

/** A vocabulary on its way into the engine of tokenizer.json. */
export interface VocabularyParts {
  /** As errors name it. */
  name: string;
  /** The model's small members. */
  model: Part;
  /** JSON of the vocabulary and of the merges. */
  vocab: string;
  merges?: string;
  addedTokens: readonly object[];
  normalizer?: object;
  preTokenizer?: object;
  postProcessor?: object;
  decoder?: object;
  /** As TokenizerJsonSource has it. */
  namesRanksByIds?: boolean;
}

/**
 * Opens a vocabulary as the tokenizer.json that Hugging Face would convert it to, so that one engine does both.
 *
 * Cost: a text of the vocabulary's size on top of opening a tokenizer.json.
 */
export async function openVocabulary(parts: VocabularyParts): Promise<Tokenizer> {
  const { name, model, vocab, merges, namesRanksByIds } = parts;
  const small = JSON.stringify({
    added_tokens: parts.addedTokens,
    normalizer: parts.normalizer ?? null,
    pre_tokenizer: parts.preTokenizer ?? null,
    post_processor: parts.postProcessor ?? null,
    decoder: parts.decoder ?? null,
  });
  const members = JSON.stringify(model).slice(0, -1);
  const text = `${small.slice(0, -1)},"model":${members},"vocab":${vocab}${merges === undefined ? '' : `,"merges":${merges}`}}}`;
  return openTokenizerJson({ name, bytes: Buffer.from(text), namesRanksByIds });
}

/** `{"piece": id, ...}`; no object holds the pieces, since `__proto__` may be one. */
export function jsonOfPieces(pieces: Iterable<readonly [string, number]>): string {
  const members: string[] = [];
  for (const [piece, id] of pieces) members.push(`${JSON.stringify(piece)}:${id}`);
  return `{${members.join(',')}}`;
}
