import { EmbError } from '../errors.ts';
import { nearestNames } from '../text/nearest.ts';
import type { EncodeOptions, ExplainedWord, IdSink, Token, Tokenizer } from '../types.ts';
import { BpeEngine } from './bpe.ts';
import { explainWords } from './bpe-explain.ts';
import { MergeTable } from './bpe-merges.ts';
import { toUtf16Spans, Utf8Text } from './bpe-text.ts';
import { BpeTexts } from './bpe-texts.ts';
import { createIdSink, createSpanSink, pushId } from './id-sink.ts';
import type { RankSource } from './ranks.ts';
import { gpt2ByteOrder, RankBytes } from './ranks-bytes.ts';
import type { Scanner } from './scanner.ts';
import { spellBytes, unspellBytes } from './tiktoken-text.ts';

/** Every special token of the built-in encodings is written like this. */
const specialPattern = /<\|[a-z0-9_]+\|>/g;

interface ShownPiece {
  text: string;
  bytes: Uint8Array;
}

/** Tokens whose looks are kept: some megabytes. */
const mostShown = 32_768;

/** One of OpenAI's encodings. */
export class TiktokenTokenizer implements Tokenizer {
  readonly kind = 'tiktoken';
  readonly explains = 'merges';
  readonly name: string;
  readonly vocabSize: number;
  private readonly engine: BpeEngine;
  private readonly texts: BpeTexts;
  private readonly scanner: Scanner;
  private readonly pieces: RankBytes;
  private readonly highestRank: number;
  private readonly specials: ReadonlyMap<string, number>;
  private readonly specialNames = new Map<number, string>();
  private readonly utf8 = new Utf8Text();
  /** For one text after the other. */
  private readonly spans = createSpanSink();
  private readonly shownPieces = new Map<number, ShownPiece>();

  /** Tests choose after how many UTF-16 units WebAssembly takes over. */
  constructor(
    name: string,
    ranks: RankSource,
    scanner: Scanner,
    specials: ReadonlyMap<string, number>,
    twinAfter?: number,
  ) {
    this.name = name;
    this.scanner = scanner;
    this.specials = specials;
    for (const [token, id] of specials) this.specialNames.set(id, token);
    const byteIds = new Int32Array(256);
    for (let id = 0; id < 256; id++) byteIds[gpt2ByteOrder[id]] = id;
    this.engine = new BpeEngine({ byteIds, merges: MergeTable.fromPacked(ranks) });
    this.texts = new BpeTexts(this.engine, scanner, twinAfter);
    this.pieces = new RankBytes(ranks);
    this.highestRank = ranks.highest;
    this.vocabSize = Math.max(ranks.highest, ...specials.values()) + 1;
  }

  encodeIds(text: string, into: IdSink, options: EncodeOptions = {}): void {
    if (options.allowSpecial !== true) {
      this.texts.encode(text, into);
      return;
    }
    for (const part of this.splitSpecials(text)) {
      if (part.special === undefined) this.texts.encode(part.text, into);
      else pushId(into, part.special, 0, 0);
    }
  }

  encode(text: string, options: EncodeOptions = {}): Token[] {
    if (options.allowSpecial !== true) return this.plainTokens(text, 0);
    const tokens: Token[] = [];
    for (const part of this.splitSpecials(text)) {
      if (part.special === undefined) {
        for (const token of this.plainTokens(part.text, part.start)) tokens.push(token);
      } else {
        const end = part.start + part.text.length;
        const bytes = Buffer.from(part.text);
        tokens.push({
          id: part.special,
          text: part.text,
          bytes,
          start: part.start,
          end,
          special: true,
          stage: 'added token',
        });
      }
    }
    return tokens;
  }

  explain(text: string, options: EncodeOptions = {}): Iterable<ExplainedWord> {
    const parts = options.allowSpecial === true ? [...this.splitSpecials(text)] : [{ text }];
    return explainWords((into) => {
      for (const part of parts) {
        if ('special' in part) continue;
        this.utf8.set(part.text);
        this.engine.encodeWords(this.utf8.bytes, 0, this.utf8.length, this.scanner, into);
      }
    });
  }

