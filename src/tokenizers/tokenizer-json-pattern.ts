import { EmbError } from '../errors.ts';
import { type Part, refuseType } from './tokenizer-json-file.ts';
import { translateRegex } from './tokenizer-json-regex.ts';
import { UntranslatedPattern } from './tokenizer-json-regex-class.ts';

/** Finds a pattern in a text. */
export interface TextPattern {
  /** Starts and ends of all matches in order, [start, end, start, end, ...]. */
  find(text: string): number[];
}

/** The pattern in a "pattern" member: { "String": ... } or { "Regex": ... }. @throws EmbError "corrupt" */
export function patternOf(name: string, thing: string, value: unknown): { regex: boolean; text: string } {
  const part = value as Part | null | undefined;
  if (typeof part?.String === 'string') return { regex: false, text: part.String };
  if (typeof part?.Regex === 'string') return { regex: true, text: part.Regex };
  return refuseType(name, thing, value, '{"String": ...} or {"Regex": ...}');
}

/** @throws EmbError "unsupported" for a regular expression that has no exact counterpart in JavaScript */
export function compilePattern(name: string, thing: string, value: unknown): TextPattern {
  const { regex, text } = patternOf(name, thing, value);
  return regex ? compileRegex(name, thing, text) : literalPattern(text);
}

export function literalPattern(wanted: string): TextPattern {
  return {
    find(text) {
      const bounds: number[] = [];
      // An empty text is found before every character and at the end.
      const step = wanted.length;
      if (step === 0) {
        for (let at = 0; at < text.length; at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1)
          bounds.push(at, at);
        if (text.length > 0) bounds.push(text.length, text.length);
        return bounds;
      }
      for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + step))
        bounds.push(at, at + step);
      return bounds;
    },
  };
}

/** A regular expression of Oniguruma. @throws EmbError "unsupported" */
export function compileRegex(name: string, thing: string, pattern: string): TextPattern {
  try {
    const translated = translateRegex(pattern);
    const search = new RegExp(translated.source, 'gv');
    const anchored = translated.anchored === undefined ? undefined : new RegExp(translated.anchored, 'yv');
    return { find: (text) => findAll(name, thing, text, search, anchored) };
  } catch (error) {
    const construct =
      error instanceof UntranslatedPattern
        ? error.construct
        : error instanceof SyntaxError
          ? error.message
          : undefined;
    if (construct === undefined) throw error;
    throw new EmbError(
      'unsupported',
      `${name}: "${thing}" is ${JSON.stringify(pattern)} with ${construct}, expected a pattern that emb can translate`,
      'ids need no tokenizer: give them with --ids',
    );
  }
}

/** Source: FindMatches of the onig crate, whose rule for empty matches this follows. */
function findAll(
  name: string,
  thing: string,
  text: string,
  search: RegExp,
  anchored: RegExp | undefined,
): number[] {
  const bounds: number[] = [];
  let from = 0;
  let lastEnd = -1;
  try {
    while (from <= text.length) {
      const found = findFrom(text, from, search, anchored);
      if (found === undefined) break;
      const [start, end] = found;
      if (start === end && end === lastEnd) {
        from += (text.codePointAt(from) ?? 0) > 0xffff ? 2 : 1;
        continue;
      }
      bounds.push(start, end);
      from = end;
      lastEnd = end;
    }
  } catch (error) {
    // What backtracks too deep overflows the stack of the regular expression engine.
    if (!(error instanceof RangeError)) throw error;
    throw new EmbError(
      'range',
      `${name}: "${thing}" needs too much memory on a text of ${text.length} characters, expected a shorter one`,
    );
  }
  return bounds;
}

function findFrom(
  text: string,
  from: number,
  search: RegExp,
  anchored: RegExp | undefined,
): [number, number] | undefined {
  if (anchored !== undefined) {
    anchored.lastIndex = from;
    if (anchored.test(text)) return [from, anchored.lastIndex];
  }
  search.lastIndex = from;
  for (let found = search.exec(text); found !== null; found = search.exec(text)) {
    const start = found.index;
    if (!isInsidePair(text, start)) return [start, start + found[0].length];
    // V8 lets what looks behind and matches nothing match between surrogates.
    search.lastIndex = start + 1;
  }
  return undefined;
}

function isInsidePair(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit < 0xe000 && at > 0 && (text.codePointAt(at - 1) as number) > 0xffff;
}
