import { characterScripts } from './character-sets.ts';
import { type AlignedText, originalStart, sliceAligned } from './tokenizer-json-aligned.ts';
import { flagOf, type Part, refuseType } from './tokenizer-json-file.ts';
import { prepend, replace } from './tokenizer-json-normalizer.ts';
import { literalPattern } from './tokenizer-json-pattern.ts';
import { punctuationPattern, type SplitStep, spacePattern, splitBy } from './tokenizer-json-split.ts';

/** How a Metaspace writes spaces. */
export interface MetaspaceParts {
  replacement: string;
  scheme: 'always' | 'first' | 'never';
  split: boolean;
}

/** The splits of pre-tokenizers that byte-level models do without; undefined for unknown ones. @throws EmbError "corrupt" */
export function createMoreSplits(name: string, type: string, part: Part): SplitStep[] | undefined {
  switch (type) {
    case 'BertPreTokenizer':
      return [splitBy(spacePattern, false, 'Removed'), splitBy(punctuationPattern(), false, 'Isolated')];
    case 'CharDelimiterSplit':
      return [splitBy(literalPattern(characterOf(name, part, 'delimiter')), false, 'Removed')];
    case 'Metaspace':
      return metaspaceSteps(metaspaceOf(name, 'pre_tokenizer', part));
    case 'UnicodeScripts':
      return [splitScripts];
    case 'FixedLength':
      return [splitFixed(lengthOf(name, part))];
    default:
      return undefined;
  }
}

/** Reads a Metaspace, which is a pre-tokenizer or a decoder. @throws EmbError "corrupt" */
export function metaspaceOf(name: string, thing: string, part: Part): MetaspaceParts {
  const replacement = characterOf(name, part, 'replacement');
  const given = part.prepend_scheme ?? 'always';
  const scheme = schemes.find((each) => each === given);
  if (scheme === undefined)
    return refuseType(name, `${thing}.prepend_scheme`, given, 'always, first or never');
  const prefix = flagOf(name, part, 'add_prefix_space', true);
  if (!prefix && part.prepend_scheme !== undefined && scheme !== 'never') {
    return refuseType(name, `${thing}.prepend_scheme`, scheme, '"never", since "add_prefix_space" is false');
  }
  return { replacement, scheme: prefix ? scheme : 'never', split: flagOf(name, part, 'split', true) };
}

const schemes = ['always', 'first', 'never'] as const;

/** A member of one character. @throws EmbError "corrupt" */
export function characterOf(name: string, part: Part, key: string): string {
  const value = part[key];
  if (typeof value === 'string' && [...value].length === 1) return value;
  return refuseType(name, key, value, 'a character');
}

/** Source: Metaspace in Hugging Face's pre_tokenizers/metaspace.rs. */
function metaspaceSteps({ replacement, scheme, split }: MetaspaceParts): SplitStep[] {
  const space = literalPattern(' ');
  const write: SplitStep = (from, tracked) => {
    const text = replace(from, space, replacement, tracked);
    if (scheme === 'never' || text.text.startsWith(replacement)) return [text];
    return [scheme === 'always' || startsOriginal(text) ? prepend(text, replacement, tracked) : text];
  };
  return split ? [write, splitBy(literalPattern(replacement), false, 'MergedWithNext')] : [write];
}

function startsOriginal(text: AlignedText): boolean {
  return text.text !== '' && originalStart(text, 0) === 0;
}

/** Cuts where the script changes; characters of any script, spaces among them, go with what they follow. */
const splitScripts: SplitStep = (from) => {
  const { text } = from;
  const scripts = characterScripts();
  const han = scripts[0x4e00];
  const parts: AlignedText[] = [];
  let start = -1;
  let last = -1;
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at) as number;
    const script = code === 0x30fc ? han : code === 0x20 ? 0 : scripts[code];
    // What comes before the first character of a script is left out, as in Hugging Face's reader.
    if (script !== 0 && last !== script) {
      if (start >= 0) parts.push(sliceAligned(from, start, at));
      start = at;
    }
    if (script !== 0) last = script;
    at += code > 0xffff ? 2 : 1;
  }
  if (start >= 0) parts.push(sliceAligned(from, start, text.length));
  return parts;
};

function lengthOf(name: string, part: Part): number {
  const length = part.length ?? 5;
  if (typeof length === 'number' && Number.isInteger(length) && length > 0) return length;
  return refuseType(name, 'pre_tokenizer.length', length, 'a count of characters');
}

function splitFixed(length: number): SplitStep {
  return (from) => {
    const { text } = from;
    const parts: AlignedText[] = [];
    let start = 0;
    let count = 0;
    for (let at = 0; at < text.length; ) {
      at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1;
      if (++count < length && at < text.length) continue;
      parts.push(sliceAligned(from, start, at));
      start = at;
      count = 0;
    }
    return parts;
  };
}
