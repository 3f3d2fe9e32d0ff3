import type { ChunkModel } from '../kernels/chunks-model.ts';
import { pairsOf } from '../kernels/pair-columns.ts';
import { characterBytes } from './sentencepiece-bpe.ts';
import { pieceTypes } from './sentencepiece-model.ts';
import type { PlannedModel } from './sentencepiece-plan.ts';
import { hashPrime, hashStart } from './string-index.ts';

const encoder = new TextEncoder();

/** A model whose pieces merge by their scores. */
export interface PairedModel extends PlannedModel {
  scores: ArrayLike<number>;
  /** -1 for none. */
  unknownId: number;
}

/**
 * The merges of a model as pairs of ids: every two pieces whose joined text is a piece too. A model of characters has none.
 *
 * Undefined for scores that do not order pieces: of two with the same score the one that stands first merges first, whichever it is.
 * Cost: a pass over the vocabulary, and a look-up for every two parts of every piece.
 */
export function kernelPairs(
  model: PairedModel,
  outerOf: (id: number) => number,
  byteIds: Int32Array,
): ChunkModel | undefined {
  const pairs = model.type === 'bpe' ? findPairs(model) : { lefts: [], rights: [], joined: [] };
  const ranked = pairs && rankPairs(model, pairs.joined, outerOf);
  if (ranked === undefined) return undefined;
  const outer = (ids: readonly number[]) => Uint32Array.from(ids, outerOf);
  return {
    kind: 'pairs',
    symbolsOf: createSymbols(model, outerOf, byteIds),
    pairs: pairsOf({
      lefts: outer((pairs as Pairs).lefts),
      rights: outer((pairs as Pairs).rights),
      ...ranked,
    }),
  };
}

interface Pairs {
  lefts: number[];
  rights: number[];
  joined: number[];
}

function merges(type: number): boolean {
  return type === pieceTypes.normal || type === pieceTypes.userDefined;
}

function findPairs({ strings, types, index, count }: PairedModel): Pairs {
  const { bytes, starts, ends } = strings;
  const pairs: Pairs = { lefts: [], rights: [], joined: [] };
  for (let id = 0; id < count; id++) {
    if (!merges(types[id])) continue;
    const [start, end] = [starts[id], ends[id]];
    const first = characterBytes(bytes[start]);
    let hash = hashStart;
    for (let at = start; at < end; ) {
      const after = Math.min(end, at + characterBytes(bytes[at]));
      while (at < after) hash = Math.imul(hash ^ bytes[at++], hashPrime);
      if (at === end) break;
      const left = index.findHashed(hash, bytes, start, at);
      // A symbol of one character is there whatever it is; longer ones were merged.
      if (left < 0 || (at > start + first && !merges(types[left]))) continue;
      const right = index.find(bytes, at, end);
      if (right < 0 || (at + characterBytes(bytes[at]) < end && !merges(types[right]))) continue;
      pairs.lefts.push(left);
      pairs.rights.push(right);
      pairs.joined.push(id);
    }
  }
  return pairs;
}

/** Ranks by score, best first, and their ids; undefined where two pieces share one. */
function rankPairs({ scores }: PairedModel, joined: readonly number[], outerOf: (id: number) => number) {
  const order = [...new Set(joined)].sort((a, b) => scores[b] - scores[a]);
  if (!order.every((id, i) => (i === 0 ? !Number.isNaN(scores[id]) : scores[order[i - 1]] > scores[id])))
    return undefined;
  const rankOf = new Map(order.map((id, rank) => [id, rank]));
  return {
    ranks: Uint32Array.from(joined, (id) => rankOf.get(id) as number),
    merged: Uint32Array.from(order, outerOf),
  };
}

/** Ids of a text's characters; undefined with one that is no piece, where it depends on its neighbors what becomes of it. */
function createSymbols(model: PairedModel, outerOf: (id: number) => number, byteIds: Int32Array) {
  const { index, types, unknownId, byteFallback } = model;
  const inside = unknownInside(model);
  return (text: string): number[] | undefined => {
    const symbols: number[] = [];
    for (const character of text) {
      const bytes = encoder.encode(character);
      const id = index.find(bytes, 0, bytes.length);
      if (id >= 0 && id !== unknownId && types[id] !== pieceTypes.byte) symbols.push(outerOf(id));
      else if (id >= 0 || !byteFallback || inside.has(character)) return undefined;
      else for (const byte of bytes) symbols.push(outerOf(byteIds[byte]));
    }
    return symbols;
  };
}

/** Characters that are no pieces, but parts of some: they may merge. */
function unknownInside({ strings, types, count }: PairedModel): Set<string> {
  const { bytes, starts, ends } = strings;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [alone, inside] = [new Set<string>(), new Set<string>()];
  let last = '';
  for (let id = 0; id < count; id++) {
    const [start, end] = [starts[id], ends[id]];
    if (end - start === characterBytes(bytes[start])) alone.add(buffer.toString('utf8', start, end));
    else if (merges(types[id])) {
      for (let at = start; at < end; ) {
        const after = Math.min(end, at + characterBytes(bytes[at]));
        if (bytes[at] >= 0x80) {
          const character = buffer.toString('utf8', at, after);
          if (character !== last) inside.add(character);
          last = character;
        } else inside.add(String.fromCharCode(bytes[at]));
        at = after;
      }
    }
  }
  for (const character of alone) inside.delete(character);
  return inside;
}
