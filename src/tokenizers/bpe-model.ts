import type { BpeModel } from './bpe.ts';
import { type MergeList, MergeTable } from './bpe-merges.ts';
import { PieceIndex, type PieceTable } from './bpe-pieces.ts';

export interface BpeModelOptions {
  /** A word that is a vocabulary entry is taken as it is (Hugging Face's ignore_merges, Llama 3). */
  ignoreMerges?: boolean;
  unknownId?: number;
  fuseUnknown?: boolean;
}

/** A BPE model of a vocabulary whose entries are bytes, and its merges in order of priority. */
export function createBpeModel(
  pieces: PieceTable | PieceIndex,
  merges: MergeList,
  options: BpeModelOptions = {},
): BpeModel & { pieces: PieceIndex } {
  const index = pieces instanceof PieceIndex ? pieces : new PieceIndex(pieces);
  const byteIds = new Int32Array(256);
  const byte = new Uint8Array(1);
  for (let i = 0; i < 256; i++) {
    byte[0] = i;
    byteIds[i] = index.find(byte, 0, 1);
  }
  return {
    pieces: index,
    byteIds,
    merges: MergeTable.from(merges),
    wholeWord: options.ignoreMerges ? (bytes, start, end) => index.find(bytes, start, end) : undefined,
    unknownId: options.unknownId,
    fuseUnknown: options.fuseUnknown,
  };
}
