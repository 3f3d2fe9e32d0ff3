import { EmbError } from '../errors.ts';
import type { PackedStrings } from '../types.ts';
import { CharsMap } from './charsmap.ts';
import { readFields, type WireField } from './sentencepiece-wire.ts';
import { StringIndex } from './string-index.ts';

/** Kinds of pieces. Source: ModelProto.SentencePiece.Type in sentencepiece_model.proto. */
export const pieceTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** How a model cuts normalized text. Source: TrainerSpec.ModelType in sentencepiece_model.proto. */
export const modelTypes = ['', 'unigram', 'bpe', 'word', 'char'] as const;
export type ModelType = 'unigram' | 'bpe' | 'word' | 'char';

/** What is done to texts before they are cut, and undone after. */
export interface NormalizerSpec {
  charsMap: CharsMap | undefined;
  addDummyPrefix: boolean;
  removeExtraSpaces: boolean;
  escapeSpaces: boolean;
  /** The space after a word belongs to it instead of the one before. */
  spaceBehind: boolean;
}

/** A SentencePiece model: pieces where they lie in the file, and how they are used. */
export interface SentencePieceModel {
  readonly name: string;
  readonly type: ModelType;
  readonly byteFallback: boolean;
  readonly unknownSurface: string;
  readonly normalizer: NormalizerSpec;
  readonly strings: PackedStrings;
  readonly count: number;
  readonly scores: Float32Array;
  readonly types: Uint8Array;
  readonly index: StringIndex;
  readonly unknownId: number;
  /** By the names of trainer_spec: -1 for none. */
  readonly ids: { bos: number; eos: number; pad: number };
}

/** Least bytes of a piece: tag and length of the message, tag and length of its text, and one byte of text. */
const leastPieceBytes = 5;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

interface Trainer {
  type: number;
  byteFallback: boolean;
  spaceBehind: boolean;
  surface: string;
  pieces: { bos: string; eos: string; pad: string };
}

interface Normalizer {
  charsMap: Uint8Array | undefined;
  addDummyPrefix: boolean;
  removeExtraSpaces: boolean;
  escapeSpaces: boolean;
}

/**
 * Reads a .model or .spm file of SentencePiece.
 *
 * Source: sentencepiece_model.proto, and ModelInterface::InitializePieces for what is refused.
 * Cost: one pass over the bytes; pieces stay where they lie.
 * @throws EmbError "corrupt" for broken protobuf or contradicting pieces
 */
export function readSentencePiece(name: string, bytes: Uint8Array): SentencePieceModel {
  const capacity = Math.floor(bytes.length / leastPieceBytes) + 1;
  const starts = new Uint32Array(capacity);
  const ends = new Uint32Array(capacity);
  const scores = new Float32Array(capacity);
  const types = new Uint8Array(capacity);
  let count = 0;
  let trainer = readTrainer(name, bytes, 0, 0);
  let normalizer = readNormalizer(name, bytes, 0, 0);
  const float = new DataView(new ArrayBuffer(4));
  const piece = ({ number, wire, value, start, end }: WireField): void => {
    if (number === 1 && wire === 2) {
      starts[count] = start;
      ends[count] = end;
    } else if (number === 2 && wire === 5) {
      float.setUint32(0, value);
      scores[count] = float.getFloat32(0);
    } else if (number === 3 && wire === 0) types[count] = value;
  };
  readFields(name, bytes, 0, bytes.length, ({ number, wire, start, end }) => {
    if (wire !== 2) return;
    if (number === 1) {
      if (count === capacity) refuseEmpty(name, count);
      types[count] = pieceTypes.normal;
      readFields(name, bytes, start, end, piece);
      if (starts[count] === ends[count]) refuseEmpty(name, count);
      count++;
    } else if (number === 2) trainer = readTrainer(name, bytes, start, end);
    else if (number === 3) normalizer = readNormalizer(name, bytes, start, end);
  });
  const type = modelTypes[trainer.type] as ModelType | '' | undefined;
  if (type === undefined || type === '')
    throw new EmbError('corrupt', `${name}: "model_type" is ${trainer.type}, expected 1 to 4`);
  const strings = { bytes, starts: starts.subarray(0, count), ends: ends.subarray(0, count) };
  const index = new StringIndex(strings);
  const idOf = (text: string): number => {
    const spelled = encoder.encode(text);
    return index.find(spelled, 0, spelled.length);
  };
  const kinds = types.subarray(0, count);
  return {
    name,
    type,
    byteFallback: trainer.byteFallback,
    unknownSurface: trainer.surface,
    normalizer: {
      ...normalizer,
      spaceBehind: trainer.spaceBehind,
      charsMap: normalizer.charsMap === undefined ? undefined : new CharsMap(name, normalizer.charsMap),
    },
    strings,
    count,
    scores: scores.subarray(0, count),
    types: kinds,
    index,
    unknownId: checkedUnknown(name, strings, kinds, index),
    ids: { bos: idOf(trainer.pieces.bos), eos: idOf(trainer.pieces.eos), pad: idOf(trainer.pieces.pad) },
  };
}

