import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import type { Tokenizer } from '../types.ts';
import { encodings } from './tiktoken-encodings.ts';

/** Names of the built-in encodings. */
export const encodingNames: readonly string[] = Object.keys(encodings);

/**
 * Opens a built-in encoding.
 *
 * Cost: milliseconds; its merges are read where they lie until a few sentences have been encoded.
 * @throws EmbError "missing" for an unknown name
 */
export async function openEncoding(name: string): Promise<Tokenizer> {
  const encoding = Object.hasOwn(encodings, name) ? encodings[name] : undefined;
  if (encoding === undefined) {
    throw new EmbError(
      'missing',
      `"encoding" is ${name}, expected one of ${encodingNames.join(', ')}`,
      didYouMean(nearestNames(name, encodingNames)),
    );
  }
  const [ranks, scanner, { TiktokenTokenizer }] = await Promise.all([
    encoding.ranks(),
    encoding.scanner(),
    import('./tiktoken-tokenizer.ts'),
  ]);
  return new TiktokenTokenizer(name, ranks, scanner, encoding.special());
}
