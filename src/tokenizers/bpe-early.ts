import type { MergeList } from './bpe-merges.ts';

/** Above every rank. */
const never = 0x7fffffff;

/**
 * Says which two bytes of a word merge whatever stands further off, so that they can be merged before all others.
 *
 * Bytes b and c merge for certain where no merge that could take b to the left or c to the right comes first, and no
 * merge of their token comes before their own. What stands next to them ends or begins with the neighboring byte, so a
 * table over two bytes holds the first such merge. Byte ids are 0 to 255.
 */
export interface EarlyMerges {
  /** By a << 8 | b: lowest rank + 1 of a merge whose left part ends with a, and whose right part is b. */
  before: Int32Array;
  /** By c << 8 | d: lowest rank + 1 of a merge whose left part is c, and whose right part begins with d. */
  after: Int32Array;
}

/**
 * The early merges of a list, or undefined where ids below 256 are not the bytes or merges are out of order.
 *
 * Ranks are places in the list, or the merged ids. Cost: three passes over the list.
 */
export function findEarlyMerges(list: MergeList, ranked: 'by place' | 'by id'): EarlyMerges | undefined {
  const { lefts, rights, merged } = list;
  const count = merged.length;
  const makers = findMakers(list, ranked);
  if (makers === undefined) return undefined;
  const before = new Int32Array(65536).fill(never);
  const after = new Int32Array(65536).fill(never);
  for (let i = 0; i < count; i++) {
    const rank = (ranked === 'by id' ? merged[i] : i) + 1;
    if (rights[i] < 256) {
      let last = lefts[i];
      while (last >= 256) last = rights[makers[last]];
      const pair = (last << 8) | rights[i];
      if (rank < before[pair]) before[pair] = rank;
    }
    if (lefts[i] < 256) {
      let first = rights[i];
      while (first >= 256) first = lefts[makers[first]];
      const pair = (lefts[i] << 8) | first;
      if (rank < after[pair]) after[pair] = rank;
    }
  }
  return { before, after };
}

/** By id the last merge that makes it, or undefined unless every merge's parts are bytes or were made by better ranks. */
function findMakers({ lefts, rights, merged }: MergeList, ranked: 'by place' | 'by id') {
  const count = merged.length;
  let highest = 255;
  for (let i = 0; i < count; i++) {
    if (merged[i] < 256) return undefined;
    if (merged[i] > highest) highest = merged[i];
  }
  // The list alone must justify the memory.
  if (highest > 4 * count + 1024) return undefined;
  const makers = new Int32Array(highest + 1).fill(-1);
  for (let i = 0; i < count; i++) makers[merged[i]] = i;
  const isMadeBefore = (part: number, i: number) => {
    if (part < 256) return true;
    if (part > highest || makers[part] < 0) return false;
    return ranked === 'by id' ? part < merged[i] : makers[part] < i;
  };
  for (let i = 0; i < count; i++) {
    if (!isMadeBefore(lefts[i], i) || !isMadeBefore(rights[i], i)) return undefined;
  }
  return makers;
}
