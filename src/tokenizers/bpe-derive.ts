import { type MergeList, MergeTable } from './bpe-merges.ts';
import { PieceIndex, type PieceTable } from './bpe-pieces.ts';
import { WordMerger } from './bpe-word.ts';

export interface DerivedMerges extends MergeList {
  /** Entries of more than one byte that no merge makes: only a whole word can be one. */
  unreachable: number[];
}

/**
 * The merges that a vocabulary in rank order implies (tiktoken: merge the pair whose bytes have the lowest id).
 *
 * A token is only ever made from the two parts that its own bytes reach without it: inside its borders, merging
 * whichever pair is lowest goes the same way alone as within a longer word. So one pair per token is enough.
 * Cost: one encoding of every entry.
 */
export function deriveMerges(pieces: PieceTable | PieceIndex): DerivedMerges {
  const index = pieces instanceof PieceIndex ? pieces : new PieceIndex(pieces);
  const { bytes, offsets, ids } = index.table;
  const lengthOf = (entry: number) => offsets[entry + 1] - offsets[entry];
  const byRank = Array.from(ids.keys()).sort((a, b) => ids[a] - ids[b]);
  const table = new MergeTable(
    ids.length,
    Uint32Array.from(byRank, (entry) => ids[entry]),
  );
  const byteIds = new Int32Array(256).fill(-1);
  const merger = new WordMerger();
  const unreachable: number[] = [];
  const found: { left: number; right: number; id: number }[] = [];
  // Parts are shorter than what they make, so they come first; the sort is stable.
  const ranks = Array.from(byRank.keys()).sort((a, b) => lengthOf(byRank[a]) - lengthOf(byRank[b]));
  for (const rank of ranks) {
    const entry = byRank[rank];
    const start = offsets[entry];
    const end = offsets[entry + 1];
    if (end - start === 1) byteIds[bytes[start]] = ids[entry];
    if (end - start < 2) continue;
    merger.clear(end - start);
    for (let i = start; i < end; i++) merger.push(byteIds[bytes[i]], i, i + 1);
    merger.merge(table);
    const [left, right] = merger.ids;
    if (merger.count !== 2 || left < 0 || right < 0) {
      unreachable.push(ids[entry]);
      continue;
    }
    found.push({ left, right, id: ids[entry] });
    table.add(left, right, rank);
  }
  found.sort((a, b) => a.id - b.id);
  return {
    lefts: Uint32Array.from(found, (merge) => merge.left),
    rights: Uint32Array.from(found, (merge) => merge.right),
    merged: Uint32Array.from(found, (merge) => merge.id),
    unreachable,
  };
}
