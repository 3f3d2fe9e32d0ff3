import type { IdSink } from '../types.ts';
import { traceWord } from './weighed-pieces.ts';
import { type PieceFinder, pushWord, refuseUnknown, type WordModel } from './wordpiece.ts';

/** Whole words or nothing. */
export class WordLevel implements WordModel {
  private readonly name: string;
  private readonly pieces: PieceFinder;
  private readonly unknown: string;
  private readonly unknownId: number | undefined;

  constructor(name: string, pieces: PieceFinder, unknown: string, unknownId: number | undefined) {
    this.name = name;
    this.pieces = pieces;
    this.unknown = unknown;
    this.unknownId = unknownId;
  }

  encodeWord(bytes: Uint8Array, start: number, end: number, into: IdSink): void {
    let id = this.pieces.find(bytes, start, end);
    if (id < 0) id = this.unknownId ?? refuseUnknown(this.name, this.unknown);
    const first = into.length;
    pushWord(id, start, end, into);
    traceWord(into, first, bytes, [start, end]);
  }
}
