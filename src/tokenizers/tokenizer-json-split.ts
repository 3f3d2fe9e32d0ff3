import { Utf8Text } from './bpe-text.ts';
import type { Scanner } from './scanner.ts';
import { AlignedBuilder, type AlignedText, remapAligned, sliceAligned } from './tokenizer-json-aligned.ts';
import { pieceOfText } from './tokenizer-json-bytes.ts';
import type { TextPattern } from './tokenizer-json-pattern.ts';

/** Cuts one text into parts; parts of a text that nobody wants aligned need not be aligned. */
export type SplitStep = (text: AlignedText, tracked: boolean) => AlignedText[];

/** What becomes of the matches of a split. */
export type Behavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';
export const behaviors: readonly Behavior[] = [
  'Removed',
  'Isolated',
  'MergedWithPrevious',
  'MergedWithNext',
  'Contiguous',
];

/** A stretch of text between or in matches. */
interface Stretch {
  start: number;
  end: number;
  matched: boolean;
}

/** Splits at the matches of a pattern, or between them when inverted. Source: split in Hugging Face's normalizer.rs. */
export function splitBy(pattern: TextPattern, invert: boolean, behavior: Behavior): SplitStep {
  return (text) => {
    const stretches = stretchesOf(pattern.find(text.text), text.text.length, invert);
    const parts: AlignedText[] = [];
    for (const { start, end, matched } of joinStretches(stretches, behavior)) {
      if (start < end && !(behavior === 'Removed' && matched)) parts.push(sliceAligned(text, start, end));
    }
    return parts;
  };
}

function stretchesOf(bounds: readonly number[], length: number, invert: boolean): Stretch[] {
  const stretches: Stretch[] = [];
  let done = 0;
  for (let i = 0; i < bounds.length; i += 2) {
    const [start, end] = [bounds[i], bounds[i + 1]];
    if (done !== start) stretches.push({ start: done, end: start, matched: invert });
    stretches.push({ start, end, matched: !invert });
    done = end;
  }
  if (done !== length) stretches.push({ start: done, end: length, matched: invert });
  return stretches;
}

function joinStretches(stretches: readonly Stretch[], behavior: Behavior): Stretch[] {
  if (behavior === 'Removed' || behavior === 'Isolated') return stretches as Stretch[];
  const joined: Stretch[] = [];
  let previous = false;
  const backward = behavior === 'MergedWithNext';
  for (const stretch of backward ? stretches.toReversed() : stretches) {
    const last = joined.at(-1);
    const joins = behavior === 'Contiguous' ? stretch.matched === previous : stretch.matched && !previous;
    if (last === undefined || !joins) joined.push({ ...stretch });
    else if (backward) last.start = stretch.start;
    else last.end = stretch.end;
    previous = stretch.matched;
  }
  return backward ? joined.reverse() : joined;
}

/** Splits a text into the words of a scanner. */
export function splitByScanner(scanner: Scanner): SplitStep {
  const utf8 = new Utf8Text();
  const ends = new Int32Array(1024);
  return (text) => {
    utf8.set(text.text);
    const parts: AlignedText[] = [];
    let at = 0;
    let unit = 0;
    while (at < utf8.length) {
      const count = scanner.scan(utf8.bytes, at, utf8.length, ends);
      for (let i = 0; i < count; i++) {
        const start = unit;
        // Every byte that begins a character is a unit, and one of a long character a second.
        for (; at < ends[i]; at++)
          unit += (utf8.bytes[at] & 0xc0) === 0x80 ? 0 : utf8.bytes[at] >= 0xf0 ? 2 : 1;
        parts.push(sliceAligned(text, start, unit));
      }
    }
    return parts;
  };
}

/** Bytes that are written as what they are. */
const unchanged = /^[!-~]*$/;

/** Writes every byte of a text as a character; all those of a character share its place. */
export const spellBytes: SplitStep = (text, tracked) => {
  if (unchanged.test(text.text)) return [text];
  if (!tracked) return [remapAligned(text, pieceOfText(text.text), undefined)];
  const builder = new AlignedBuilder(tracked);
  let at = 0;
  for (const character of text.text) {
    builder.append(pieceOfText(character), at);
    at += character.length;
  }
  return [remapAligned(text, builder.text, builder.sources)];
};

/** Matches of a regular expression that matches no empty text. */
function matchesOf(expression: RegExp): TextPattern {
  return {
    find(text) {
      const bounds: number[] = [];
      expression.lastIndex = 0;
      for (let found = expression.exec(text); found !== null; found = expression.exec(text)) {
        bounds.push(found.index, expression.lastIndex);
      }
      return bounds;
    },
  };
}

/** Each number character, as Rust's char::is_numeric has it. */
export const digitPattern = matchesOf(/\p{N}/gu);

/** Each white space character. */
export const spacePattern = matchesOf(/\p{White_Space}/gu);

/** Words and runs of anything else but white space, as Rust's regex crate has `\w+|[^\w\s]+`. */
export const wordPattern = matchesOf(
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu,
);

/**
 * Punctuation that came after Unicode 8, which is what the crate unicode_categories 0.1.1 knows.
 *
 * Source: that crate's answers for every code point against ICU's of Unicode 17.
 */
const newerPunctuation =
  '\\u{61d}\\u{9fd}\\u{a76}\\u{c77}\\u{c84}\\u{1b4e}\\u{1b4f}\\u{1b7d}-\\u{1b7f}\\u{2e43}-\\u{2e4f}\\u{2e52}-\\u{2e5d}' +
  '\\u{10d6e}\\u{10ead}\\u{10ed0}\\u{10f55}-\\u{10f59}\\u{10f86}-\\u{10f89}\\u{113d4}\\u{113d5}\\u{113d7}\\u{113d8}' +
  '\\u{1144b}-\\u{1144f}\\u{1145a}\\u{1145b}\\u{1145d}\\u{11660}-\\u{1166c}\\u{116b9}\\u{1183b}\\u{11944}-\\u{11946}' +
  '\\u{119e2}\\u{11a3f}-\\u{11a46}\\u{11a9a}-\\u{11a9c}\\u{11a9e}-\\u{11aa2}\\u{11b00}-\\u{11b09}\\u{11be1}' +
  '\\u{11c41}-\\u{11c45}\\u{11c70}\\u{11c71}\\u{11ef7}\\u{11ef8}\\u{11f43}-\\u{11f4f}\\u{11fff}\\u{12ff1}\\u{12ff2}' +
  '\\u{16d6d}-\\u{16d6f}\\u{16e97}-\\u{16e9a}\\u{16fe2}\\u{1e5ff}\\u{1e95e}\\u{1e95f}';

let punctuation: TextPattern | undefined;

/** Each punctuation character, and each of ASCII's symbols. */
export function punctuationPattern(): TextPattern {
  punctuation ??= matchesOf(
    new RegExp(`[[\\p{P}$+<=>\\^\`\\|~\\u{166d}\\u{111c9}]--[${newerPunctuation}]]`, 'gv'),
  );
  return punctuation;
}
