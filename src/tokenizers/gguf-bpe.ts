import type { IdSink, PackedStrings } from '../types.ts';
import { BpeEngine, type BpeModel } from './bpe.ts';
import { takenAs } from './bpe-explain.ts';
import { type MergeList, MergeTable } from './bpe-merges.ts';
import { toUtf16Spans, Utf8Text } from './bpe-text.ts';
import { BpeTexts } from './bpe-texts.ts';
import { type Cuts, cutsOf } from './gguf-cuts.ts';
import { byteTokens, type GgufPieces } from './gguf-pieces.ts';
import type { WordRule } from './gguf-words.ts';
import { keepsSpans, pushId } from './id-sink.ts';
import { noMerge, SymbolMerger } from './sentencepiece-bpe.ts';
import { StringIndex } from './string-index.ts';
import { idsBetween, type SymbolRules, traceMerges, traceOf, wordsBetweenMarks } from './symbol-explain.ts';
import type { AlignedText } from './tokenizer-json-aligned.ts';
import { writePiece } from './tokenizer-json-bytes.ts';

/** UTF-8 bytes that are merged by looking at the merges where they lie before it is worth building tables of ids. */
const coldBytes = 16_384;

/**
 * Byte pair encoding with the merges of a GGUF file.
 *
 * Merges are looked up as the strings that they are, as llama.cpp does: "a b" joins a and b, whatever tokens they are. Long texts get
 * tables of ids where that gives the same.
 * Source: llm_tokenizer_bpe_session in llama.cpp's src/llama-vocab.cpp.
 */
export class GgufBpe {
  private readonly pieces: GgufPieces;
  private readonly rule: WordRule;
  private readonly mergeStrings: PackedStrings;
  private readonly cuts: Cuts;
  private readonly utf8 = new Utf8Text();
  private readonly merger = new SymbolMerger();
  private readonly wordEnds = new Int32Array(1024);
  private readonly cost: (bytes: Uint8Array, start: number, middle: number, end: number) => number;
  private scratch = new Uint8Array(256);
  private readyMerges: StringIndex | undefined;
  private fallback: Int32Array | undefined;
  private merged = 0;
  private engine: BpeEngine | undefined;
  private texts: BpeTexts | undefined;
  private isTried = false;

  constructor(name: string, pieces: GgufPieces, merges: PackedStrings, rule: WordRule) {
    this.pieces = pieces;
    this.rule = rule;
    this.mergeStrings = merges;
    this.cuts = cutsOf(name, rule);
    this.cost = (bytes, start, middle, end) => {
      const rank = this.merges.findPair(bytes, start, middle, end);
      return rank < 0 ? noMerge : rank;
    };
  }

  private get merges(): StringIndex {
    this.readyMerges ??= new StringIndex(this.mergeStrings);
    return this.readyMerges;
  }

  encode(text: string, shift: number, _afterSpecial: boolean, into: IdSink): void {
    const spelled = this.rule.escapesSpaces ? text.replaceAll(' ', '▁') : text;
    let parts: AlignedText[] = [{ text: spelled, shift }];
    const tracked = keepsSpans(into);
    for (const split of this.cuts.splits) parts = parts.flatMap((part) => split(part, tracked));
    for (const part of parts) this.encodePart(part, into);
  }

  private encodePart(part: AlignedText, into: IdSink): void {
    this.merged += part.text.length;
    if (!this.isTried && this.merged > coldBytes) this.warmUp();
    const { engine, texts, utf8 } = this;
    const spans = keepsSpans(into);
    if (texts !== undefined && !spans) {
      texts.encode(part.text, into);
      return;
    }
    const from = into.length;
    utf8.set(part.text);
    // Words are explained by the strings, which is what the tables of ids were made of.
    if (engine !== undefined && traceOf(into) === undefined)
      engine.encodeWords(utf8.bytes, 0, utf8.length, this.cuts.scanner, into);
    else this.encodeWords(into);
    if (!spans) return;
    const starts = into.starts.subarray(from, into.length);
    const ends = into.ends.subarray(from, into.length);
    toUtf16Spans(utf8.bytes, utf8.length, starts, ends, starts.length, part.text.length);
    for (let i = 0; i < starts.length; i++) {
      starts[i] += part.shift;
      ends[i] += part.shift;
    }
  }

  /** The words of the text in utf8, each merged by the strings. */
  private encodeWords(into: IdSink): void {
    const { utf8, wordEnds } = this;
    for (let at = 0; at < utf8.length; ) {
      const count = this.cuts.scanner.scan(utf8.bytes, at, utf8.length, wordEnds);
      for (let i = 0; i < count; i++) {
        if (this.rule.escapesSpaces) this.encodeRaw(at, wordEnds[i], into);
        else this.encodeSpelled(at, wordEnds[i], into);
        at = wordEnds[i];
      }
    }
  }

  /** A word whose bytes are written as characters. */
  private encodeSpelled(start: number, end: number, into: IdSink): void {
    if (this.scratch.length < 2 * (end - start)) this.scratch = new Uint8Array(4 * (end - start));
    const { scratch, pieces, merger } = this;
    const length = writePiece(this.utf8.bytes, start, end, scratch);
    const whole = this.rule.ignoreMerges ? pieces.find(scratch, 0, length) : -1;
    if (whole >= 0) {
      this.pushWhole(whole, start, end, into);
      return;
    }
    const first = into.length;
    merger.merge(scratch, 0, length, this.cost);
    let at = start;
    for (let i = 0; i < merger.count; i++) {
      const [from, to] = [merger.starts[i], merger.starts[i + 1]];
      let after = at;
      for (let j = from; j < to; j++) if ((scratch[j] & 0xc0) !== 0x80) after++;
      const id = pieces.find(scratch, from, to);
      if (id >= 0) pushId(into, id, at, after);
      else this.pushLetters(scratch, from, to, at, into);
      at = after;
    }
    const trace = traceOf(into);
    if (trace === undefined) return;
    traceMerges(trace, scratch, [0, length], idsBetween(into, first, start, end), this.rules);
  }

