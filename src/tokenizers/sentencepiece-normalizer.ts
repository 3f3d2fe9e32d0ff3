import type { PieceMatcher } from './piece-matcher.ts';
import { characterBytes } from './sentencepiece-bpe.ts';
import type { NormalizerSpec } from './sentencepiece-model.ts';

/** ▁, which stands for a space in pieces. */
export const spaceMark = Uint8Array.of(0xe2, 0x96, 0x81);

/**
 * SentencePiece's normalization of a text, with the place that each byte comes from.
 *
 * Source: Normalizer::Normalize in sentencepiece/src/normalizer.cc.
 */
export class SentencePieceNormalizer {
  /** After `normalize`: bytes[0, length), which come from bytes starts[i] to ends[i] of the text. */
  bytes = new Uint8Array(256);
  starts = new Uint32Array(256);
  ends = new Uint32Array(256);
  length = 0;
  private readonly spec: NormalizerSpec;
  private readonly userDefined: PieceMatcher | undefined;
  private readonly encoder = new TextEncoder();
  private readonly replacements = new Map<number, Uint8Array>();
  /** What the next characters become: content[from, to). */
  private content: Uint8Array = this.bytes;
  private from = 0;
  private to = 0;

  constructor(spec: NormalizerSpec, userDefined: PieceMatcher | undefined) {
    this.spec = spec;
    this.userDefined = userDefined;
  }

  /** text[0, size) is UTF-8. */
  normalize(text: Uint8Array, size: number): void {
    const { removeExtraSpaces, escapeSpaces, spaceBehind, addDummyPrefix } = this.spec;
    this.length = 0;
    let at = 0;
    while (removeExtraSpaces && at < size) {
      const taken = this.take(text, at, size);
      if (this.to - this.from !== 1 || this.content[this.from] !== 0x20) break;
      at += taken;
    }
    if (at >= size) return;
    if (addDummyPrefix && !spaceBehind) this.pushSpace(at, at);
    this.pushCharacters(text, at, size, removeExtraSpaces);
    if (removeExtraSpaces) this.dropSpaces(escapeSpaces ? spaceMark : Uint8Array.of(0x20));
    if (addDummyPrefix && spaceBehind) {
      const end = this.length > 0 ? this.ends[this.length - 1] : size;
      this.pushSpace(end, end);
    }
  }

  /** The same for a part of a text that stands after something visible, and before something else. */
  normalizeInner(text: Uint8Array, size: number): void {
    this.length = 0;
    this.pushCharacters(text, 0, size, false);
  }

  /** `isAfter`: spaces at the beginning follow others, and leave. */
  private pushCharacters(text: Uint8Array, start: number, size: number, isAfter: boolean): void {
    const { removeExtraSpaces } = this.spec;
    let afterSpace = isAfter;
    for (let at = start; at < size; ) {
      const next = at + this.take(text, at, size);
      const { content, to } = this;
      let i = this.from;
      while (afterSpace && i < to && content[i] === 0x20) i++;
      if (i < to) {
        afterSpace = removeExtraSpaces && content[to - 1] === 0x20;
        for (; i < to; i++) {
          if (content[i] === 0x20) this.pushSpace(at, next);
          else this.push(content[i], at, next);
        }
      }
      at = next;
    }
  }

  /** Finds what the text at `at` becomes, and gives how many bytes of it. */
  private take(text: Uint8Array, at: number, size: number): number {
    this.content = text;
    this.from = at;
    const { charsMap } = this.spec;
    if (this.userDefined !== undefined && this.userDefined.matchLongest(text, at, size) >= 0) {
      this.to = this.userDefined.end;
      return this.to - at;
    }
    const mapped = charsMap?.find(text, at, size, true) ?? 0;
    if (mapped > 0 && charsMap !== undefined) {
      let known = this.replacements.get(charsMap.place);
      if (known === undefined) {
        known = this.encoder.encode(charsMap.textAt(charsMap.place));
        this.replacements.set(charsMap.place, known);
      }
      this.content = known;
      this.from = 0;
      this.to = known.length;
      return mapped;
    }
    this.to = Math.min(size, at + characterBytes(text[at]));
    return this.to - at;
  }

  private pushSpace(start: number, end: number): void {
    if (this.spec.escapeSpaces) for (const byte of spaceMark) this.push(byte, start, end);
    else this.push(0x20, start, end);
  }

  private push(byte: number, start: number, end: number): void {
    const at = this.length++;
    if (at === this.bytes.length) this.grow();
    this.bytes[at] = byte;
    this.starts[at] = start;
    this.ends[at] = end;
  }

  private grow(): void {
    const { bytes, starts, ends } = this;
    this.bytes = new Uint8Array(2 * bytes.length);
    this.starts = new Uint32Array(2 * bytes.length);
    this.ends = new Uint32Array(2 * bytes.length);
    this.bytes.set(bytes);
    this.starts.set(starts);
    this.ends.set(ends);
  }

  private dropSpaces(space: Uint8Array): void {
    const { bytes } = this;
    const endsInSpace = () => {
      const from = this.length - space.length;
      return from >= 0 && space.every((byte, i) => bytes[from + i] === byte);
    };
    while (endsInSpace()) this.length -= space.length;
  }
}
