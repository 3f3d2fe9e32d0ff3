import { type ChunkKernel, createChunkKernel } from '../kernels/chunks.ts';
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
  return createChunkKernel(
    {
      rule: plan.rule,
      direct: direct && {
        space: direct.rule.space,
        marksStart: direct.rule.marksStart,
        single: direct.rule.single,
        mark: direct.rule.mark,
        isPlain: direct.isPlain,
        learn: (code) => direct.fateOf(code),
      },
      model: model.forKernel?.(),
      ask,
    },
    bitUnits,
  );
}
