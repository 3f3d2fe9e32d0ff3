import { type BpeKernel, createBpeKernel } from '../kernels/bpe.ts';
import type { IdSink } from '../types.ts';
import type { BpeEngine } from './bpe.ts';
import { rehearse, rehearsedUnits } from './bpe-rehearsal.ts';
import { Utf8Text } from './bpe-text.ts';
import { reserveIds } from './id-sink.ts';
import type { Scanner } from './scanner.ts';
import { unpackClasses } from './scanner-classes.ts';
import { pieceEnd } from './tiktoken-text.ts';

/**
 * UTF-16 units, of one text or of many, after which the WebAssembly twin takes over: about where the plain engine would build its
 * table of pairs, which costs more than the twin.
 */
const twinUnits = 2048;

/**
 * Turns texts into ids: the plain engine begins, its WebAssembly twin takes over when there is much text.
 *
 * Cost: fixed memory but for the ids, and what words of more than 128 KiB need.
 */
export class BpeTexts {
  private readonly engine: BpeEngine;
  private readonly scanner: Scanner;
  private readonly after: number;
  private readonly utf8 = new Utf8Text();
  private twin: BpeKernel | undefined;
  private units = 0;
  private isOpened = false;
  private rehearsed = false;

  /** The twin takes over after so many units; with Infinity never. */
  constructor(engine: BpeEngine, scanner: Scanner, after = twinUnits) {
    this.engine = engine;
    this.scanner = scanner;
    this.after = after;
  }

  /** Appends the ids of a text; the sink keeps no spans. Lone surrogates are read as U+FFFD. */
  encode(text: string, into: IdSink): void {
    this.units += text.length;
    if (!this.isOpened && this.units >= this.after) {
      this.isOpened = true;
      this.twin = openTwin(this.engine, this.scanner);
    }
    const before = into.length;
    const reserveRest = (read: number) => {
      // About as many ids as the rest will have; growing step by step would copy them several times.
      reserveIds(into, Math.ceil(1.1 * (into.length - before) * (text.length / read - 1)));
    };
    for (let from = 0; from < text.length; ) {
      const isFirst = from === 0;
      if (this.twin !== undefined) from = encodeByTwin(this.twin, text, from, into, reserveRest);
      // What the twin leaves begins with a word that is too long for it.
      if (from < text.length) from = this.encodePiece(text, from, into);
      if (isFirst && this.twin === undefined) reserveRest(from);
    }
  }

  /** Encodes text[from, ...) up to where it may be cut, and returns that place. */
  private encodePiece(text: string, from: number, into: IdSink): number {
    const { engine, scanner, utf8 } = this;
    if (text.length - from >= rehearsedUnits && !this.rehearsed) {
      rehearse(engine, scanner);
      this.rehearsed = true;
    }
    // Only words of the known rules end where pieces do.
    const to = scanner.rule === undefined ? text.length : pieceEnd(text, from);
    utf8.set(from === 0 && to === text.length ? text : text.slice(from, to));
    engine.encodeWords(utf8.bytes, 0, utf8.length, scanner, into);
    return to;
  }
}

function encodeByTwin(
  twin: BpeKernel,
  text: string,
  from: number,
  into: IdSink,
  reserveRest: (read: number) => void,
): number {
  let isFirst = from === 0;
  return twin.encode(text, from, (ids, read) => {
    reserveIds(into, ids.length);
    into.ids.set(ids, into.length);
    into.length += ids.length;
    if (isFirst) reserveRest(read);
    isFirst = false;
  });
}

/**
 * The twin of an engine with a scanner, where there is one; tests make it take a text in smaller bits.
 *
 * Cost: 5 ms for 50,000 pairs, 15 ms for 200,000.
 */
export function openTwin(
  { model, lowBytes }: BpeEngine,
  { rule }: Scanner,
  bitUnits?: number,
): BpeKernel | undefined {
  if (rule === undefined) return undefined;
  const { byteIds, merges, wholeWord } = model;
  return createBpeKernel(
    { rule, unpackClasses, byteIds, lowBytes, wholeWord, pairs: merges.pairs() },
    bitUnits,
  );
}
