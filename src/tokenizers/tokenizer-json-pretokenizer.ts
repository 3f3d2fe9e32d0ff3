import { EmbError } from '../errors.ts';
import { type Scanner, wholeTextScanner } from './scanner.ts';
import { createCl100kScanner } from './scanner-cl100k.ts';
import { gpt2Scanner } from './scanner-gpt2.ts';
import { o200kScanner } from './scanner-o200k.ts';
import { flagOf, type Part, partsOf, refuseType, typeOf } from './tokenizer-json-file.ts';
import { prepend } from './tokenizer-json-normalizer.ts';
import { compilePattern, literalPattern, patternOf } from './tokenizer-json-pattern.ts';
import {
  type Behavior,
  behaviors,
  digitPattern,
  punctuationPattern,
  type SplitStep,
  spacePattern,
  spellBytes,
  splitBy,
  splitByScanner,
  wordPattern,
} from './tokenizer-json-split.ts';

/** Cuts texts into words: first the splits one after the other, then what they leave by the scanner, over bytes. */
export interface PreTokenizer {
  readonly splits: readonly SplitStep[];
  readonly scanner: Scanner;
  /** The splits leave texts in which each byte is written as a character. */
  readonly spelled: boolean;
}

/** Patterns whose words a scanner finds, all of a text's. Line ends may stand in them as they are or escaped. */
const scannersOfPatterns = new Map<string, () => Scanner>();
{
  const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  const suffix = `${contractions}?`;
  const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
  const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
  const prefix = '[^\\r\\n\\p{L}\\p{N}]?';
  const tail = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
  const symbols = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*';
  const gpt2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
  const words = (digits: string): string => `${contractions}|${prefix}\\p{L}+|${digits}|${symbols}|${tail}`;
  const marked = `${contractions}|${prefix}[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${tail}`;
  const o200k = `${prefix}${upper}*${lower}+${suffix}|${prefix}${upper}+${lower}*${suffix}|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${tail}`;
  scannersOfPatterns.set(gpt2, () => gpt2Scanner);
  scannersOfPatterns.set(words('\\p{N}{1,3}'), () => createCl100kScanner({ maxDigits: 3 }));
  scannersOfPatterns.set(words('\\p{N}'), () => createCl100kScanner({ maxDigits: 1 }));
  scannersOfPatterns.set(marked, () => createCl100kScanner({ maxDigits: 1, marksInWords: true }));
  scannersOfPatterns.set(o200k, () => o200kScanner);
}

/** Makes the splits of other pre-tokenizers; undefined for those that it does not know. */
export type MoreSplits = (name: string, type: string, part: Part) => SplitStep[] | undefined;

type Step = { split: SplitStep } | { scanner: Scanner };

/**
 * The splits that a tokenizer.json describes for a model over characters, which gets bytes spelled as characters.
 *
 * @throws EmbError "unsupported" naming a pre-tokenizer or a pattern that emb lacks, "corrupt" for wrong members
 */
export function createSplits(name: string, part: Part | undefined, more?: MoreSplits): SplitStep[] {
  return leavesOf(name, part).flatMap((leaf) => spellingSteps(name, leaf, more).map(splitOf));
}

/**
 * The pre-tokenizer that a tokenizer.json describes for a byte-level model; `more` makes the splits that such models do without.
 *
 * @throws EmbError "unsupported" naming a pre-tokenizer or a pattern that emb lacks, "corrupt" for wrong members
 */
export function createPreTokenizer(name: string, part: Part | undefined, more?: MoreSplits): PreTokenizer {
  const leaves = leavesOf(name, part);
  const bytes = leaves.findIndex((leaf) => typeOf(name, 'pre_tokenizer', leaf) === 'ByteLevel');
  const spelled = bytes >= 0 && bytes < leaves.length - 1;
  const steps = leaves.slice(0, bytes + 1 || undefined).flatMap((leaf) => stepsOf(name, leaf, more));
  if (spelled) {
    // What follows a ByteLevel cuts the characters that it writes bytes with, and another one writes the bytes of those.
    steps.push({ split: spellBytes });
    for (const leaf of leaves.slice(bytes + 1)) steps.push(...spellingSteps(name, leaf, more));
  }
  const last = steps.at(-1);
  // A scanner cuts the bytes of a text, so only the last step can be one; before it texts are cut by the same words.
  if (last === undefined || 'split' in last || spelled) {
    return { splits: steps.map(splitOf), scanner: wholeTextScanner, spelled };
  }
  return { splits: steps.slice(0, -1).map(splitOf), scanner: last.scanner, spelled };
}

