import type { ChunkModel, ChunkPieces } from '../kernels/chunks-model.ts';
import type { IdSink } from '../types.ts';
import type { MergeTable } from './bpe-merges.ts';
import { WordMerger } from './bpe-word.ts';
import { keepsSpans, reserveIds } from './id-sink.ts';
import { writePoint } from './tokenizer-json-strings.ts';
import { type PieceFinder, pushWord, refuseUnknown, type WordModel } from './wordpiece.ts';

const encoder = new TextEncoder();

export interface CharacterBpeOptions {
  /** As errors name it. */
  name: string;
  pieces: PieceFinder;
  /** The same pieces as a list. */
  characters: ChunkPieces;
  merges: MergeTable;
  /** What every character but the first begins with. */
  prefix: string;
  /** What the last character ends with: "</w>". */
  suffix: string;
  /** Ids of <0x00> to <0xFF>, -1 for those that the vocabulary lacks; undefined without byte fallback. */
  byteIds: Int32Array | undefined;
  /** Without it unknown characters are left out. */
  unknown: { text: string; id: number | undefined } | undefined;
  /** Neighboring unknown characters share one token. */
  fuseUnknown: boolean;
  /** A word that is a piece is taken as it is. */
  wholeWords: boolean;
}

/**
 * Byte pair encoding over characters, as SentencePiece's and the first BPE models have it.
 *
 * Cost: O(n log n) for a word of n characters.
 * Source: merge_word in Hugging Face's models/bpe/model.rs.
 */
export class CharacterBpe implements WordModel {
  private readonly options: CharacterBpeOptions;
  private readonly merger = new WordMerger();
  private readonly prefix: Uint8Array;
  private readonly suffix: Uint8Array;
  private readonly scratch: Uint8Array;
  private readonly spelling = new Uint8Array(4);
  /** Id + 1 of the characters of ASCII where they stand alone; -1 for those without. */
  private readonly ascii = new Int32Array(128);

  constructor(options: CharacterBpeOptions) {
    this.options = options;
    this.prefix = encoder.encode(options.prefix);
    this.suffix = encoder.encode(options.suffix);
    this.scratch = new Uint8Array(this.prefix.length + 4 + this.suffix.length);
  }

  encodeWord(bytes: Uint8Array, start: number, end: number, into: IdSink): void {
    if (end <= start) return;
    if (this.options.wholeWords) {
      const whole = this.options.pieces.find(bytes, start, end);
      if (whole >= 0) {
        pushWord(whole, start, end, into);
        if (keepsSpans(into)) into.trace?.push({ ids: [whole], table: undefined });
        return;
      }
    }
    const { merger } = this;
    merger.spans = keepsSpans(into);
    merger.trace = keepsSpans(into) ? into.trace : undefined;
    // With a prefix and a suffix around it, a character can become that many more bytes.
    merger.clear((end - start) * (1 + this.prefix.length + this.suffix.length));
    this.loadCharacters(bytes, start, end);
    merger.merge(this.options.merges);
    const { ids, starts, ends, count } = merger;
    reserveIds(into, count);
    for (let i = 0; i < count; i++) into.ids[into.length + i] = ids[i];
    if (keepsSpans(into)) {
      for (let i = 0; i < count; i++) {
        into.starts[into.length + i] = Math.min(starts[i], end);
        into.ends[into.length + i] = Math.min(ends[i], end);
      }
    }
    into.length += count;
  }

  forKernel(): ChunkModel | undefined {
    const { merges, wholeWords, characters, byteIds } = this.options;
    if (wholeWords || this.prefix.length + this.suffix.length > 0) return undefined;
    const spelling = byteIds?.includes(-1) ? undefined : byteIds;
    return {
      kind: 'pairs',
      symbolsOf: (text) => this.symbolsOf(text),
      pieces: characters,
      spelling,
      pairs: merges.pairs(),
    };
  }

  /** Ids of a character's text before its letters merge; undefined with unknown ones, which depend on their neighbors. */
  private symbolsOf(text: string): number[] | undefined {
    const { byteIds, pieces } = this.options;
    const { spelling } = this;
    const symbols: number[] = [];
    for (let i = 0; i < text.length; ) {
      const code = text.codePointAt(i) as number;
      i += code > 0xffff ? 2 : 1;
      const end = writePoint(spelling, 0, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
      const id = pieces.find(spelling, 0, end);
      if (id >= 0) symbols.push(id);
      for (let at = 0; at < end && id < 0; at++) {
        const byteId = byteIds?.[spelling[at]] ?? -1;
        if (byteId < 0) return undefined;
        symbols.push(byteId);
      }
    }
    return symbols;
  }

  private loadCharacters(bytes: Uint8Array, start: number, end: number): void {
    const { unknown, fuseUnknown } = this.options;
    // Unknown characters wait for the next known one, and bytes pass them by, as in Hugging Face's reader.
    let waiting = 0;
    this.place = start;
    for (let at = start; at < end; ) {
      const lead = bytes[at];
      const after = Math.min(end, at + (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4));
      const id = this.characterId(bytes, at, after, at === start, after === end);
      if (id >= 0) {
        if (waiting > 0) this.push(this.unknownId(), waiting);
        waiting = 0;
        this.push(id, after - at);
      } else if (!this.pushBytes()) {
        if (unknown === undefined) this.place += after - at;
        else if (fuseUnknown) waiting += after - at;
        else {
          if (waiting > 0) this.push(this.unknownId(), waiting);
          waiting = after - at;
        }
      }
      at = after;
    }
    if (waiting > 0) this.push(this.unknownId(), waiting);
  }

  /** Where the next symbol lies: after those before it. */
  private place = 0;

  private push(id: number, size: number): void {
    this.merger.push(id, this.place, this.place + size);
    this.place += size;
  }

  private unknownId(): number {
    const { name, unknown } = this.options;
    return unknown?.id ?? refuseUnknown(name, unknown?.text ?? '');
  }

  /** Id of a character with its prefix and suffix, or -1; scratch holds its bytes afterwards, unless it stands alone. */
  private characterId(bytes: Uint8Array, at: number, after: number, first: boolean, last: boolean): number {
    const { pieces } = this.options;
    const { scratch, prefix, suffix, ascii } = this;
    const alone = (first || prefix.length === 0) && (!last || suffix.length === 0);
    if (alone && after === at + 1) {
      const byte = bytes[at] & 127;
      if (ascii[byte] === 0) {
        const found = pieces.find(bytes, at, after);
        ascii[byte] = found < 0 ? -1 : found + 1;
      }
      scratch[0] = byte;
      this.spelled = 1;
      return ascii[byte] < 0 ? -1 : ascii[byte] - 1;
    }
    let to = 0;
    if (!first) for (const byte of prefix) scratch[to++] = byte;
    for (let i = at; i < after; i++) scratch[to++] = bytes[i];
    if (last) for (const byte of suffix) scratch[to++] = byte;
    this.spelled = to;
    return pieces.find(scratch, 0, to);
  }

  /** Bytes of scratch that the last character has. */
  private spelled = 0;

  /** Pushes the bytes of the last character, if the vocabulary has them all. */
  private pushBytes(): boolean {
    const { byteIds } = this.options;
    if (byteIds === undefined) return false;
    for (let i = 0; i < this.spelled; i++) if (byteIds[this.scratch[i]] < 0) return false;
    for (let i = 0; i < this.spelled; i++) this.push(byteIds[this.scratch[i]], 1);
    return true;
  }
}
