import { type BpeKernel, createBpeKernel } from '../kernels/bpe.ts';
import type { IdSink } from '../types.ts';
import type { BpeEngine } from './bpe.ts';
import { rehearse, rehearsedUnits } from './bpe-rehearsal.ts';
import { Utf8Text } from './bpe-text.ts';
import { reserveIds } from './id-sink.ts';
import type { Scanner } from './scanner.ts';
import { characterClasses } from './scanner-classes.ts';
import { pieceEnd } from './tiktoken-text.ts';

/** UTF-16 units, of one text or of many, after which the WebAssembly twin pays for itself. */
const twinUnits = 32768;

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
    if (this.twin === undefined) {
      this.encodePlain(text, 0, into);
      return;
    }
    const before = into.length;
    const stopped = this.twin.encode(text, 0, (ids, read) => {
      reserveIds(into, ids.length);
      into.ids.set(ids, into.length);
      into.length += ids.length;
      if (into.length - before === ids.length) reserveRest(into, ids.length, read, text.length);
    });
    if (stopped < text.length) this.encodePlain(text, stopped, into);
  }

  private encodePlain(text: string, start: number, into: IdSink): void {
    const { engine, scanner, utf8 } = this;
    if (text.length - start >= rehearsedUnits && !this.rehearsed) {
      rehearse(engine, scanner);
      this.rehearsed = true;
    }
    const before = into.length;
    for (let from = start; from < text.length; ) {
      // Only words of the known rules end where pieces do.
      const to = scanner.rule === undefined ? text.length : pieceEnd(text, from);
      utf8.set(from === 0 && to === text.length ? text : text.slice(from, to));
      engine.encodeWords(utf8.bytes, 0, utf8.length, scanner, into);
      if (from === start) reserveRest(into, into.length - before, to - start, text.length - start);
      from = to;
    }
  }
}

/** Makes room for about as many ids as the rest will have; growing step by step would copy them several times. */
function reserveRest(into: IdSink, count: number, done: number, length: number): void {
  reserveIds(into, Math.ceil(1.1 * count * (length / done - 1)));
}

function openTwin({ model }: BpeEngine, { rule }: Scanner): BpeKernel | undefined {
  if (rule === undefined) return undefined;
  const { byteIds, merges, wholeWord } = model;
  return createBpeKernel({ rule, classes: characterClasses(), byteIds, wholeWord, ...merges.ranked() });
}
