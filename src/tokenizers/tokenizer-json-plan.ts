import type { ChunkRule } from '../kernels/chunks-model.ts';
import { characterFlags, extenderFlag, prependedFlag } from './character-sets.ts';
import { type ChunkScan, createScan } from './scanner-chunks.ts';
import { isWhiteSpace } from './tokenizer-json-added.ts';
import type { Part, TokenizerFile } from './tokenizer-json-file.ts';
import { pieceOfByte } from './tokenizer-json-models.ts';
import { leavesOf } from './tokenizer-json-pieces.ts';
import { matchesBetweenSpaces } from './tokenizer-json-regex-spaces.ts';

/** How texts are cut into chunks that are normalized, cut and encoded the same wherever they stand. */
export interface ChunkPlan {
  /** The first and the last chunk of a text may differ from the same bytes elsewhere. */
  readonly ends: boolean;
  readonly rule: ChunkRule;
  readonly scan: ChunkScan;
}

/** What changes a text at its beginning or its end only; the other chunks go without. */
const endTypes = new Set(['Prepend', 'Strip']);

/** What a character becomes does not depend on white space beside it. */
const localTypes = new Set([
  'BertNormalizer',
  'NFC',
  'NFD',
  'NFKC',
  'NFKD',
  'Lowercase',
  'StripAccents',
  'Nmt',
]);

/** Nothing joins a character with the one before it. */
const joinlessTypes = new Set(['BertNormalizer', 'NFD', 'NFKD', 'Lowercase', 'StripAccents', 'Nmt']);

/** Pre-tokenizers that drop all white space. */
const wordTypes = new Set(['BertPreTokenizer', 'WhitespaceSplit', 'Whitespace']);

/** The normalizers of a chunk that does, or does not, begin and end its text. */
export function leavesForChunk(file: TokenizerFile, first: boolean, last: boolean): Part[] {
  return leavesOf(file.normalizer).flatMap((part) => {
    if (part.type === 'Prepend') return first ? [part] : [];
    if (part.type !== 'Strip') return [part];
    return [{ ...part, strip_left: first && part.strip_left, strip_right: last && part.strip_right }];
  });
}

/**
 * The plan for a file, or undefined when chunks of its texts are not independent.
 *
 * `normalize` is what happens to a chunk in the middle of a text. With `wholeWords` only white space is a cut.
 */
export function planChunks(
  file: TokenizerFile,
  normalize: (text: string) => string,
  wholeWords = false,
): ChunkPlan | undefined {
  const normalizers = leavesOf(file.normalizer);
  const types = normalizers.map((part) => part.type as string);
  const cuts = leavesOf(file.preTokenizer);
  const dropsSpaces = cuts.length > 0 && cutDropsSpaces(cuts[0]);
  const onlyFirst = cuts.some((part) => part.type === 'Metaspace' && part.prepend_scheme === 'first');
  const isForWords = (part: Part) =>
    localTypes.has(part.type as string) || part.type === 'Strip' || keepsSpaces(part);
  if (dropsSpaces && normalizers.every(isForWords)) {
    const isBert = !wholeWords && cutsLikeBert(cuts) && types.every((type) => joinlessTypes.has(type));
    const ideographs =
      isBert &&
      normalizers.some((part) => part.type === 'BertNormalizer' && part.handle_chinese_chars !== false);
    return planOf(onlyFirst, { kind: 'words', punctuation: isBert, ideographs });
  }
  const isLocal = (part: Part) => {
    const type = part.type as string;
    return localTypes.has(type) || endTypes.has(type) || type === 'Precompiled' || isSpaceRule(part);
  };
  if (!normalizers.every(isLocal) || !(dropsSpaces || cutsAtSpaces(file, cuts))) return undefined;
  const written = normalize(' ');
  if (written !== ' ' && (written !== metaspace || dropsSpaces)) return undefined;
  // What stands for white space and is none is no cut, and part of a word.
  if (dropsSpaces && normalizers.some((part) => isSpaceRule(part) && !/^\s*$/.test(part.content as string)))
    return undefined;
  return planOf(onlyFirst || types.some((type) => endTypes.has(type)), {
    kind: 'spaces',
    isSafe: createSafety(quickened(file, normalize)),
    lines: ['\n', '\r', '\r\n'].every((text) => normalize(text) === written)
      ? 'spaces'
      : normalize('\n') === '\n' && cutsAtLines(file, cuts)
        ? 'apart'
        : 'inside',
  });
}

/** Whether words are what stands between white space, and each punctuation character is one. */
export function cutsLikeBert(cuts: readonly Part[]): boolean {
  const types = cuts.map((part) => part.type).join();
  if (types === 'WhitespaceSplit,Punctuation') return (cuts[1].behavior ?? 'Isolated') === 'Isolated';
  return types === 'BertPreTokenizer';
}

/** Whether all white space is dropped, and words are found between it whatever is around. */
function cutDropsSpaces({ type, pattern, behavior, invert }: Part): boolean {
  if (wordTypes.has(type as string)) return true;
  const regex = (pattern as Part | null | undefined)?.Regex;
  if (type !== 'Split' || typeof regex !== 'string') return false;
  return behavior === 'Removed' && invert === true && matchesBetweenSpaces(regex);
}

