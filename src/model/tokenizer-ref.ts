import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import { encodingNames, openEncoding } from '../tokenizers/tiktoken.ts';
import type { Tokenizer } from '../types.ts';

/**
 * A tokenizer by its REF: an existing file (a tokenizer.json, or a model that brings one) or folder, a built-in encoding, or a preset
 * whose tokenizer is built in.
 *
 * @throws EmbError "missing" for an unknown name, with names close to it
 */
export async function openTokenizer(ref: string, note: (message: string) => void): Promise<Tokenizer> {
  if (encodingNames.includes(ref) && !isPath(ref)) return openEncoding(ref);
  const { openModel, openTokenizerFile, pathExists } = await import('./open.ts');
  if (pathExists(ref)) {
    const file = await openTokenizerFile(ref);
    if (file) return file;
    const model = await openModel(ref, { note });
    try {
      return await model.tokenizer();
    } finally {
      await model.close();
    }
  }
  const { encodingOf, encodedModels } = await import('./presets/encodings.ts');
  const encoding = encodingOf(ref);
  if (encoding !== undefined) return openEncoding(encoding);
  const { findPreset } = await import('./presets/index.ts');
  if (findPreset(ref) !== undefined) {
    throw new EmbError(
      'missing',
      `${ref}: the tokenizer of this preset is not built in`,
      "give the model's folder or its tokenizer.json",
    );
  }
  const near = didYouMean(nearestNames(ref, [...encodingNames, ...encodedModels]));
  throw new EmbError(
    'missing',
    `${ref}: no such file, and no built-in encoding has this name`,
    near ?? `built in: ${encodingNames.join(', ')}`,
  );
}

function isPath(ref: string): boolean {
  return ref.includes('/') || ref.includes('.');
}
