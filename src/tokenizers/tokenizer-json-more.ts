import type { DirectWords } from './direct-words.ts';
import { bertStepsOf, createBertNormalizer } from './normalizer-bert.ts';
import { nmt, spellCharacters, stripAccents } from './normalizer-characters.ts';
import { createPrecompiled } from './normalizer-precompiled.ts';
import { ChunkEncoder, type EncodeChunk } from './tokenizer-json-chunks.ts';
import type { MoreNormalizers } from './tokenizer-json-normalizer.ts';
import type { ChunkPlan } from './tokenizer-json-plan.ts';
import type { WordModel } from './wordpiece.ts';

export { createMoreSplits } from './tokenizer-json-cuts.ts';
export { createDecoder } from './tokenizer-json-decoder.ts';
export { createDirectWords } from './tokenizer-json-direct.ts';
export { createWordModel } from './tokenizer-json-models.ts';
export { leavesForChunk, planChunks } from './tokenizer-json-plan.ts';

export function createChunkEncoder(
  plan: ChunkPlan,
  encodeChunk: EncodeChunk,
  model: WordModel,
  direct?: DirectWords,
): ChunkEncoder {
  return new ChunkEncoder(plan, encodeChunk, model, direct);
}

/** The normalizers that byte-level models do without. */
export const createMoreNormalizers: MoreNormalizers = (name, type, part) => {
  switch (type) {
    case 'BertNormalizer':
      return createBertNormalizer(bertStepsOf(name, part));
    case 'StripAccents':
      return stripAccents;
    case 'Nmt':
      return nmt;
    case 'Precompiled':
      return createPrecompiled(name, part);
    case 'ByteLevel':
      return spellCharacters;
    default:
      return undefined;
  }
};
