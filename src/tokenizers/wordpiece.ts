import { EmbError } from '../errors.ts';
import type { ChunkModel } from '../kernels/chunks-model.ts';
import type { IdSink, WeighedPiece } from '../types.ts';
import { keepsSpans, reserveIds } from './id-sink.ts';
import type { TriePieces } from './piece-trie.ts';
import { hashPrime } from './tokenizer-json-strings.ts';
import { traceWord } from './weighed-pieces.ts';

/** Finds pieces by their bytes. */
export interface PieceFinder {
  /** Bytes of the longest piece. */
  readonly longest: number;
  /** The hash of no bytes. */
  readonly hashStart: number;
  /** Id of the piece of exactly these bytes, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number;
  /** The same where their hash is known: FNV-1a from hashStart on, with hashPrime of tokenizer-json-strings.ts. */
  findHashed(hash: number, bytes: Uint8Array, start: number, end: number): number;
}

/** A model that turns words into ids. */
export interface WordModel {
  /** Appends the ids of the word bytes[start, end); a sink with spans gets byte offsets into `bytes` too. @throws EmbError "unsupported" for a word that the vocabulary cannot spell */
  encodeWord(bytes: Uint8Array, start: number, end: number, into: IdSink): void;
  /** The same for the WebAssembly twin, where that has rules for it. */
  forKernel?(): ChunkModel | undefined;
}

export interface WordPieceOptions {
  /** As errors name it. */
  name: string;
  pieces: PieceFinder & Partial<TriePieces>;
  /** What pieces inside of a word begin with: "##". */
  prefix: string;
  unknown: { text: string; id: number | undefined };
  /** Words of more characters are unknown. */
  longestWord: number;
}

/**
 * WordPiece: the longest piece that the word begins with, then the longest that the rest begins with; a word that cannot be
 * cut so is one unknown token.
 *
 * Cost: per token at most the bytes of the longest piece.
 * Source: https://github.com/google-research/bert/blob/master/tokenization.py, WordpieceTokenizer.
 */
export class WordPiece implements WordModel {
  private readonly options: WordPieceOptions;
  private readonly prefix: Uint8Array;
  private readonly prefixHash: number;
  /** The prefix and room for a piece after it. */
  private readonly scratch: Uint8Array;

  constructor(options: WordPieceOptions) {
    this.options = options;
    this.prefix = new TextEncoder().encode(options.prefix);
    let hash = options.pieces.hashStart;
    for (const byte of this.prefix) hash = Math.imul(hash ^ byte, hashPrime);
    this.prefixHash = hash;
    this.scratch = new Uint8Array(this.prefix.length + options.pieces.longest);
    this.scratch.set(this.prefix);
  }

  encodeWord(bytes: Uint8Array, start: number, end: number, into: IdSink): void {
    const first = into.length;
    this.cutWord(bytes, start, end, into);
    traceWord(into, first, bytes, [start, end], () => this.tried(bytes, start, end));
  }

  /** Every piece that the word, or what was left of it, begins with: the longest is taken each time. */
  private tried(bytes: Uint8Array, start: number, end: number): Omit<WeighedPiece, 'chosen'>[] {
    const found: Omit<WeighedPiece, 'chosen'>[] = [];
    if (countCharacters(bytes, start, end) > this.options.longestWord) return found;
    for (let at = start; at < end; ) {
      const next = this.findLongest(bytes, at, end, at > start);
      for (let to = next; to > at; to = this.findLongest(bytes, at, to - 1, at > start))
        found.push({ start: at, end: to, id: this.found, score: null, total: null });
      if (next < 0) break;
      at = next;
    }
    return found;
  }

  private cutWord(bytes: Uint8Array, start: number, end: number, into: IdSink): void {
    const from = into.length;
    if (countCharacters(bytes, start, end) > this.options.longestWord) {
      this.pushUnknown(start, end, into);
      return;
    }
    for (let at = start; at < end; ) {
      const next = this.findLongest(bytes, at, end, at > start);
      if (next < 0) {
        into.length = from;
        this.pushUnknown(start, end, into);
        return;
      }
      reserveIds(into, 1);
      into.ids[into.length] = this.found;
      if (keepsSpans(into)) {
        into.starts[into.length] = at;
        into.ends[into.length] = next;
      }
      into.length++;
      at = next;
    }
  }

  forKernel(): ChunkModel | undefined {
    const { pieces, unknown, longestWord } = this.options;
    if (pieces.bytes === undefined) return undefined;
    return {
      kind: 'longest',
      pieces: pieces as TriePieces,
      prefix: this.prefix,
      unknownId: unknown.id,
      longestWord,
    };
  }

  private found = -1;

  /** End of the longest piece at `at`, whose id `found` becomes, or -1. */
  private findLongest(bytes: Uint8Array, at: number, end: number, inside: boolean): number {
    const { pieces } = this.options;
    const { scratch } = this;
    let hash = inside ? this.prefixHash : pieces.hashStart;
    const from = inside ? 0 : this.prefix.length;
    let to = this.prefix.length;
    const last = Math.min(end, at + pieces.longest - (to - from));
    let longest = -1;
    for (let i = at; i < last; ) {
      const byte = bytes[i++];
      hash = Math.imul(hash ^ byte, hashPrime);
      scratch[to++] = byte;
      // Pieces end where characters end.
      if (i < end && (bytes[i] & 0xc0) === 0x80) continue;
      const id = pieces.findHashed(hash, scratch, from, to);
      if (id < 0) continue;
      this.found = id;
      longest = i;
    }
    return longest;
  }

  private pushUnknown(start: number, end: number, into: IdSink): void {
    const { name, unknown } = this.options;
    pushWord(unknown.id ?? refuseUnknown(name, unknown.text), start, end, into);
  }
}

/** Appends one token that is the whole word. */
export function pushWord(id: number, start: number, end: number, into: IdSink): void {
  reserveIds(into, 1);
  into.ids[into.length] = id;
  if (keepsSpans(into)) {
    into.starts[into.length] = start;
    into.ends[into.length] = end;
  }
  into.length++;
}

export function refuseUnknown(name: string, token: string): never {
  throw new EmbError(
    'unsupported',
    `${name}: "${token}" is no token of the vocabulary, expected one for words that it cannot spell`,
  );
}

export function countCharacters(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) if ((bytes[i] & 0xc0) !== 0x80) count++;
  return count;
}
