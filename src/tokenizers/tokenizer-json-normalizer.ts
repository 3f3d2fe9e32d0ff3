import { EmbError } from '../errors.ts';
import { isWhiteSpace } from './tokenizer-json-added.ts';
import { AlignedBuilder, type AlignedText, remapAligned, sliceAligned } from './tokenizer-json-aligned.ts';
import { flagOf, type Part, partsOf, textOf, typeOf } from './tokenizer-json-file.ts';
import { compilePattern, type TextPattern } from './tokenizer-json-pattern.ts';
import { type NormalForm, normalizeForm } from './tokenizer-json-unicode.ts';

/** Changes a text before it is cut; without `tracked` the result need not be aligned. */
export type Normalizer = (text: AlignedText, tracked: boolean) => AlignedText;

/** Makes normalizers of other types; undefined for those that it does not know. */
export type MoreNormalizers = (name: string, type: string, part: Part) => Normalizer | undefined;

/**
 * The normalizer that a tokenizer.json describes; undefined when it changes nothing.
 *
 * `more` makes those that byte-level models do without.
 * @throws EmbError "unsupported" naming a normalizer that emb lacks, "corrupt" for wrong members
 */
export function createNormalizer(
  name: string,
  part: Part | undefined,
  more?: MoreNormalizers,
): Normalizer | undefined {
  if (part === undefined) return undefined;
  const type = typeOf(name, 'normalizer', part);
  switch (type) {
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return (text, tracked) => normalizeForm(text, type as NormalForm, tracked);
    case 'Lowercase':
      return lowercase;
    case 'Strip': {
      const left = flagOf(name, part, 'strip_left', false);
      const right = flagOf(name, part, 'strip_right', false);
      return (text) => strip(text, left, right);
    }
    case 'Prepend': {
      const prefix = textOf(name, part, 'prepend');
      return (text, tracked) => prepend(text, prefix, tracked);
    }
    case 'Replace': {
      const pattern = compilePattern(name, 'normalizer.pattern', part.pattern);
      const content = textOf(name, part, 'content');
      return (text, tracked) => replace(text, pattern, content, tracked);
    }
    case 'Sequence':
      return sequence(
        partsOf(name, 'normalizer.normalizers', part.normalizers).map((each) =>
          createNormalizer(name, each, more),
        ),
      );
    default:
      return more?.(name, type, part) ?? refuseNormalizer(name, type);
  }
}

function refuseNormalizer(name: string, type: string): never {
  throw new EmbError(
    'unsupported',
    `${name}: "normalizer" is ${JSON.stringify(type)}, which is unknown, expected NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, Prepend, Replace, BertNormalizer, Nmt, Precompiled, ByteLevel or Sequence`,
    'ids need no tokenizer: give them with --ids',
  );
}

function sequence(parts: readonly (Normalizer | undefined)[]): Normalizer | undefined {
  const steps = parts.filter((step) => step !== undefined);
  if (steps.length < 2) return steps[0];
  return (text, tracked) => steps.reduce((result, step) => step(result, tracked), text);
}

/** Per character as Rust does it: a Greek sigma at the end of a word is no special case. */
export function lowercase(from: AlignedText, tracked: boolean): AlignedText {
  const { text } = from;
  const whole = text.toLowerCase();
  if (whole === text) return from;
  // Only these two characters make a difference between a text and its characters, or change the length.
  if (!/[\u0130\u03a3]/.test(text)) return { ...from, text: whole };
  const builder = new AlignedBuilder(tracked);
  let at = 0;
  for (const character of text) {
    builder.append(character.toLowerCase(), at);
    at += character.length;
  }
  return remapAligned(from, builder.text, builder.sources);
}

export function strip(from: AlignedText, left: boolean, right: boolean): AlignedText {
  const { text } = from;
  let start = 0;
  let end = text.length;
  if (left) while (start < end && isWhiteSpace(text.charCodeAt(start))) start++;
  if (right) while (end > start && isWhiteSpace(text.charCodeAt(end - 1))) end--;
  return sliceAligned(from, start, end);
}

/** The new characters share the place of the first one. */
export function prepend(from: AlignedText, prefix: string, tracked: boolean): AlignedText {
  if (from.text === '' || prefix === '') return from;
  const builder = new AlignedBuilder(tracked);
  builder.append(prefix, 0);
  builder.copy(from.text, 0, from.text.length);
  return remapAligned(from, builder.text, builder.sources);
}

/** What replaces a match shares the place of the match's last character. */
export function replace(
  from: AlignedText,
  pattern: TextPattern,
  content: string,
  tracked: boolean,
): AlignedText {
  const { text } = from;
  const bounds = pattern.find(text);
  if (bounds.length === 0) return from;
  const builder = new AlignedBuilder(tracked);
  let done = 0;
  for (let i = 0; i < bounds.length; i += 2) {
    builder.copy(text, done, bounds[i]);
    builder.append(content, Math.max(bounds[i + 1] - 1, 0));
    done = bounds[i + 1];
  }
  builder.copy(text, done, text.length);
  return remapAligned(from, builder.text, builder.sources);
}
