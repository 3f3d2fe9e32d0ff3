import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import { encodingNames, openEncoding } from '../tokenizers/tiktoken.ts';
import type { Environment, Tokenizer } from '../types.ts';

/**
 * A tokenizer by its REF: an existing file (a tokenizer.json, or a model that brings one) or folder, a built-in encoding, a preset, or
 * a model elsewhere.
 *
 * @throws EmbError "missing" for an unknown name, with names close to it
 */
export async function openTokenizer(
  ref: string,
  note: (message: string) => void,
  env: Environment,
): Promise<Tokenizer> {
  if (encodingNames.includes(ref) && !isPath(ref)) return openEncoding(ref);
  const { kindOfPath } = await import('../bytes/file.ts');
  if (ref !== '' && kindOfPath(ref) !== undefined) return tokenizerOfModel(ref, note, env);
  const { encodingOf, encodedModels } = await import('./presets/encodings.ts');
  const encoding = encodingOf(ref);
  if (encoding !== undefined) return openEncoding(encoding);
  const { findPreset } = await import('./presets/index.ts');
  const preset = findPreset(ref);
  const repository = preset?.aliases.find((alias) => alias.includes('/'));
  if (repository !== undefined) return tokenizerOfModel(`hf:${repository}`, note, env);
  if (preset !== undefined) {
    throw new EmbError(
      'missing',
      `${ref}: the tokenizer of this preset is not built in`,
      "give the model's folder or its tokenizer.json",
    );
  }
  const { isRepository } = await import('./resolve.ts');
  if (/^(hf|ollama|https?):/i.test(ref) || isRepository(ref)) return tokenizerOfModel(ref, note, env);
  const near = didYouMean(nearestNames(ref, [...encodingNames, ...encodedModels]));
  throw new EmbError(
    'missing',
    `${ref}: no such file, and no built-in encoding has this name`,
    near ?? `built in: ${encodingNames.join(', ')}`,
  );
}

async function tokenizerOfModel(
  ref: string,
  note: (message: string) => void,
  env: Environment,
): Promise<Tokenizer> {
  const { openModel } = await import('./open.ts');
  const model = await openModel(ref, { note, env });
  try {
    return await model.tokenizer();
  } finally {
    await model.close();
  }
}

function isPath(ref: string): boolean {
  return ref.includes('/') || ref.includes('.');
}
