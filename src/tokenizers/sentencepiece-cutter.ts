import type { IdSink, PackedStrings } from '../types.ts';
import { pushId } from './id-sink.ts';
import { longestByFirst, PieceMatcher } from './piece-matcher.ts';
import { characterBytes, noMerge, type PairCost, SymbolMerger } from './sentencepiece-bpe.ts';
import { pieceTypes, type SentencePieceModel } from './sentencepiece-model.ts';
import { type SymbolRules, wordsBetweenMarks } from './symbol-explain.ts';
import { Unigram } from './unigram.ts';

/** Gets what merged on its own: bytes[start, end), a user-defined piece as a whole. */
export type SeenWord = (start: number, end: number, isWhole: boolean) => void;

/** Cuts normalized text bytes[0, length) into pieces: ids with byte offsets into it. */
export interface Cut {
  (bytes: Uint8Array, length: number, into: IdSink, seen?: SeenWord): void;
  /** What weighs the pieces of a unigram model. */
  unigram?: Unigram;
  /** How pieces merge by their scores. */
  rules?: SymbolRules;
}

/** How much worse an unknown character is than the worst piece. Source: kUnkPenalty in sentencepiece/src/unigram_model.cc. */
const unknownPenalty = 10;

/** How much less than the best piece each byte of a user-defined piece counts. Source: the same. */
const userDefinedPenalty = 0.1;

/** What finds the user-defined pieces of a model; undefined when it has none. */
export function matchUserDefined(model: SentencePieceModel): PieceMatcher | undefined {
  const { types } = model;
  if (!types.includes(pieceTypes.userDefined)) return undefined;
  return matchPieces(model, (id) => types[id] === pieceTypes.userDefined);
}

function matchPieces({ index, strings }: SentencePieceModel, counts: (id: number) => boolean): PieceMatcher {
  const finder = {
    findHashed(hash: number, bytes: Uint8Array, start: number, end: number): number {
      const id = index.findHashed(hash, bytes, start, end);
      return id >= 0 && counts(id) ? id : -1;
    },
  };
  return new PieceMatcher(finder, longestByFirst(strings.bytes, strings.starts, strings.ends, counts));
}

/** The way a model cuts. Cost of making: a pass over the pieces. */
export function createCut(model: SentencePieceModel, userDefined: PieceMatcher | undefined): Cut {
  switch (model.type) {
    case 'unigram':
      return cutUnigram(model);
    case 'bpe':
      return cutPairs(model, userDefined);
    case 'word':
      return cutWords(model);
    default:
      return cutCharacters(model, userDefined);
  }
}

/** Source: EncodeOptimized in sentencepiece/src/unigram_model.cc. */
function cutUnigram(model: SentencePieceModel): Cut {
  const { strings, types, scores, unknownId } = model;
  const { starts, ends } = strings;
  const kept = cuttingPieces(model);
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const id of kept) {
    if (types[id] !== pieceTypes.normal) continue;
    if (scores[id] < lowest) lowest = scores[id];
    if (scores[id] > highest) highest = scores[id];
  }
  // Scores are float32; what a user-defined piece counts is computed in float64.
  const counted = Float64Array.from(scores);
  if (types.includes(pieceTypes.userDefined)) {
    for (const id of kept) {
      if (types[id] !== pieceTypes.userDefined) continue;
      counted[id] = Math.fround((ends[id] - starts[id]) * highest) - userDefinedPenalty;
    }
  }
  const unigram = new Unigram({
    name: model.name,
    // Unknown characters in a row are no piece together.
    pieces: { ...copyPieces(strings, kept), find: () => -1 },
    scores: counted,
    unknownId,
    byteIds: undefined,
    matcher: matchPieces(
      model,
      (id) => types[id] === pieceTypes.normal || types[id] === pieceTypes.userDefined,
    ),
    single: { unknownScore: Math.fround(lowest - unknownPenalty) },
  });
  return Object.assign(
    (text: Uint8Array, length: number, into: IdSink) => unigram.encodeWord(text, 0, length, into),
    { unigram },
  );
}

/** Ids of the pieces that texts are cut into. A loop in a function of its own runs compiled sooner, here and below. */
function cuttingPieces({ types, count }: SentencePieceModel): Uint32Array {
  const kept = new Uint32Array(count);
  let size = 0;
  for (let id = 0; id < count; id++) {
    const type = types[id];
    if (type === pieceTypes.normal || type === pieceTypes.userDefined) kept[size++] = id;
  }
  return kept.subarray(0, size);
}

/** Pieces one behind the other. */
function copyPieces({ bytes, starts, ends }: PackedStrings, ids: Uint32Array) {
  const count = ids.length;
  const offsets = new Uint32Array(count + 1);
  for (let i = 0; i < count; i++) offsets[i + 1] = offsets[i] + ends[ids[i]] - starts[ids[i]];
  const texts = new Uint8Array(offsets[count]);
  for (let i = 0; i < count; i++) copyBytes(bytes, starts[ids[i]], ends[ids[i]], texts, offsets[i]);
  return { bytes: texts, offsets, ids, count };
}

