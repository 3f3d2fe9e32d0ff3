import { createChunkKernel } from '../kernels/chunks.ts';
import type { ChunkKernel } from '../kernels/chunks-model.ts';
import type { DirectWords } from './direct-words.ts';
import type { ChunkPlan } from './tokenizer-json-plan.ts';
import type { WordModel } from './wordpiece.ts';

/**
 * The WebAssembly twin of chunk by chunk encoding; tests make it take a text in smaller bits.
 *
 * `ask` gives the ids of a chunk by the plain way.
 */
export function openChunkTwin(
  plan: ChunkPlan,
  model: WordModel,
  direct: DirectWords | undefined,
  ask: (bytes: Uint8Array, start: number, end: number) => Uint32Array,
  bitUnits?: number,
): ChunkKernel | undefined {
  return createChunkKernel({ ...optionsOf(plan, direct), model: model.forKernel?.(), ask }, bitUnits);
}

/**
 * The same for models whose sums of scores go on from chunk to chunk, and which nobody else can encode chunk by chunk; undefined for others.
 *
 * `spell` gives what a chunk becomes before it is cut.
 */
export function openSumsTwin(
  plan: ChunkPlan,
  words: WordModel,
  direct: DirectWords,
  spell: (bytes: Uint8Array, start: number, end: number) => string,
  bitUnits?: number,
): ChunkKernel | undefined {
  const model = words.forKernel?.();
  if (model?.kind !== 'best' || model.sums === undefined) return undefined;
  const ask = () => new Uint32Array();
  return createChunkKernel({ ...optionsOf(plan, direct), model, ask, spell }, bitUnits);
}

function optionsOf({ rule }: ChunkPlan, direct: DirectWords | undefined) {
  return {
    rule,
    direct: direct && {
      space: direct.rule.space,
      marksStart: direct.rule.marksStart,
      single: direct.rule.single,
      mark: direct.rule.mark,
      isPlain: direct.isPlain,
      learn: (code: number) => direct.fateOf(code),
    },
  };
}
