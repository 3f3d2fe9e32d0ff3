import type { Config, FileRole, Layer, Metadata, MetadataArray, TensorInfo } from '../types.ts';
import { architectureKeys, isHeadless, roleTensors, vocabularyKeys } from './gguf-architectures.ts';

/** The tensors that play a role, by the names that all architectures share. */
export function rolesOf(tensors: readonly TensorInfo[]): FileRole[] {
  const names = new Set(tensors.map(({ name }) => name));
  return Object.entries(roleTensors)
    .filter(([, { tensor }]) => names.has(tensor))
    .map(([layer, { tensor, reason }]) => ({ layer: layer as Layer, tensor, reason }));
}

/** What the metadata says in the words of a config.json; keys of another type than theirs are left out. */
export function configOf(metadata: Metadata, roles: readonly FileRole[]): Config {
  const config: Record<string, unknown> = {};
  const architecture = metadata.get('general.architecture');
  const copy = (from: string, to: string): void => {
    const value = metadata.get(from);
    if (typeof value === 'number' && value >= 0) config[to] = value;
  };
  if (typeof architecture === 'string') {
    config.model_type = architecture;
    for (const [key, to] of architectureKeys) copy(`${architecture}.${key}`, to);
    const slope = metadata.get(`${architecture}.attention.max_alibi_bias`);
    if (typeof slope === 'number' && slope > 0) config.alibi = true;
  }
  for (const [key, to] of vocabularyKeys) copy(key, to);
  const tokens = metadata.get('tokenizer.ggml.tokens') as Partial<MetadataArray> | undefined;
  if (config.vocab_size === undefined && typeof tokens?.length === 'number' && typeof tokens !== 'string') {
    config.vocab_size = tokens.length;
  }
  const has = (layer: Layer): boolean => roles.some((role) => role.layer === layer);
  // llama.cpp takes the input table where a file has no head of its own.
  if (has('input')) config.tie_word_embeddings = !has('output') && !isHeadless(`${architecture}`);
  return config;
}