  private plainTokens(text: string, offset: number): Token[] {
    const sink = this.spans;
    sink.length = 0;
    this.utf8.set(text);
    const { bytes, length } = this.utf8;
    this.engine.encodeWords(bytes, 0, length, this.scanner, sink);
    const pieces: ShownPiece[] = new Array(sink.length);
    for (let i = 0; i < sink.length; i++)
      pieces[i] = this.shown(sink.ids[i], bytes, sink.starts[i], sink.ends[i]);
    toUtf16Spans(bytes, length, sink.starts, sink.ends, sink.length, text.length);
    return pieces.map((piece, i) => ({
      id: sink.ids[i],
      text: piece.text,
      bytes: piece.bytes,
      start: offset + sink.starts[i],
      end: offset + sink.ends[i],
      special: false,
      stage: 'model',
    }));
  }

  /** What a token that lies in bytes[start, end) looks like, which is the same wherever it stands. */
  private shown(id: number, bytes: Uint8Array, start: number, end: number): ShownPiece {
    let piece = this.shownPieces.get(id);
    if (piece === undefined) {
      const own = bytes.slice(start, end);
      piece = { text: spellBytes(own), bytes: own };
      if (this.shownPieces.size === mostShown) this.shownPieces.clear();
      this.shownPieces.set(id, piece);
    }
    return piece;
  }

  private *splitSpecials(text: string): Generator<{ text: string; start: number; special?: number }> {
    let start = 0;
    for (const match of text.matchAll(specialPattern)) {
      const special = this.specials.get(match[0]);
      if (special === undefined) continue;
      if (match.index > start) yield { text: text.slice(start, match.index), start };
      yield { text: match[0], start: match.index, special };
      start = match.index + match[0].length;
    }
    if (start < text.length) yield { text: text.slice(start), start };
  }

  decodeBytes(ids: ArrayLike<number>): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < ids.length; i++) {
      const bytes = this.bytesOf(ids[i]);
      if (bytes === undefined) {
        throw new EmbError(
          'range',
          `"id" is ${ids[i]}, expected a token of ${this.name} (0 to ${this.vocabSize - 1})`,
          ids[i] < this.vocabSize && ids[i] >= 0 ? `${this.name} leaves this id unused` : undefined,
        );
      }
      parts.push(bytes);
    }
    return Buffer.concat(parts);
  }

  tokenOf(id: number): string | undefined {
    const special = this.specialNames.get(id);
    if (special !== undefined) return special;
    const bytes = this.pieceOf(id);
    return bytes === undefined ? undefined : spellBytes(bytes);
  }

  bytesOf(id: number): Uint8Array | undefined {
    const special = this.specialNames.get(id);
    return special === undefined ? this.pieceOf(id) : Buffer.from(special);
  }

  private pieceOf(id: number): Uint8Array | undefined {
    return Number.isInteger(id) && id >= 0 && id <= this.highestRank ? this.pieces.of(id) : undefined;
  }

  idOf(token: string): number | undefined {
    const special = this.specials.get(token);
    if (special !== undefined) return special;
    const exact = this.idOfBytes(Buffer.from(token));
    return exact ?? (token.includes('<0x') ? this.idOfBytes(unspellBytes(token)) : undefined);
  }

  /** Every token is what its own bytes merge to. */
  private idOfBytes(bytes: Uint8Array): number | undefined {
    const sink = createIdSink(16);
    this.engine.encodeWord(bytes, 0, bytes.length, sink);
    return sink.length === 1 ? sink.ids[0] : undefined;
  }

  isSpecial(id: number): boolean {
    return this.specialNames.has(id);
  }

  suggest(token: string, count: number): string[] {
    const bare = token.trim();
    const capital = bare.charAt(0).toUpperCase() + bare.slice(1);
    const spellings = [
      bare,
      ` ${bare}`,
      bare.toLowerCase(),
      ` ${bare.toLowerCase()}`,
      capital,
      ` ${capital}`,
    ];
    const found = new Set(
      spellings.filter((spelling) => spelling !== token && this.idOf(spelling) !== undefined),
    );
    if (found.size < count) {
      for (const name of nearestNames(token, this.names(), count)) found.add(name);
    }
    return [...found].slice(0, count);
  }

  private *names(): Generator<string> {
    yield* this.specials.keys();
    for (let id = 0; id <= this.highestRank; id++) {
      const bytes = this.pieces.of(id);
      if (bytes !== undefined) yield spellBytes(bytes);
    }
  }
}
