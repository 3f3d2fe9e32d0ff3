import { characterFlags, controlFlag, extenderFlag, prependedFlag } from './character-sets.ts';
import { CharsMap } from './charsmap.ts';
import { remapAligned } from './tokenizer-json-aligned.ts';
import { type Part, refuseType, textOf } from './tokenizer-json-file.ts';
import type { Normalizer } from './tokenizer-json-normalizer.ts';
import { applyChanges, type Changed } from './tokenizer-json-unicode.ts';

const encoder = new TextEncoder();

/** Grapheme clusters of so many bytes are never looked up as a whole. */
const longCluster = 6;

/** A normalizer of type Precompiled. @throws EmbError "corrupt" */
export function createPrecompiled(name: string, part: Part): Normalizer {
  const text = textOf(name, part, 'precompiled_charsmap');
  const bytes = Buffer.from(text, 'base64');
  // Buffer.from passes over what is no base64.
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  if (text.length % 4 !== 0 || bytes.length !== (text.length / 4) * 3 - padding)
    refuseType(name, 'precompiled_charsmap', text, 'base64');
  return createCharsMapNormalizer(new CharsMap(name, bytes));
}

/**
 * Replaces what a map of SentencePiece replaces, the way of Hugging Face: a grapheme cluster of fewer than six bytes as a whole by
 * the text of the shortest key that it begins with, otherwise character by character.
 *
 * Source: normalizers/precompiled.rs of Hugging Face's tokenizers, and UAX 29 for the clusters.
 */
function createCharsMapNormalizer(map: CharsMap): Normalizer {
  const bytes = new Uint8Array(longCluster);
  const replacementOf = (part: string): string | undefined => {
    const { written } = encoder.encodeInto(part, bytes);
    return map.find(bytes, 0, written, false) > 0 ? map.textAt(map.place) : undefined;
  };
  const known = new Map<number, string | null>();
  const ofCharacter = (code: number): string | undefined => {
    let text = known.get(code);
    if (text === undefined) {
      text = replacementOf(String.fromCodePoint(code)) ?? null;
      known.set(code, text);
    }
    return text ?? undefined;
  };
  const untouched = new RegExp(`^[${untouchedAscii(ofCharacter)}]*$`);
  return (from, tracked) => {
    const { text } = from;
    if (untouched.test(text)) return from;
    const result = new Replaced(tracked);
    for (let at = 0; at < text.length; ) {
      const end = clusterEnd(text, at);
      const whole = isShort(text, at, end) ? replacementOf(text.slice(at, end)) : undefined;
      if (whole !== undefined) {
        result.replace(countCharacters(text, at, end), whole);
        at = end;
        continue;
      }
      while (at < end) {
        const code = text.codePointAt(at) as number;
        const single = ofCharacter(code);
        if (single === undefined) result.keep(String.fromCodePoint(code));
        else result.replace(1, single);
        at += code > 0xffff ? 2 : 1;
      }
    }
    if (!result.changed) return from;
    if (result.characters === undefined) return remapAligned(from, result.text, undefined);
    return applyChanges(from, result.characters, true);
  };
}

/** The text that replacements make, and if it is to be aligned its characters. */
class Replaced {
  text = '';
  changed = false;
  readonly characters: Changed[] | undefined;

  constructor(tracked: boolean) {
    this.characters = tracked ? [] : undefined;
  }

  keep(character: string): void {
    this.text += character;
    this.characters?.push({ character, change: 0 });
  }

  /** `content` takes the place of so many characters; what is shorter swallows the rest, what is longer has new ones. */
  replace(count: number, content: string): void {
    this.text += content;
    this.changed = true;
    const list = this.characters;
    if (list === undefined) return;
    const first = list.length;
    for (const character of content) list.push({ character, change: 0 });
    const more = list.length - first - count;
    for (let i = list.length - 1; i >= list.length - more; i--) list[i].change = 1;
    // What becomes nothing is swallowed by the character before it, if there is one, even by a new one.
    if (more < 0 && list.length > 0) list[list.length - 1].change += more;
  }
}

function countCharacters(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1) count++;
  return count;
}

/** ASCII's printable characters that stay as they are, as a class of a regular expression. */
function untouchedAscii(replacementOf: (code: number) => string | undefined): string {
  let untouched = '';
  for (let code = 0x20; code < 0x7f; code++) {
    if (replacementOf(code) === undefined) untouched += `\\x${code.toString(16)}`;
  }
  return untouched === '' ? '\\x20&&[^\\x20]' : untouched;
}

/**
 * End of the grapheme cluster at `start`, as far as marks and joiners make one.
 *
 * Clusters of Korean letters, emoji and Indic conjuncts are cut into theirs, which is the same to those who look at short ones only.
 */
function clusterEnd(text: string, start: number): number {
  const first = text.charCodeAt(start);
  const second = text.charCodeAt(start + 1);
  if (first === 0x0d && second === 0x0a) return start + 2;
  if (first < 0x80 && second < 0x80) return start + 1;
  const flags = characterFlags();
  let opened = false;
  let at = start;
  while (at < text.length) {
    const code = text.codePointAt(at) as number;
    const flag = flags[code];
    const next = at + (code > 0xffff ? 2 : 1);
    if (isBreak(code, flag)) return at > start ? at : next;
    if (opened && (flag & extenderFlag) === 0) return at;
    if ((flag & prependedFlag) === 0) opened = true;
    at = next;
  }
  return at;
}

/** Whether text[start, end) is a cluster of several characters, and of fewer than six bytes. */
function isShort(text: string, start: number, end: number): boolean {
  // Three units are three bytes at least, and all but the first character have two.
  if (end - start < 2 || end - start > 3) return false;
  if (Buffer.byteLength(text.slice(start, end)) >= longCluster) return false;
  if ((text.codePointAt(start) as number) > 0xffff && end - start === 2) return false;
  return !isLonger(text, start, end);
}

/** Line ends, control characters and what is kept for such are clusters of their own. */
function isBreak(code: number, flag: number): boolean {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  if ((flag & (extenderFlag | prependedFlag)) !== 0) return false;
  if ((flag & controlFlag) !== 0) return !isPrivate(code);
  if (code === 0x2028 || code === 0x2029 || code === 0x2065) return true;
  return (code >= 0xfff0 && code <= 0xfff8) || (code >= 0xe0000 && code <= 0xe0fff);
}

/** BertNormalizer removes characters of private use, which are no control characters to others. */
function isPrivate(code: number): boolean {
  return (code >= 0xe000 && code <= 0xf8ff) || code >= 0xf0000 || code === 0xfffd;
}

const pictograph = /\p{Extended_Pictographic}/u;

/** Whether text[start, end) is a part of a longer cluster. */
function isLonger(text: string, start: number, end: number): boolean {
  const before = text.charCodeAt(start - 1);
  const first = text.charCodeAt(start);
  if (isKorean(before) && isKorean(first))
    return text.slice(start - 1, start + 1).normalize('NFC').length === 1;
  return (
    text[end - 1] === '\u200d' && pictograph.test(text[start]) && pictograph.test(text.slice(end, end + 2))
  );
}

function isKorean(unit: number): boolean {
  return (unit >= 0x1100 && unit < 0x1200) || (unit >= 0xac00 && unit < 0xd7a4);
}
