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
  for (const entry of embeddingNames[layer]) {
    const fitting: string[] = [];
    for (const name of names.filter((each) => fits(each, entry) && each !== input)) {
      const inputShape = input === undefined ? undefined : await shapeOf(input);
      if (fitsShape(await shapeOf(name), entry, inputShape)) fitting.push(name);
    }
    if (fitting.length === 0) continue;
    const ranks = fitting.map((name) => rank(name, entry, layer === 'input' ? undefined : input));
    const best = ranks.reduce((a, b) => (comesBefore(b, a) ? b : a));
    return fitting.filter((_, index) => !comesBefore(best, ranks[index])).map((name) => ({ name, entry }));
  }
  return [];
}

/** Modules around a name's end must read text and must not be one of many layers. */
function fits(name: string, entry: EmbeddingName): boolean {
  if (name === entry.ends) return true;
  if (entry.whole === true || !name.endsWith(`.${entry.ends}`)) return false;
  const parts = name.slice(0, -entry.ends.length - 1).split('.');
  return !parts.some((part) => /^\d+$/.test(part) || foreignParts.test(part));
}

function fitsShape(
  shape: readonly number[] | undefined,
  entry: EmbeddingName,
  input: readonly number[] | undefined,
): boolean {
  if (shape === undefined || shape.length !== 2) return false;
  return entry.generic !== true || input === undefined || shape[0] === input[0];
}

/** Smaller is better, the first difference decides. */
function rank(name: string, entry: EmbeddingName, beside: string | undefined): number[] {
  const parts = name.slice(0, -entry.ends.length).split('.');
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
