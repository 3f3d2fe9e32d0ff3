import { EmbError } from '../errors.ts';
import { isWhiteSpace } from './tokenizer-json-added.ts';
import { AlignedBuilder, type AlignedText, remapAligned, sliceAligned } from './tokenizer-json-aligned.ts';
import { flagOf, type Part, partsOf, textOf, typeOf } from './tokenizer-json-file.ts';
import { compilePattern, type TextPattern } from './tokenizer-json-pattern.ts';
import { type NormalForm, normalizeForm } from './tokenizer-json-unicode.ts';

/** Changes a text before it is cut; without `tracked` the result need not be aligned. */
export type Normalizer = (text: AlignedText, tracked: boolean) => AlignedText;

/** Normalizers that Hugging Face has and byte-level models do without. */
const otherNormalizers = ['BertNormalizer', 'StripAccents', 'Nmt', 'Precompiled', 'ByteLevel'];

/**
 * The normalizer that a tokenizer.json describes; undefined when it changes nothing.
 *
 * @throws EmbError "unsupported" naming a normalizer that emb lacks, "corrupt" for wrong members
 */
export function createNormalizer(name: string, part: Part | undefined): Normalizer | undefined {
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
      return sequence(name, partsOf(name, 'normalizer.normalizers', part.normalizers));
    default:
      return refuseNormalizer(name, type);
  }
}

function refuseNormalizer(name: string, type: string): never {
  const why = otherNormalizers.includes(type) ? 'which emb does not encode with' : 'which is unknown';
  throw new EmbError(
    'unsupported',
    `${name}: "normalizer" is ${JSON.stringify(type)}, ${why}, expected NFC, NFD, NFKC, NFKD, Lowercase, Strip, Prepend, Replace or Sequence`,
    'ids need no tokenizer: give them with --ids',
  );
}

function sequence(name: string, parts: readonly Part[]): Normalizer | undefined {
  const steps = parts.map((part) => createNormalizer(name, part)).filter((step) => step !== undefined);
  if (steps.length < 2) return steps[0];
  return (text, tracked) => steps.reduce((result, step) => step(result, tracked), text);
}

/** Per character as Rust does it: a Greek sigma at the end of a word is no special case. */
function lowercase(from: AlignedText, tracked: boolean): AlignedText {
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

function strip(from: AlignedText, left: boolean, right: boolean): AlignedText {
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
function replace(from: AlignedText, pattern: TextPattern, content: string, tracked: boolean): AlignedText {
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
