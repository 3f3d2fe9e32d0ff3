import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import type { Tokenizer } from '../types.ts';

const names = [
  'gpt2',
  'r50k_base',
  'p50k_base',
  'p50k_edit',
  'cl100k_base',
  'o200k_base',
  'o200k_harmony',
] as const;
export type EncodingName = (typeof names)[number];

/** Names of the built-in encodings. */
export const encodingNames: readonly string[] = names;

/**
 * Opens a built-in encoding.
 *
 * Cost: milliseconds; its merges are read where they lie until a few sentences have been encoded.
 * @throws EmbError "missing" for an unknown name
 */
export async function openEncoding(name: string): Promise<Tokenizer> {
  const known = names.find((one) => one === name);
  if (known === undefined) {
    throw new EmbError(
      'missing',
      `"encoding" is ${name}, expected one of ${encodingNames.join(', ')}`,
      didYouMean(nearestNames(name, encodingNames)),
    );
  }
  const { openNamed } = await import('./tiktoken-encodings.ts');
  return openNamed(known);
}
