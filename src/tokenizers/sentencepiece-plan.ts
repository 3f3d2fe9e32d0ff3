import type { LearnCharacter, SpaceRule } from './direct-words.ts';
import { createScan } from './scanner-chunks.ts';
import { type NormalizerSpec, pieceTypes, type SentencePieceModel } from './sentencepiece-model.ts';
import type { ChunkPlan } from './tokenizer-json-plan.ts';

/** How texts of a model are cut into chunks that become the same ids wherever they stand. */
export interface SentencePiecePlan extends ChunkPlan {
  readonly space: SpaceRule;
  readonly learn: LearnCharacter;
  /** Whether a character becomes a space, and nothing else. */
  isSpace(code: number): boolean;
  /** Whether whatever a text becomes that begins, or ends, with a character begins, or ends, with no space, and no piece goes on after it. */
  beginsVisibly(code: number): boolean;
  endsVisibly(code: number): boolean;
}

/** What a plan needs to know of a model. */
export type PlannedModel = Pick<
  SentencePieceModel,
  'type' | 'normalizer' | 'strings' | 'types' | 'count' | 'byteFallback'
> & { index: Pick<SentencePieceModel['index'], 'find' | 'findHashed'> };

const metaspace = '▁';
const encoder = new TextEncoder();

/**
 * The plan for a model, or undefined when chunks of its texts are not independent.
 *
 * A text is cut before spaces that follow something visible, where no piece goes on, nor what is normalized together.
 */
export function planSentencePiece(model: PlannedModel): SentencePiecePlan | undefined {
  const { normalizer, types, type } = model;
  if (type === 'word' || normalizer.spaceBehind || !normalizer.escapeSpaces) return undefined;
  // What an unused piece is cut into again depends on where it was joined last, anywhere in a text.
  if (type === 'bpe' && types.includes(pieceTypes.unused)) return undefined;
  const pieces = surveyPieces(model);
  const characters = pieces && surveyCharacters(normalizer, pieces.joiners);
  if (pieces === undefined || characters === undefined) return undefined;
  const { textOf, joins, beginsVisibly, endsVisibly } = characters;
  const isSpace = (code: number) => {
    // Half a character is none of its own: alone it would be U+FFFD.
    if (code >= 0xd800 && code < 0xe000) return false;
    const character = String.fromCodePoint(code);
    return textOf(character) === ' ' && !pieces.firsts.has(character);
  };
  if (!isSpace(0x20)) return undefined;
  const ascii = Uint8Array.from({ length: 128 }, (_, code) => (isSpace(code) ? 1 : 0));
  let lines: 'spaces' | 'apart' | 'inside' = 'inside';
  if (isSpace(0x0a) && isSpace(0x0d) && !characters.joinsLines) lines = 'spaces';
  else if (pieces.partsLines && textOf('\n') === '\n' && !characters.joinsLines) lines = 'apart';
  const rule = { kind: 'spaces', isSafe: endsVisibly, lines } as const;
  const learn: LearnCharacter = (character) => {
    const general = { kind: 'general', text: '' } as const;
    if (character === '\r\n') return general;
    const text = textOf(character);
    if (joins(character.codePointAt(0) as number) || pieces.firsts.has(character)) return general;
    if (text === ' ') return pieces.firsts.has(metaspace) ? general : { kind: 'space', text };
    // Spaces that stand with others may leave.
    const isMark = text === metaspace && !normalizer.removeExtraSpaces;
    if (isMark && !pieces.firsts.has(metaspace)) return { kind: 'space', text };
    for (const each of text)
      if (each === ' ' || each === metaspace || pieces.firsts.has(each)) return general;
    return { kind: 'joins', text };
  };
  return {
    ends: false,
    rule,
    scan: createScan(rule),
    space: {
      space: 'joins',
      mark: metaspace,
      marksStart: false,
      single: normalizer.removeExtraSpaces || pieces.joinsSpaces,
    },
    learn,
    isSpace: (code) => (code < 128 ? ascii[code] === 1 : isSpace(code)),
    beginsVisibly,
    endsVisibly,
  };
}