function refuseEmpty(name: string, id: number): never {
  throw new EmbError('corrupt', `${name}: "piece" ${id} is empty, expected a text`);
}

/** Id of the one unknown piece; no text is a piece twice. */
function checkedUnknown(name: string, strings: PackedStrings, types: Uint8Array, index: StringIndex): number {
  let unknown = -1;
  for (let id = 0; id < types.length; id++) {
    const first = index.find(strings.bytes, strings.starts[id], strings.ends[id]);
    if (first !== id) {
      const text = decoder.decode(strings.bytes.subarray(strings.starts[id], strings.ends[id]));
      throw new EmbError(
        'corrupt',
        `${name}: "piece" ${id} is ${JSON.stringify(text)} as piece ${first} is, expected another text`,
      );
    }
    if (types[id] !== pieceTypes.unknown) continue;
    if (unknown >= 0)
      throw new EmbError('corrupt', `${name}: pieces ${unknown} and ${id} are unknown, expected one`);
    unknown = id;
  }
  if (unknown < 0)
    throw new EmbError('corrupt', `${name}: 0 of ${types.length} pieces are unknown, expected 1`);
  return unknown;
}

function readTrainer(name: string, bytes: Uint8Array, from: number, to: number): Trainer {
  const text = (start: number, end: number) => decoder.decode(bytes.subarray(start, end));
  const pieces = { bos: '<s>', eos: '</s>', pad: '<pad>' };
  const trainer: Trainer = { type: 1, byteFallback: false, spaceBehind: false, surface: ' \u2047 ', pieces };
  readFields(name, bytes, from, to, ({ number, value, start, end }) => {
    if (number === 3) trainer.type = value;
    else if (number === 24) trainer.spaceBehind = value !== 0;
    else if (number === 35) trainer.byteFallback = value !== 0;
    else if (number === 44) trainer.surface = text(start, end);
    else if (number === 46) pieces.bos = text(start, end);
    else if (number === 47) pieces.eos = text(start, end);
    else if (number === 48) pieces.pad = text(start, end);
  });
  return trainer;
}

function readNormalizer(name: string, bytes: Uint8Array, from: number, to: number): Normalizer {
  const normalizer: Normalizer = {
    charsMap: undefined,
    addDummyPrefix: true,
    removeExtraSpaces: true,
    escapeSpaces: true,
  };
  readFields(name, bytes, from, to, ({ number, value, start, end }) => {
    if (number === 2) normalizer.charsMap = end > start ? bytes.subarray(start, end) : undefined;
    else if (number === 3) normalizer.addDummyPrefix = value !== 0;
    else if (number === 4) normalizer.removeExtraSpaces = value !== 0;
    else if (number === 5) normalizer.escapeSpaces = value !== 0;
  });
  return normalizer;
}
