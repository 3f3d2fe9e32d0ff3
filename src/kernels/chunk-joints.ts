import type { ChunkModel } from './chunks-model.ts';

/** Which symbols merges could ever join: pairs of one that ends a left part and one that begins a right part. */
export interface Joints {
  lefts: Uint32Array;
  rights: Uint32Array;
  /** 1 for ids that merges make: of a word that has one from the beginning, joints say nothing. */
  made: Uint8Array;
}

/**
 * The joints of all pairs, or undefined unless every id is either no merge's or made of one first and one last symbol, by ranks that are
 * better than those it is a part of.
 *
 * Cost: a pass over the pairs.
 */
export function findJoints(model: Extract<ChunkModel, { kind: 'pairs' }>): Joints | undefined {
  const { lefts, rights, ranks, merged } = model;
  const count = ranks.length;
  const order = orderOf(ranks);
  // The pairs alone must justify the memory.
  const limit = 4 * count + 65536;
  if (order === undefined) return undefined;
  const first = new Int32Array(limit).fill(-1);
  const last = new Int32Array(limit);
  const made = new Uint8Array(limit);
  const joints: Joints = { lefts: new Uint32Array(count), rights: new Uint32Array(count), made };
  for (let i = 0; i < count; i++) {
    const at: number = order[i];
    const left = lefts[at];
    const right = rights[at];
    const id = merged === undefined ? ranks[at] : merged[ranks[at]];
    if (left >= limit || right >= limit || id >= limit) return undefined;
    for (const part of [left, right]) {
      if (first[part] < 0) first[part] = last[part] = part;
    }
    if (first[id] >= 0 && (first[id] !== first[left] || last[id] !== last[right])) return undefined;
    first[id] = first[left];
    last[id] = last[right];
    made[id] = 1;
    joints.lefts[i] = last[left];
    joints.rights[i] = first[right];
  }
  return joints;
}

/** Places of ranks from the best to the worst, or undefined where they are too scattered. */
function orderOf(ranks: Uint32Array): Uint32Array | undefined {
  const count = ranks.length;
  let highest = 0;
  for (let i = 0; i < count; i++) if (ranks[i] > highest) highest = ranks[i];
  if (highest > 4 * count + 65536) return undefined;
  const places = new Uint32Array(highest + 1);
  for (let i = 0; i < count; i++) places[ranks[i]] = i + 1;
  const order = new Uint32Array(count);
  let to = 0;
  for (let rank = 0; rank <= highest; rank++) if (places[rank] > 0) order[to++] = places[rank] - 1;
  // A rank that stands twice.
  return to === count ? order : undefined;
}
