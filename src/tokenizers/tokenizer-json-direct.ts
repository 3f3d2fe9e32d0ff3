import { characterFlags, extenderFlag, prependedFlag } from './character-sets.ts';
import { DirectWords, type LearnCharacter, type SpaceRule } from './direct-words.ts';
import { isWhiteSpace } from './tokenizer-json-added.ts';
import { metaspaceOf } from './tokenizer-json-cuts.ts';
import type { Part, TokenizerFile } from './tokenizer-json-file.ts';
import { leavesOf } from './tokenizer-json-pieces.ts';
import { changesSpacesAlone, cutsLikeBert, quickened } from './tokenizer-json-plan.ts';
import { punctuationPattern } from './tokenizer-json-split.ts';
import type { WordModel } from './wordpiece.ts';

const metaspace = '\u2581';

/** Nothing joins a character with the one before it, but for marks that stay. */
const apartTypes = new Set(['BertNormalizer', 'NFD', 'NFKD', 'Lowercase', 'StripAccents', 'Nmt']);

/**
 * What encodes the chunks of a plan character by character, or undefined when the rules of the file are others.
 *
 * `normalize` is what happens to a chunk in the middle of a text.
 */
export function createDirectWords(
  file: TokenizerFile,
  model: WordModel,
  normalize: (text: string) => string,
): DirectWords | undefined {
  const cuts = leavesOf(file.preTokenizer);
  const rule = ruleOf(file, cuts);
  if (rule === undefined) return undefined;
  return new DirectWords(
    model,
    rule,
    createLearning(file, quickened(file, normalize), cuts, rule),
    rule.space !== 'dropped' && changesSpacesAlone(file),
  );
}

function ruleOf(file: TokenizerFile, cuts: readonly Part[]): SpaceRule | undefined {
  const single = leavesOf(file.normalizer).some(
    (part) => (part.pattern as Part | undefined)?.Regex !== undefined,
  );
  const types = cuts.map((part) => part.type).join();
  if (cutsLikeBert(cuts) || types === 'WhitespaceSplit')
    return { space: 'dropped', mark: '', marksStart: false, single };
  const last = cuts.at(-1);
  if (last?.type !== 'Metaspace') {
    // What is written for spaces before is a part of words.
    const isWhole = types === '' || (types === 'Split' && (cuts[0].pattern as Part | null)?.String === ' ');
    return isWhole ? { space: 'joins', mark: metaspace, marksStart: false, single } : undefined;
  }
  const { scheme, split, replacement } = metaspaceOf(file.name, 'pre_tokenizer', last);
  if (replacement !== metaspace) return undefined;
  const marksStart = scheme === 'always';
  if (types === 'WhitespaceSplit,Metaspace')
    return marksStart && split ? { space: 'dropped', mark: metaspace, marksStart, single } : undefined;
  if (types !== 'Metaspace') return undefined;
  return { space: split ? 'begins' : 'joins', mark: metaspace, marksStart, single };
}

function createLearning(
  file: TokenizerFile,
  normalize: (text: string) => string,
  cuts: readonly Part[],
  rule: SpaceRule,
): LearnCharacter {
  const types = leavesOf(file.normalizer).map((part) => part.type as string);
  const isApart = types.every((type) => apartTypes.has(type));
  const hasForms = types.some((type) => type.startsWith('NF') || type === 'BertNormalizer');
  const isMapped = types.includes('Precompiled');
  // Where nothing is cut, what is written for a space may as well be one.
  const isSpace = cuts.length === 0 && rule.space === 'joins' && !rule.single;
  const isBert = cutsLikeBert(cuts);
  const dropsSpaces = isBert || cuts[0]?.type === 'WhitespaceSplit';
  const flags = characterFlags();
  const punctuation = punctuationPattern();
  const isCut = (each: string) =>
    each === ' ' ||
    each === metaspace ||
    (dropsSpaces && isWhiteSpace(each.charCodeAt(0))) ||
    (isBert && punctuation.find(each).length > 0);
  return (character) => {
    const code = character.codePointAt(0) as number;
    const general = { kind: 'general', text: '' } as const;
    if (isMapped && (flags[code] & prependedFlag) !== 0) return general;
    const text = normalize(character);
    // Long clusters are mapped character by character.
    const kind = isMapped && (flags[code] & extenderFlag) !== 0 ? 'extends' : 'joins';
    // Marks are put in order, and compose, with what stands beside them; so do Korean letters.
    if (hasForms && /\p{M}/u.test(text)) return general;
    if ((character === metaspace && !isSpace) || (text !== character && kind === 'extends')) return general;
    if (!isApart && hasForms && (/\p{M}/u.test(character) || (code >= 0x1100 && code < 0x1200)))
      return general;
    if (text === ' ' || text === metaspace) return { kind: 'space', text };
    // Most characters stay what they are, which needs no list.
    if (text === character && !isCut(text)) return { kind, text };
    const characters = [...text];
    if (!characters.some(isCut)) return { kind, text };
    if (!dropsSpaces) return general;
    if (characters.every((each) => isWhiteSpace(each.charCodeAt(0)))) return { kind: 'breaks', text: '' };
    if (!isBert) return general;
    if (characters.length === 1) return { kind: 'alone', text };
    const inner = text.startsWith(' ') && text.endsWith(' ') ? characters.slice(1, -1) : [];
    return inner.length === 1 ? { kind: 'alone', text: inner[0] } : general;
  };
}