/** What pieces say about where texts may be cut; undefined when unknown characters of two words may be one token. */
function surveyPieces({ strings, types, index, count, byteFallback }: PlannedModel) {
  const { bytes, starts, ends } = strings;
  /** Characters that user-defined pieces begin with: these are found before anything else. */
  const firsts = new Set<string>();
  /** Characters after which some piece goes on with a space. */
  const joiners = new Set<string>();
  let joinsSpaces = false;
  let partsLines = byteFallback;
  const isKnown = (text: string) => {
    const spelled = encoder.encode(text);
    const id = index.find(spelled, 0, spelled.length);
    return id >= 0 && (types[id] === pieceTypes.normal || types[id] === pieceTypes.userDefined);
  };
  // Unknown characters in a row are one token: a known one must part them.
  if (!isKnown(metaspace)) return undefined;
  if (isKnown('\n')) partsLines = true;
  for (let id = 0; id < count; id++) {
    const start = starts[id];
    const end = ends[id];
    if (hasInside(bytes, start, end)) {
      let breaks = 0;
      for (let at = start; at < end; at++) {
        if (bytes[at] === 0x0a) breaks++;
        if (at === start || at + 3 > end || !isMark(bytes, at)) continue;
        if (at < start + 3 || !isMark(bytes, at - 3)) joiners.add(characterBefore(bytes, at));
      }
      if (breaks > 0 && breaks < end - start) partsLines = false;
    }
    if (types[id] !== pieceTypes.userDefined) continue;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
    if (text.includes(' ') || text.includes('\ufffd')) return undefined;
    if (text.startsWith(metaspace + metaspace)) joinsSpaces = true;
    else firsts.add(String.fromCodePoint(text.codePointAt(0) as number));
  }
  return { firsts, joiners, joinsSpaces, partsLines };
}

/** Whether ▁, or what looks like it at first, comes after the start, or a line feed comes at all. */
function hasInside(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] === 0x0a) return true;
  for (let at = start + 1; at < end; at++) if (bytes[at] === 0xe2 || bytes[at] === 0x0a) return true;
  return false;
}

function isMark(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xe2 && bytes[at + 1] === 0x96 && bytes[at + 2] === 0x81;
}

/** The character of UTF-8 that ends at a place. */
function characterBefore(bytes: Uint8Array, end: number): string {
  let start = end - 1;
  while (start > end - 4 && (bytes[start] & 0xc0) === 0x80) start--;
  return String.fromCodePoint(
    Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
      .toString()
      .codePointAt(0) as number,
  );
}

/** Some character before it may take it along. */
const joiningFlag = 1;
/** What it begins, or ends, may become something that begins, or ends, with a space. */
const beginsFlag = 2;
const endsFlag = 4;

/** What the map of characters says; undefined when spaces are mapped together with others, or it has keys that are no texts. */
function surveyCharacters({ charsMap }: NormalizerSpec, joiners: ReadonlySet<string>) {
  const flags = new Uint8Array(0x110000);
  let joinsLines = false;
  let isPlain = true;
  const isWhole = charsMap?.eachCharacter((code, isFirst, place, goesOn) => {
    const isAlone = isFirst && !goesOn;
    if (code === 0x20 && !isAlone) isPlain = false;
    if ((code === 0x0a || code === 0x0d) && !isAlone) joinsLines = true;
    if (!isFirst) flags[code] |= joiningFlag;
    if (place < 0) return;
    const { first, last } = charsMap.isVisibleAt(place);
    if (!first && isFirst) flags[code] |= beginsFlag;
    // Which characters such a key begins with is not known here; real maps have none.
    if (!first && !isFirst) isPlain = false;
    const isJoiner = joiners.size > 0 && joiners.has([...charsMap.textAt(place)].at(-1) ?? '');
    if (!last || isJoiner) flags[code] |= endsFlag;
  });
  if (isWhole === false || !isPlain) return undefined;
  for (const code of [0x20, 0x2581]) flags[code] |= beginsFlag | endsFlag;
  for (const character of joiners) flags[character.codePointAt(0) as number] |= endsFlag;
  // Halves of characters are none.
  flags.fill(beginsFlag | endsFlag, 0xd800, 0xe000);
  const spelled = new Uint8Array(8);
  const textOf = (character: string): string => {
    const { written } = encoder.encodeInto(character, spelled);
    const found = charsMap?.find(spelled, 0, written, true) ?? 0;
    return found === 0 || charsMap === undefined ? character : charsMap.textAt(charsMap.place);
  };
  return {
    joinsLines,
    textOf,
    joins: (code: number) => (flags[code] & joiningFlag) !== 0,
    beginsVisibly: (code: number) => (flags[code] & beginsFlag) === 0,
    endsVisibly: (code: number) => (flags[code] & endsFlag) === 0,
  };
}
