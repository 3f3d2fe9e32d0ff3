import type { IdSink } from '../types.ts';
import type { WordModel } from './wordpiece.ts';

/** What a character does to a word. */
export type CharacterKind = 'joins' | 'extends' | 'breaks' | 'alone' | 'space' | 'general';

/** What becomes of a character wherever it stands, or 'general' where that depends on its neighbors. */
export type LearnCharacter = (character: string) => { kind: CharacterKind; text: string };

/** How words begin and end where there are spaces. */
export interface SpaceRule {
  /** What a space becomes: nothing, the beginning of a word, or a part of one. */
  space: 'dropped' | 'begins' | 'joins';
  /** What a space becomes, and with dropped ones every word begins with; '' for none. */
  mark: string;
  /** A chunk that begins with no space gets the mark too. */
  marksStart: boolean;
  /** Neighboring spaces are for the general way. */
  single: boolean;
}

const joins = 1;
const breaks = 2;
const alone = 3;
const spaces = 4;
const general = 5;
/** Joins, unless it and the character before it have fewer than six bytes. */
const extending = 6;
const numbers = { joins, extends: extending, breaks, alone, space: spaces, general };

/** Stands for CR and LF, which are one character: a code point that no text has. */
const lineEnd = 0xd800;

/** Longest text of a character that is remembered. */
const longestText = 32;

const encoder = new TextEncoder();

/**
 * Normalizes and cuts chunks byte by byte, for rules under which each character has a fate of its own.
 *
 * Cost: a table look-up for a character that was met before; 6 MB, of which only the pages of met characters are touched.
 */
export class DirectWords {
  private readonly model: WordModel;
  private readonly learn: LearnCharacter;
  readonly rule: SpaceRule;
  /** Every character but the space and the mark is a part of words, as it is. */
  readonly isPlain: boolean;
  private readonly mark: Uint8Array;
  private readonly kinds = new Uint8Array(0x110000);
  /** Place and size of a character's text: place << 6 | bytes. */
  private readonly places = new Int32Array(0x110000);
  private texts = new Uint8Array(4096);
  private length = 0;
  private word = new Uint8Array(256);

  constructor(model: WordModel, rule: SpaceRule, learn: LearnCharacter, isPlain = false) {
    this.model = model;
    this.isPlain = isPlain;
    this.rule = rule;
    this.learn = learn;
    this.mark = encoder.encode(rule.mark);
  }

  /** Appends the ids of the chunk bytes[start, end), or gives false, having appended some, when it needs the general way. */
  encode(bytes: Uint8Array, start: number, end: number, into: IdSink): boolean {
    const { kinds, places, model, mark, rule } = this;
    const dropped = rule.space === 'dropped';
    // Room for the longest text of every byte.
    if (this.word.length < (end - start) * 4 + 64) this.word = new Uint8Array((end - start) * 8 + 64);
    let { word } = this;
    let to = 0;
    let wasSpace = false;
    let isStart = rule.marksStart;
    let width = 0;
    for (let at = start; at < end; at += width) {
      const before = width;
      const lead = bytes[at];
      let code = lead;
      if (lead < 0x80) {
        width = 1;
        if (lead === 13 && bytes[at + 1] === 10 && at + 1 < end) {
          code = lineEnd;
          width = 2;
        }
      } else if (lead < 0xe0) {
        code = ((lead & 0x1f) << 6) | (bytes[at + 1] & 0x3f);
        width = 2;
      } else if (lead < 0xf0) {
        code = ((lead & 0x0f) << 12) | ((bytes[at + 1] & 0x3f) << 6) | (bytes[at + 2] & 0x3f);
        width = 3;
      } else {
        code =
          ((lead & 7) << 18) |
          ((bytes[at + 1] & 0x3f) << 12) |
          ((bytes[at + 2] & 0x3f) << 6) |
          (bytes[at + 3] & 0x3f);
        width = 4;
      }
      const kind = kinds[code] || this.learnCode(code);
      if (kind === general) return false;
      const place = places[code];
      const { texts } = this;
      const first = place >>> 6;
      const last = first + (place & 63);
      if (kind === joins || kind === extending) {
        if (kind === extending && (before < 3 || width < 3)) return false;
        if (last - first + mark.length + to > word.length) {
          word = new Uint8Array(2 * (last - first + mark.length + to));
          word.set(this.word.subarray(0, to));
          this.word = word;
        }
        if (last === first) continue;
        if (to === 0 && (dropped || isStart)) for (let i = 0; i < mark.length; i++) word[to++] = mark[i];
        for (let i = first; i < last; i++) word[to++] = texts[i];
        wasSpace = false;
        isStart = false;
        continue;
      }
      if (kind === spaces) {
        if (wasSpace && rule.single) return false;
        wasSpace = true;
        isStart = false;
        if (to > 0 && rule.space !== 'joins') {
          model.encodeWord(word, 0, to, into);
          to = 0;
        }
        if (!dropped) for (let i = 0; i < mark.length; i++) word[to++] = mark[i];
        continue;
      }
      if (to > 0) model.encodeWord(word, 0, to, into);
      to = 0;
      if (kind === alone) model.encodeWord(texts, first, last, into);
    }
    if (to > 0) model.encodeWord(word, 0, to, into);
    return true;
  }

  /** Number of what a code point does to a word, and what it becomes there; 0xd800 stands for CR and LF. */
  fateOf(code: number): { kind: number; text: string } {
    const { kind, text } = this.learn(code === lineEnd ? '\r\n' : String.fromCodePoint(code));
    const isText = kind !== 'space' && kind !== 'breaks';
    return {
      kind: 3 * text.length > longestText && Buffer.byteLength(text) > longestText ? general : numbers[kind],
      text: isText ? text : '',
    };
  }

  private learnCode(code: number): number {
    const { kind: number, text } = this.fateOf(code);
    const bytes = encoder.encode(text);
    this.kinds[code] = number;
    if (this.texts.length < this.length + bytes.length) {
      const larger = new Uint8Array(2 * this.texts.length);
      larger.set(this.texts);
      this.texts = larger;
    }
    this.texts.set(bytes, this.length);
    this.places[code] = (this.length << 6) | bytes.length;
    this.length += bytes.length;
    return number;
  }
}