  private pushWhole(id: number, start: number, end: number, into: IdSink): void {
    pushId(into, id, start, end);
    traceOf(into)?.push(takenAs([id]));
  }

  private get rules(): SymbolRules {
    const idOf: SymbolRules['idOf'] = (bytes, start, end) => this.pieces.find(bytes, start, end);
    return { cost: this.cost, by: 'rank', idOf };
  }

  /** What is no token is spelled by tokens of single ASCII bytes; other bytes have none and are dropped. */
  private pushLetters(bytes: Uint8Array, from: number, to: number, at: number, into: IdSink): void {
    let place = at;
    for (let j = from; j < to; j++) {
      const id = this.pieces.find(bytes, j, j + 1);
      if (id >= 0) pushId(into, id, place, place + 1);
      if ((bytes[j] & 0xc0) !== 0x80) place++;
    }
  }

  /** A word that stands for itself; what is no token is spelled by byte tokens. */
  private encodeRaw(start: number, end: number, into: IdSink): void {
    const { pieces, merger } = this;
    const { bytes } = this.utf8;
    const isWhole = this.rule.wholeLines && bytes.subarray(start, end).every((byte) => byte === 0x0a);
    const whole = isWhole ? pieces.find(bytes, start, end) : -1;
    if (whole >= 0) {
      this.pushWhole(whole, start, end, into);
      return;
    }
    const first = into.length;
    merger.merge(bytes, start, end, this.cost);
    this.fallback ??= byteTokens(pieces);
    for (let i = 0; i < merger.count; i++) {
      const [from, to] = [merger.starts[i], merger.starts[i + 1]];
      const id = pieces.find(bytes, from, to);
      if (id >= 0) pushId(into, id, from, to);
      else
        for (let j = from; j < to; j++)
          if (this.fallback[bytes[j]] >= 0) pushId(into, this.fallback[bytes[j]], j, j + 1);
    }
    const trace = traceOf(into);
    if (trace === undefined) return;
    for (const word of wordsBetweenMarks(bytes, merger.starts, merger.count, false))
      traceMerges(trace, bytes, word, idsBetween(into, first, ...word), this.rules);
  }

  /** Builds tables of ids, unless a byte or a part of a merge is no token: then only the strings are right. */
  private warmUp(): void {
    this.isTried = true;
    if (this.rule.escapesSpaces) return;
    const byteIds = byteIdsOf(this.pieces);
    const list = byteIds && this.resolveMerges();
    if (byteIds === undefined || list === undefined) return;
    const { pieces } = this;
    let scratch = new Uint8Array(256);
    const wholeWord: BpeModel['wholeWord'] = (bytes, start, end) => {
      if (scratch.length < 2 * (end - start)) scratch = new Uint8Array(4 * (end - start));
      return pieces.find(scratch, 0, writePiece(bytes, start, end, scratch));
    };
    this.engine = new BpeEngine({
      byteIds,
      merges: MergeTable.from(list),
      wholeWord: this.rule.ignoreMerges ? wholeWord : undefined,
    });
    this.texts = new BpeTexts(this.engine, this.cuts.scanner);
  }

  private resolveMerges(): MergeList | undefined {
    const { pieces, merges } = this;
    const { bytes, starts, ends } = this.mergeStrings;
    const count = starts.length;
    const list: MergeList = {
      lefts: new Uint32Array(count),
      rights: new Uint32Array(count),
      merged: new Uint32Array(count),
    };
    let joined = new Uint8Array(256);
    for (let i = 0; i < count; i++) {
      const [start, end] = [starts[i], ends[i]];
      // A piece may begin with a space, so the first one parts nothing.
      const space = bytes.indexOf(0x20, start + 1);
      if (space < 0 || space >= end) return undefined;
      if (joined.length < end - start) joined = new Uint8Array(2 * (end - start));
      joined.set(bytes.subarray(start, space));
      joined.set(bytes.subarray(space + 1, end), space - start);
      const [left, right] = [pieces.find(bytes, start, space), pieces.find(bytes, space + 1, end)];
      const whole = pieces.find(joined, 0, end - start - 1);
      // Of a merge that stands twice the first counts.
      if (left < 0 || right < 0 || whole < 0 || merges.find(bytes, start, end) !== i) return undefined;
      list.lefts[i] = left;
      list.rights[i] = right;
      list.merged[i] = whole;
    }
    return list;
  }
}

/** The tokens of single bytes, if there is one of each. */
function byteIdsOf(pieces: GgufPieces): Int32Array | undefined {
  const byte = new Uint8Array(1);
  const piece = new Uint8Array(2);
  const ids = Int32Array.from({ length: 256 }, (_, value) => {
    byte[0] = value;
    return pieces.find(piece, 0, writePiece(byte, 0, 1, piece));
  });
  return ids.every((id) => id >= 0) ? ids : undefined;
}
