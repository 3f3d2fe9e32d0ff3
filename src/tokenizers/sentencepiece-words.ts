import type { ChunkModel } from '../kernels/chunks-model.ts';
import type { IdSink, WeighedPiece } from '../types.ts';
import { takenAs } from './bpe-explain.ts';
import { createSpanSink, pushId } from './id-sink.ts';
import { characterBytes } from './sentencepiece-bpe.ts';
import type { Cut } from './sentencepiece-cutter.ts';
import type { SentencePieceModel } from './sentencepiece-model.ts';
import { kernelPairs } from './sentencepiece-pairs.ts';
import type { SentencePieceUse } from './sentencepiece-use.ts';
import { idsBetween, type SymbolRules, traceMerges, traceOf } from './symbol-explain.ts';
import { traceWord } from './weighed-pieces.ts';
import type { WordModel } from './wordpiece.ts';

/** Ids in the file of <0x00> to <0xFF>; the unknown one for those that it lacks. */
export function byteIdsOf({ index, unknownId }: SentencePieceModel): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    const name = Buffer.from(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    const id = index.find(name, 0, name.length);
    return id < 0 ? unknownId : id;
  });
}

const comma = 0x2c;

/** A model of sums with the ids of a class; undefined when its scores are no numbers to be compared. */
function kernelSums(
  model: ChunkModel,
  outerOf: (id: number) => number,
  byteIds: Int32Array | undefined,
): ChunkModel | undefined {
  if (model.kind !== 'best' || model.unknownId === undefined) return undefined;
  const { ids: inner, count } = model.pieces;
  const ids = new Uint32Array(count);
  let size = 0;
  for (let i = 0; i < count; i++) {
    ids[i] = outerOf(inner[i]);
    if (ids[i] >= size) size = ids[i] + 1;
  }
  const scores = new Float64Array(size);
  let areNumbers = Number.isFinite(model.unknownScore);
  for (let i = 0; i < count; i++) {
    const score = model.scores[inner[i]];
    scores[ids[i]] = score;
    if (score - score !== 0) areNumbers = false;
  }
  if (!areNumbers) return undefined;
  return {
    ...model,
    pieces: { ...model.pieces, ids },
    scores,
    unknownId: outerOf(model.unknownId),
    sums: { single: true, byteIds: byteIds?.map(outerOf) },
  };
}

/** Ids in the file of what a class makes of a piece that ends in a comma, the last one for the comma; undefined to leave it. */
export type CutNumber = (piece: Uint8Array) => readonly number[] | undefined;

/** Turns normalized text into the ids of a class: what the model cuts it into, with unknown characters in a row as one token, or their bytes. */
export class SentencePieceWords implements WordModel {
  private readonly model: SentencePieceModel;
  private readonly use: SentencePieceUse;
  private readonly cut: Cut;
  private readonly cutNumber: CutNumber | undefined;
  private readonly pieces = createSpanSink();
  private readyBytes: Int32Array | undefined;

  constructor(model: SentencePieceModel, use: SentencePieceUse, cut: Cut, cutNumber?: CutNumber) {
    this.model = model;
    this.use = use;
    this.cut = cut;
    this.cutNumber = cutNumber;
  }

  encodeWord(bytes: Uint8Array, start: number, end: number, into: IdSink): void {
    const { pieces, model } = this;
    const text = start === 0 ? bytes : bytes.subarray(start);
    const trace = traceOf(into);
    const first = into.length;
    const seen: [start: number, end: number, isWhole: boolean][] = [];
    pieces.length = 0;
    this.cut(text, end - start, pieces, trace && ((...word) => seen.push(word)));
    const { ids, starts, ends, length } = pieces;
    for (let i = 0; i < length; i++) {
      const from = start + starts[i];
      if (ids[i] !== model.unknownId) this.push(ids[i], bytes, from, start + ends[i], into);
      else if (model.byteFallback) this.pushBytes(bytes, from, start + ends[i], into);
      else {
        while (i + 1 < length && ids[i + 1] === model.unknownId) i++;
        this.push(model.unknownId, bytes, from, start + ends[i], into);
      }
    }
    if (trace === undefined) return;
    if (this.cut.rules === undefined) {
      traceWord(into, first, bytes, [start, end], () => this.candidates(bytes, start, end));
      return;
    }
    for (const [from, to, isWhole] of seen) {
      const word = [start + from, start + to] as const;
      const tokens = idsBetween(into, first, ...word);
      if (isWhole) trace.push(takenAs(tokens));
      else traceMerges(trace, bytes, word, tokens, this.outerRules);
    }
  }

  /** How symbols merge, with the ids of the class. */
  private get outerRules(): SymbolRules {
    const { rules } = this.cut as Required<Cut>;
    const outer = (id: number): number => (id < 0 ? id : this.use.outerOf(id));
    return { ...rules, idOf: (bytes, start, end) => outer(rules.idOf(bytes, start, end)) };
  }

  /** What a unigram model weighed in the text that it cut last. */
  private candidates(bytes: Uint8Array, start: number, end: number): Omit<WeighedPiece, 'chosen'>[] {
    const text = start === 0 ? bytes : bytes.subarray(start);
    const pieces = this.cut.unigram?.lattice(text, 0, end - start) ?? [];
    return pieces.map((piece) => ({
      ...piece,
      id: this.use.outerOf(piece.id),
      start: start + piece.start,
      end: start + piece.end,
    }));
  }

  forKernel(): ChunkModel | undefined {
    if (this.cutNumber !== undefined) return undefined;
    this.readyBytes ??= byteIdsOf(this.model);
    const { outerOf } = this.use;
    const model = this.cut.unigram?.forKernel();
    if (model === undefined) return kernelPairs(this.model, outerOf, this.readyBytes);
    return kernelSums(model, outerOf, this.model.byteFallback ? this.readyBytes : undefined);
  }

  private push(id: number, bytes: Uint8Array, start: number, end: number, into: IdSink): void {
    const { outerOf } = this.use;
    const isNumber = this.cutNumber !== undefined && end - start > 1 && bytes[end - 1] === comma;
    const parts = isNumber ? this.cutNumber?.(bytes.subarray(start, end)) : undefined;
    if (parts === undefined) {
      pushId(into, outerOf(id), start, end);
      return;
    }
    const last = parts.length - 1;
    for (let i = 0; i < last; i++) pushId(into, outerOf(parts[i]), start, end - 1);
    pushId(into, outerOf(parts[last]), end - 1, end);
  }

  private pushBytes(bytes: Uint8Array, start: number, end: number, into: IdSink): void {
    this.readyBytes ??= byteIdsOf(this.model);
    for (let at = start; at < end; ) {
      const after = Math.min(end, at + characterBytes(bytes[at]));
      for (let i = at; i < after; i++) this.push(this.readyBytes[bytes[i]], bytes, at, after, into);
      at = after;
    }
  }
}
