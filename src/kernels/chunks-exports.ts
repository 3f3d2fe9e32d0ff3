import type { PairExports } from './pair-columns.ts';
import type { TextExports } from './text-bits.ts';

/** Exports of src/kernels/assembly/chunks.ts. */
export interface ChunkExports extends PairExports, TextExports {
  asciiAt: { value: number };
  byteIdsAt: { value: number };
  classesAt: { value: number };
  symbolsAt: { value: number };
  openChunks(words: boolean, safety: number, factor: bigint): void;
  openDirect: (
    ...[space, starts, single, mark, size, places, texts]: [
      number,
      boolean,
      boolean,
      number,
      number,
      number,
      number,
    ]
  ) => void;
  openJoints(at: number, most: number, byRank: number, firsts: number, lasts: number): void;
  checkJoints(firsts: number, most: number, id: number): void;
  openCharacters: (
    ...[bytes, offsets, ids, count, spelling, firsts, most]: [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
  ) => void;
  openTrie: (
    ...[bits, factor, prefix, prefixSize, roots, joints]: [number, bigint, number, number, number, number]
  ) => void;
  addPieces(bytes: number, offsets: number, ids: number, from: number, to: number): number;
  openModel: (
    ...[kind, unknown, longestWord, spellsUnknown, scores, unknownScore]: [
      number,
      number,
      number,
      boolean,
      number,
      number,
    ]
  ) => void;
  openSums(single: boolean, count: number, spells: boolean): void;
  beginText(): void;
  failed(): boolean | number;
  encode(length: number, goesOn: boolean): number;
}