/** A replacement of white space by a space, as CLIP has it: it is dropped afterwards. */
function keepsSpaces({ type, pattern, content }: Part): boolean {
  return type === 'Replace' && content === ' ' && (pattern as Part | null | undefined)?.Regex === '\\s+';
}

function planOf(ends: boolean, rule: ChunkRule): ChunkPlan {
  return { ends, rule, scan: createScan(rule) };
}

const metaspace = '\u2581';

/** Replacements of spaces alone: one by ▁, or several by something. */
function isSpaceRule(part: Part): boolean {
  const pattern = part.pattern as Part | null | undefined;
  if (part.type !== 'Replace' || typeof part.content !== 'string') return false;
  return (pattern?.String === ' ' && part.content === metaspace) || pattern?.Regex === ' {2,}';
}

/** Whether the normalizers leave all that is no space as it is, but at the ends of a text. */
export function changesSpacesAlone(file: TokenizerFile): boolean {
  return leavesForChunk(file, false, false).every(isSpaceRule);
}

/** What happens to a chunk, without asking where nothing but spaces changes: thousands of characters are looked at alone. */
export function quickened(file: TokenizerFile, normalize: (text: string) => string): typeof normalize {
  return changesSpacesAlone(file) ? (text) => (text.includes(' ') ? normalize(text) : text) : normalize;
}

/** Whether pre-tokenizer or model cut a text before each space that follows something else. */
function cutsAtSpaces(file: TokenizerFile, cuts: readonly Part[]): boolean {
  if (cuts.length === 1 && cuts[0].type === 'Metaspace' && cuts[0].split !== false)
    return cuts[0].replacement === metaspace;
  const isWritten = leavesOf(file.normalizer).some(
    (part) => isSpaceRule(part) && (part.pattern as Part).String === ' ',
  );
  const isWhole = cuts.every((part) => {
    if (part.type === 'Metaspace') return part.replacement === metaspace;
    // No space is left for it.
    return part.type === 'Split' && (part.pattern as Part | null)?.String === ' ' && isWritten;
  });
  // Sums of scores over a whole text are rounded otherwise than those over its words.
  if (!isWhole || file.modelType !== 'BPE' || file.model.ignore_merges === true) return false;
  if (!isWritten && cuts.length === 0) return false;
  const { vocabulary } = file;
  return (
    vocabulary.idOf(metaspace) !== undefined &&
    !joinsWords(vocabulary.bytes, vocabulary.offsets, vocabulary.count)
  );
}

/** Whether no token of a BPE model has a line feed together with something else, so that nothing merges across. */
function cutsAtLines({ modelType, model, vocabulary }: TokenizerFile, cuts: readonly Part[]): boolean {
  if (modelType !== 'BPE' || cuts.length > 1 || model.ignore_merges === true) return false;
  // A chunk after a line end begins with no space, and would get one.
  if (cuts.some((part) => part.type !== 'Metaspace' || (part.prepend_scheme ?? 'always') === 'always'))
    return false;
  const isKnown =
    vocabulary.idOf('\n') !== undefined ||
    (model.byte_fallback === true &&
      Array.from({ length: 256 }, (_, byte) => vocabulary.idOf(pieceOfByte(byte))).every(
        (id) => id !== undefined,
      ));
  if (!isKnown) return false;
  const { bytes, offsets, count } = vocabulary;
  for (let piece = 0; piece < count; piece++) {
    if (offsets[piece + 1] - offsets[piece] < 2) continue;
    for (let at = offsets[piece]; at < offsets[piece + 1]; at++) if (bytes[at] === 0x0a) return false;
  }
  return true;
}

/** Whether a piece has a ▁ after something else, which only a merge across words can make. */
function joinsWords(bytes: Uint8Array, offsets: Uint32Array, count: number): boolean {
  const isSpace = (at: number) => bytes[at] === 0xe2 && bytes[at + 1] === 0x96 && bytes[at + 2] === 0x81;
  for (let piece = 0; piece < count; piece++) {
    const end = offsets[piece + 1];
    for (let at = offsets[piece] + 1; at + 2 < end; at++) {
      if (isSpace(at) && !(at >= offsets[piece] + 3 && isSpace(at - 3))) return true;
    }
  }
  return false;
}

const unknown = 0;
const safe = 1;
const unsafe = 2;

/** Characters that begin and end with something visible when they are normalized, and join with none after them. */
function createSafety(normalize: (text: string) => string): (code: number) => boolean {
  const known = new Uint8Array(0x110000);
  const flags = characterFlags();
  return (code) => {
    if (known[code] === unknown) {
      const text = code >= 0xd800 && code < 0xe000 ? '' : normalize(String.fromCodePoint(code));
      const isMark = (flags[code] & (extenderFlag | prependedFlag)) !== 0;
      known[code] =
        !isMark && isVisible(text.charCodeAt(0)) && isVisible(text.charCodeAt(text.length - 1))
          ? safe
          : unsafe;
    }
    return known[code] === safe;
  };
}

function isVisible(unit: number): boolean {
  return !Number.isNaN(unit) && !isWhiteSpace(unit) && unit !== 0x2581;
}