function splitOf(step: Step): SplitStep {
  return 'split' in step ? step.split : splitByScanner(step.scanner);
}

/** True when the pre-tokenizer writes bytes as characters, which is what makes a model byte-level. */
export function isByteLevel(name: string, part: Part | undefined): boolean {
  return leavesOf(name, part).some((leaf) => leaf.type === 'ByteLevel');
}

/** True when something after a ByteLevel writes what is no byte's character, so that words are characters again. */
export function mixesBytes(name: string, part: Part | undefined): boolean {
  const types = leavesOf(name, part).map((leaf) => leaf.type);
  return types.lastIndexOf('Metaspace') > types.indexOf('ByteLevel');
}

/** The pre-tokenizers inside of sequences, in order. */
function leavesOf(name: string, part: Part | undefined): Part[] {
  if (part === undefined) return [];
  if (typeOf(name, 'pre_tokenizer', part) !== 'Sequence') return [part];
  const parts = partsOf(name, 'pre_tokenizer.pretokenizers', part.pretokenizers);
  return parts.flatMap((each) => leavesOf(name, each));
}

/** The steps of a pre-tokenizer, of which ByteLevel writes bytes as characters. */
function spellingSteps(name: string, leaf: Part, more?: MoreSplits): Step[] {
  const steps = stepsOf(name, leaf, more);
  return leaf.type === 'ByteLevel' ? [...steps, { split: spellBytes }] : steps;
}

function stepsOf(name: string, part: Part, more?: MoreSplits): Step[] {
  const type = typeOf(name, 'pre_tokenizer', part);
  switch (type) {
    case 'ByteLevel': {
      const steps: Step[] = [];
      if (flagOf(name, part, 'add_prefix_space', true)) steps.push({ split: prefixSpace });
      if (flagOf(name, part, 'use_regex', true)) steps.push({ scanner: gpt2Scanner });
      return steps;
    }
    case 'Split':
      return [splitStep(name, part)];
    case 'Digits': {
      const individual = flagOf(name, part, 'individual_digits', false);
      return [{ split: splitBy(digitPattern, false, individual ? 'Isolated' : 'Contiguous') }];
    }
    case 'Punctuation':
      return [{ split: splitBy(punctuationPattern(), false, behaviorOf(name, part, 'Isolated')) }];
    case 'Whitespace':
      return [{ split: splitBy(wordPattern, true, 'Removed') }];
    case 'WhitespaceSplit':
      return [{ split: splitBy(spacePattern, false, 'Removed') }];
    default: {
      const splits = more?.(name, type, part);
      if (splits !== undefined) return splits.map((split) => ({ split }));
      throw new EmbError(
        'unsupported',
        `${name}: "pre_tokenizer" is ${JSON.stringify(type)}, which is unknown, expected ByteLevel, BertPreTokenizer, Whitespace, WhitespaceSplit, Metaspace, Punctuation, Digits, Split, CharDelimiterSplit, UnicodeScripts, FixedLength or Sequence`,
        'ids need no tokenizer: give them with --ids',
      );
    }
  }
}

const prefixSpace: SplitStep = (text, tracked) => [
  text.text.startsWith(' ') ? text : prepend(text, ' ', tracked),
];

function splitStep(name: string, part: Part): Step {
  const behavior = behaviorOf(name, part, undefined);
  const invert = flagOf(name, part, 'invert', false);
  const { regex, text } = patternOf(name, 'pre_tokenizer.pattern', part.pattern);
  if (!regex) return { split: splitBy(literalPattern(text), invert, behavior) };
  const known = scannersOfPatterns.get(text.replaceAll('\r', '\\r').replaceAll('\n', '\\n'));
  // These patterns leave nothing of a text unmatched.
  const keepsMatches = behavior === 'Isolated' || (behavior === 'Removed' && invert);
  if (known !== undefined && keepsMatches) return { scanner: known() };
  return { split: splitBy(compilePattern(name, 'pre_tokenizer.pattern', part.pattern), invert, behavior) };
}

function behaviorOf(name: string, part: Part, missing: Behavior | undefined): Behavior {
  const value = part.behavior ?? missing;
  const known = behaviors.find((behavior) => behavior === value);
  return known ?? refuseType(name, 'pre_tokenizer.behavior', value, behaviors.join(', '));
}
