import { EmbError } from '../errors.ts';
import type { MergeList } from './bpe-merges.ts';
import { headerBytes, packedBytes } from './ranks.ts';

/**
 * Packs merges for PackedRanks; ranks must be the merged ids. scripts/generate-ranks.mjs calls it.
 *
 * @throws EmbError "range" for an id of 2^18 or more
 */
export function packRanks(list: MergeList): Uint8Array {
  const pairs = list.merged.length;
  const order = Array.from(list.merged.keys()).sort(
    (a, b) => list.lefts[a] - list.lefts[b] || list.rights[a] - list.rights[b],
  );
  const lefts: number[] = [];
  const starts: number[] = [];
  for (let i = 0; i < pairs; i++) {
    if (list.merged[order[i]] >= 2 ** 18) {
      throw new EmbError('range', `id is ${list.merged[order[i]]}, expected less than ${2 ** 18}`);
    }
    const left = list.lefts[order[i]];
    if (left === lefts.at(-1)) continue;
    lefts.push(left);
    starts.push(i);
  }
  const highest = list.merged.reduce((a, b) => Math.max(a, b), 0);
  const out = new Uint8Array(packedBytes(pairs, lefts.length, highest));
  const view = new DataView(out.buffer);
  view.setUint32(0, pairs, true);
  view.setUint32(4, lefts.length, true);
  view.setUint32(8, highest, true);
  for (let k = 1; k <= 3; k++) {
    view.setUint32(8 + 4 * k, firstReaching(lefts, k * 65536), true);
    view.setUint32(20 + 4 * k, firstReaching(starts, k * 65536), true);
  }
  const rights = order.map((i) => list.rights[i]);
  const merged = order.map((i) => list.merged[i]);
  let at = headerBytes;
  for (const value of [...lefts, ...starts, ...rights, ...merged]) {
    view.setUint16(at, value & 0xffff, true);
    at += 2;
  }
  if (highest < 65536) return out;
  for (let i = 0; i < pairs; i++) {
    out[at + (i >> 1)] |= ((rights[i] >> 16) | ((merged[i] >> 16) << 2)) << ((i & 1) * 4);
  }
  return out;
}

function firstReaching(ascending: number[], value: number): number {
  const index = ascending.findIndex((item) => item >= value);
  return index < 0 ? ascending.length : index;
}
