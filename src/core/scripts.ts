/** Scripts that are told apart, as Unicode names them; what is none of them is "Other". Common: digits, punctuation, symbols, emoji, spaces. */
const scriptNames = [
  'Latin',
  'Common',
  'Inherited',
  'Cyrillic',
  'Han',
  'Arabic',
  'Devanagari',
  'Hiragana',
  'Katakana',
  'Hangul',
  'Greek',
  'Hebrew',
  'Thai',
  'Bengali',
  'Tamil',
  'Telugu',
  'Kannada',
  'Malayalam',
  'Gujarati',
  'Gurmukhi',
  'Oriya',
  'Sinhala',
  'Georgian',
  'Armenian',
  'Ethiopic',
  'Khmer',
  'Lao',
  'Myanmar',
  'Tibetan',
  'Mongolian',
  'Cherokee',
  'Syriac',
  'Thaana',
] as const;

export type Script = (typeof scriptNames)[number] | 'Other';

/** Made when first asked: 33 patterns take V8 half a millisecond, and few commands tell scripts apart. */
let patterns: { name: Script; pattern: RegExp }[] | undefined;

/** Scripts of code points that were asked for: texts have few different ones. */
const known = new Map<number, Script>();

/**
 * The script of a code point (Unicode's Script property of the engine's version).
 *
 * Marks that any script may use are Inherited.
 * Cost: a table lookup after the first time.
 */
export function scriptOf(codePoint: number): Script {
  let script = known.get(codePoint);
  if (script === undefined) {
    const text = String.fromCodePoint(codePoint);
    patterns ??= scriptNames.map((name) => ({ name, pattern: new RegExp(`^\\p{Script=${name}}$`, 'u') }));
    script = patterns.find(({ pattern }) => pattern.test(text))?.name ?? 'Other';
    known.set(codePoint, script);
  }
  return script;
}

/**
 * The script of a piece of text: of its first character that has one of its own, else Common.
 *
 * @param end UTF-16 offset behind the piece
 */
export function scriptOfSpan(text: string, start: number, end: number): Script {
  let common: Script = 'Common';
  for (let at = start; at < end; ) {
    const codePoint = text.codePointAt(at) as number;
    const script = scriptOf(codePoint);
    if (script !== 'Common' && script !== 'Inherited') return script;
    common = script === 'Common' ? script : common;
    at += codePoint > 0xffff ? 2 : 1;
  }
  return common;
}
