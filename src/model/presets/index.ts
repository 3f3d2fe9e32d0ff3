import type { Preset } from '../../command.ts';
import { deepseekPresets } from './deepseek.ts';
import { eleutherPresets } from './eleuther.ts';
import { encoderDecoderPresets } from './encoder-decoders.ts';
import { encoderPresets } from './encoders.ts';
import { gemmaPresets } from './gemma.ts';
import { gptPresets } from './gpt.ts';
import { llamaPresets } from './llama.ts';
import { mistralPresets } from './mistral.ts';
import { olmoPresets } from './olmo.ts';
import { openDecoderPresets } from './open-decoders.ts';
import { phiPresets } from './phi.ts';
import { qwenPresets } from './qwen.ts';

/** Known configurations without weights. Every total is checked against the reference library (fixtures/presets/counts.json). */
export const presets: readonly Preset[] = [
  ...gptPresets,
  ...eleutherPresets,
  ...llamaPresets,
  ...mistralPresets,
  ...qwenPresets,
  ...gemmaPresets,
  ...phiPresets,
  ...deepseekPresets,
  ...olmoPresets,
  ...openDecoderPresets,
  ...encoderPresets,
  ...encoderDecoderPresets,
];

/** The preset of that name or other name (`gpt2`, `openai-community/gpt2`), letters compared without case. */
export function findPreset(name: string): Preset | undefined {
  const wanted = name.toLowerCase();
  return presets.find(
    (preset) => preset.name === wanted || preset.aliases.some((alias) => alias.toLowerCase() === wanted),
  );
}
