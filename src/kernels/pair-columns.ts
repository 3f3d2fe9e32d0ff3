import { randomOdd } from './text-bits.ts';

/** Pairs that merge and their ranks, in any order; of one that stands twice the later counts. */
export interface PairColumns {
  lefts: Uint32Array;
  rights: Uint32Array;
  ranks: Uint32Array;
  /** Id by rank; undefined where the rank is the id. */
  merged: Uint32Array | undefined;
}

/** Pairs by what they make, in tables of names: what tokenizers/tokenizer-json-ordered.ts reads and tokenizers/tokenizer-json-vocabulary.ts finds. */
export interface NamedPairs {
  /** Entry i is bytes[offsets[i], offsets[i + 1]) and has id ids[i]. */
  bytes: Uint8Array;
  offsets: Uint32Array;
  ids: Uint32Array;
  /** Entry + 1 of an id, 0 for none. */
  entries: Int32Array;
  /** By hash: entry + 1 in the low bits, as many as the count needs, and the hash's own bits above them; 0 is an empty slot. */
  slots: Int32Array;
  /** What the hash of no bytes is. */
  hashStart: number;
  /** The pairs that make an id are firsts[id] up to firsts[id + 1], and splits has the bytes of their left parts. */
  firsts: Uint32Array;
  splits: Uint16Array;
}

/** Pairs for a kernel, which fills its table from columns or finds them by their names. */
export interface MergePairs {
  count: number;
  /** Ids of the ranks, 0 where the ranks are ids. */
  mergedCount: number;
  /** Throws where a part is no name. */
  columns: () => PairColumns;
  named: NamedPairs | undefined;
}

/** Pairs whose columns are there. */
export function pairsOf(columns: PairColumns): MergePairs {
  const { ranks, merged } = columns;
  return { count: ranks.length, mergedCount: merged?.length ?? 0, columns: () => columns, named: undefined };
}

/** Exports of src/kernels/assembly/{bpe-pairs,bpe-names}.ts. */
export interface PairExports {
  openPairs: (
    ...[bits, factor, count, lefts, rights, ranks, merged]: [
      number,
      bigint,
      number,
      number,
      number,
      number,
      number,
    ]
  ) => void;
  addPairs(from: number, to: number): number;
  openNames: (
    ...[bytes, offsets, ids, entries, slots, mask, marks, hashStart]: [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
  ) => void;
  findParts(from: number, to: number, firsts: number, splits: number, numbered: boolean): number;
}

/** Pairs, ids or pieces that a call works on: V8 lets only the next call run what it compiled better. */
export const atOnce = 4096;

/** `restAt` and `restRoom` in assembly/bpe-memory.ts: memory of the word cache, which is empty while a vocabulary is opened. */
const scratchAt = 0xf90000;
const scratchRoom = 0x800000;

/** Bytes of the columns. */
export const columnBytes = ({ count, mergedCount }: MergePairs) => 4 * (3 * count + mergedCount);

/** Fills the table of 2^bits slots, and columns at `at`. False when an id or a rank finds no room in the table. */
export function fillPairs(
  wasm: PairExports,
  buffer: ArrayBuffer,
  pairs: MergePairs,
  at: number,
  bits: number,
): boolean {
  const { count, mergedCount } = pairs;
  const [lefts, rights, ranks, merged] = [0, 1, 2, 3].map((i) => at + i * 4 * count);
  wasm.openPairs(bits, randomOdd(), count, lefts, rights, ranks, mergedCount === 0 ? 0 : merged);
  if (pairs.named === undefined || !findNamed(wasm, buffer, pairs.named, mergedCount === 0)) {
    const columns = pairs.columns();
    new Uint32Array(buffer, lefts, count).set(columns.lefts);
    new Uint32Array(buffer, rights, count).set(columns.rights);
    new Uint32Array(buffer, ranks, count).set(columns.ranks);
    if (columns.merged !== undefined) new Uint32Array(buffer, merged, mergedCount).set(columns.merged);
  }
  for (let from = 0; from < count; from += atOnce)
    if (wasm.addPairs(from, Math.min(count, from + atOnce)) === 0) return false;
  return true;
}

/** Whether the names have room and have all parts. */
function findNamed(wasm: PairExports, buffer: ArrayBuffer, named: NamedPairs, numbered: boolean): boolean {
  const { bytes, offsets, ids, entries, slots, hashStart, firsts, splits } = named;
  let end = scratchAt;
  const columns = [offsets, ids, entries, slots, firsts, splits, bytes].map((column) => {
    const place = end;
    end += Math.ceil(column.byteLength / 8) * 8;
    return { column, place };
  });
  // What compares names reads up to seven bytes behind them.
  if (end + 8 > scratchAt + scratchRoom) return false;
  const all = new Uint8Array(buffer);
  for (const { column, place } of columns)
    all.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), place);
  const [offsetsAt, idsAt, entriesAt, slotsAt, firstsAt, splitsAt, bytesAt] = columns.map(
    ({ place }) => place,
  );
  const marks = -1 << (32 - Math.clz32(ids.length));
  wasm.openNames(bytesAt, offsetsAt, idsAt, entriesAt, slotsAt, slots.length - 1, marks, hashStart);
  for (let from = 0; from < entries.length; from += atOnce) {
    const to = Math.min(entries.length, from + atOnce);
    if (wasm.findParts(from, to, firstsAt, splitsAt, numbered) === 0) return false;
  }
  return true;
}