function copyBytes(bytes: Uint8Array, start: number, end: number, into: Uint8Array, to: number): void {
  for (let at = start, out = to; at < end; at++, out++) into[out] = bytes[at];
}

/** Source: Model::SampleEncode without dropout in sentencepiece/src/bpe_model.cc. */
function cutPairs(model: SentencePieceModel, userDefined: PieceMatcher | undefined): Cut {
  const { index, types, unknownId } = model;
  const { spaceBehind } = model.normalizer;
  const merger = new SymbolMerger();
  /** Where unused pieces were joined, by their id: what they are cut into again. */
  const joints = new Map<number, number>();
  const { starts, ends } = model.strings;
  let longest = 0;
  for (let id = 0; id < model.count; id++) longest = Math.max(longest, ends[id] - starts[id]);
  const idOf = (bytes: Uint8Array, start: number, end: number): number =>
    end - start > longest ? -1 : index.find(bytes, start, end);
  const cost = (bytes: Uint8Array, start: number, middle: number, end: number): number => {
    const id = idOf(bytes, start, end);
    if (id >= 0 && types[id] === pieceTypes.unused) joints.set(id, middle - start);
    return costOf(model, id);
  };
  const push = (bytes: Uint8Array, start: number, end: number, into: IdSink): void => {
    const id = idOf(bytes, start, end);
    const joint = id >= 0 && types[id] === pieceTypes.unused ? joints.get(id) : undefined;
    if (joint === undefined) {
      pushId(into, id < 0 ? unknownId : id, start, end);
      return;
    }
    push(bytes, start, start + joint, into);
    push(bytes, start + joint, end, into);
  };
  const stretch = (bytes: Uint8Array, start: number, end: number, into: IdSink, seen?: SeenWord): void => {
    if (start >= end) return;
    merger.merge(bytes, start, end, cost);
    if (seen !== undefined)
      for (const [from, to] of wordsBetweenMarks(bytes, merger.starts, merger.count, spaceBehind))
        seen(from, to, false);
    for (let i = 0; i < merger.count; i++) push(bytes, merger.starts[i], merger.starts[i + 1], into);
  };
  const cut: Cut = (bytes, length, into, seen) => {
    joints.clear();
    let done = 0;
    for (let at = 0; userDefined !== undefined && at < length; ) {
      const id = userDefined.matchLongest(bytes, at, length);
      if (id < 0) {
        at = Math.min(length, at + characterBytes(bytes[at]));
        continue;
      }
      // A user-defined piece merges with nothing.
      stretch(bytes, done, at, into, seen);
      pushId(into, id, at, userDefined.end);
      seen?.(at, userDefined.end, true);
      at = userDefined.end;
      done = at;
    }
    stretch(bytes, done, length, into, seen);
  };
  const price: PairCost = (bytes, start, _middle, end) => costOf(model, idOf(bytes, start, end));
  return Object.assign(cut, { rules: { cost: price, by: 'score', idOf } as const });
}

/** What it costs to become a piece; noMerge where nothing does. */
function costOf({ types, scores }: SentencePieceModel, id: number): number {
  if (id < 0) return noMerge;
  const { unused, normal, userDefined } = pieceTypes;
  const type = types[id];
  return type === unused || type === normal || type === userDefined ? -scores[id] : noMerge;
}

/** Source: SplitIntoWords in sentencepiece/src/model_interface.cc. */
function cutWords(model: SentencePieceModel): Cut {
  const { index, unknownId } = model;
  const { spaceBehind } = model.normalizer;
  return (bytes, length, into) => {
    let start = 0;
    const finish = (end: number): void => {
      if (end <= start) return;
      const id = index.find(bytes, start, end);
      pushId(into, id < 0 ? unknownId : id, start, end);
      start = end;
    };
    for (let at = 0; at < length; ) {
      const isSpace =
        bytes[at] === 0xe2 && bytes[at + 1] === 0x96 && bytes[at + 2] === 0x81 && at + 3 <= length;
      const after = Math.min(length, at + characterBytes(bytes[at]));
      if (isSpace) finish(spaceBehind ? after : at);
      at = after;
    }
    finish(length);
  };
}

/** Source: sentencepiece/src/char_model.cc. */
function cutCharacters(model: SentencePieceModel, userDefined: PieceMatcher | undefined): Cut {
  const { index, unknownId } = model;
  return (bytes, length, into) => {
    for (let at = 0; at < length; ) {
      const isWhole = userDefined !== undefined && userDefined.matchLongest(bytes, at, length) >= 0;
      const after = isWhole ? userDefined.end : Math.min(length, at + characterBytes(bytes[at]));
      const id = index.find(bytes, at, after);
      pushId(into, id < 0 ? unknownId : id, at, after);
      at = after;
    }
  };
}
