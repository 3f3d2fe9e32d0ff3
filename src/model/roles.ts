import type { Layer } from '../types.ts';
import { type EmbeddingName, embeddingNames, foreignParts } from './embedding-names.ts';

/** A tensor that may play a role. */
export interface Candidate {
  name: string;
  entry: EmbeddingName;
}

/** Looks up a shape, for which a shard may have to be opened; undefined for a name that is not there. */
export type ShapeOf = (name: string) => Promise<readonly number[] | undefined>;

/**
 * The tensors that a role's names fit best: none, one, or several that cannot be told apart by name.
 *
 * Only two-dimensional tensors count. Earlier names in the list win; then parts without "encoder" and "decoder", then the
 * encoder, which is what reads the text; then the shorter path.
 * @param input the input table's name, which the other roles stand beside and generic names are held against
 */
export async function candidatesFor(
  layer: Layer,
  names: readonly string[],
  shapeOf: ShapeOf,
  input?: string,
): Promise<Candidate[]> {
  const others = names
    .filter((name) => name !== input)
    .map((name) => ({ name, canonical: canonicalName(name) }));
  const beside = layer === 'input' || input === undefined ? undefined : canonicalName(input);
  for (const entry of embeddingNames[layer]) {
    const fitting: { name: string; rank: number[] }[] = [];
    for (const { name, canonical } of others) {
      const place = fits(canonical, entry);
      if (place === undefined) continue;
      const inputShape = input === undefined ? undefined : await shapeOf(input);
      if (!fitsShape(await shapeOf(name), layer, entry, inputShape)) continue;
      fitting.push({ name, rank: rankOf(canonical.slice(0, place).split('.'), beside) });
    }
    if (fitting.length === 0) continue;
    const best = fitting.reduce((a, b) => (comesBefore(b.rank, a.rank) ? b : a));
    return fitting.filter(({ rank }) => !comesBefore(best.rank, rank)).map(({ name }) => ({ name, entry }));
  }
  return [];
}

/**
 * A name as PyTorch would write it: TensorFlow and JAX have / between modules, and end in :0, embedding or embeddings.
 *
 * Their kernels are transposed and keep their names, so that none is taken for an embedding.
 */
function canonicalName(name: string): string {
  const dotted = name.replace(/:0$/, '').replaceAll('/', '.').replace(/^\.+/, '');
  return dotted.replace(/(?<=[^.])\.embeddings?$/, '.weight');
}

/** Where a name's end begins, undefined when it ends in another way. */
function placeOf(name: string, ends: string): number | undefined {
  if (!ends.includes('#')) return name.endsWith(ends) ? name.length - ends.length : undefined;
  const [before, after] = ends.split('#');
  if (!name.endsWith(after)) return undefined;
  const numbered = name.slice(0, name.length - after.length);
  const digits = /\d+$/.exec(numbered.slice(-12))?.[0].length ?? 0;
  const bare = numbered.slice(0, numbered.length - digits);
  return digits > 0 && bare.endsWith(before) ? bare.length - before.length : undefined;
}

/** Where a name has an entry's end; the modules before it must read text and must not be one of many layers. */
function fits(name: string, entry: EmbeddingName): number | undefined {
  const place = placeOf(name, entry.ends);
  if (place === undefined || place === 0) return place;
  if (entry.whole === true || name[place - 1] !== '.') return undefined;
  const parts = name.slice(0, place - 1).split('.');
  return parts.some((part) => /^\d+$/.test(part) || foreignParts.test(part)) ? undefined : place;
}

/** A table has two dimensions; what is added to the input's rows is as wide, or wider where these are projected first (OPT-350m). */
function fitsShape(
  shape: readonly number[] | undefined,
  layer: Layer,
  entry: EmbeddingName,
  input: readonly number[] | undefined,
): boolean {
  if (shape?.length !== 2) return false;
  if (input === undefined) return true;
  if (layer === 'position' || layer === 'type') return shape[1] >= input[1];
  return entry.generic !== true || shape[0] === input[0];
}

/** By the modules before a name's end. Smaller is better, the first difference decides. */
function rankOf(parts: readonly string[], beside: string | undefined): number[] {
  const side = parts.some((part) => /decoder/.test(part))
    ? 2
    : parts.some((part) => /encoder/.test(part))
      ? 1
      : 0;
  if (beside === undefined) return [0, side, parts.length];
  const path = beside.split('.');
  let shared = 0;
  while (shared < parts.length && parts[shared] === path[shared]) shared++;
  return [-shared, side, parts.length];
}

function comesBefore(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at >= 0 && a[at] < b[at];
}
