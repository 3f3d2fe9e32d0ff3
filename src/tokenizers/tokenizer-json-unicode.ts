import { type AlignedText, remapAligned } from './tokenizer-json-aligned.ts';

export type NormalForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/**
 * Characters that decompose or combine today and did not in Unicode 9, whose tables Hugging Face's tokenizers normalize by
 * (crate unicode-normalization-alignments 0.1.12); they stay as they are.
 *
 * Source: that crate's answers for every code point against ICU's of Unicode 17.
 */
const newerCharacters =
  '7fd 897-89f 8ca-8d3 9fe c3c d3b-d3c eba 1715 1abf-1add 1ae0-1aeb 1df6-1dfa 32ff a7f1-a7f4 a82c ab69 105c9 105e4 ' +
  '10781-10785 10787-107b0 107b2-107ba 10d24-10d27 10d69-10d6d 10eab-10eac 10efa-10efb 10efd-10eff 10f46-10f50 ' +
  '10f82-10f85 11070 1133b 11383 11385 1138e 11391 113c5 113c7-113c8 113ce-113d0 1145e 11839-1183a 11938 1193d-1193e ' +
  '11943 119e0 11a34 11a47 11a99 11d42 11d44-11d45 11d97 11f41-11f42 16121-16128 1612f 16d68-16d6a 16ff0-16ff1 ' +
  '1ccd6-1ccf9 1e030-1e06d 1e08f 1e130-1e136 1e2ae 1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef 1e6e3 1e6e6 1e6ee-1e6ef 1e6f5 ' +
  '1f16c 1fbf0-1fbf9';

let newerPattern: RegExp | undefined;

function hasNewer(text: string): boolean {
  newerPattern ??= new RegExp(
    `[${newerCharacters.replace(/([0-9a-f]+)(?:-([0-9a-f]+))? ?/g, (_, first, last) => `\\u{${first}}-\\u{${last ?? first}}`)}]`,
    'u',
  );
  return newerPattern.test(text);
}

/** One mark of every canonical combining class of Unicode 9, ascending. Two marks swap in NFD when the second's class is lower. */
const classMarkPoints = [
  0x334, 0x93c, 0x3099, 0x94d, 0x5b0, 0x5b1, 0x5b2, 0x5b3, 0x5b4, 0x5b5, 0x5b6, 0x5b7, 0x5b8, 0x5b9, 0x5bb,
  0x5bc, 0x5bd, 0x5bf, 0x5c1, 0x5c2, 0xfb1e, 0x64b, 0x64c, 0x64d, 0x618, 0x619, 0x61a, 0x651, 0x652, 0x670,
  0x711, 0xc55, 0xc56, 0xe38, 0xe48, 0xeb8, 0xec8, 0xf71, 0xf72, 0xf74, 0x321, 0x1dce, 0x31b, 0x302a, 0x316,
  0x59a, 0x302e, 0x1d16d, 0x5ae, 0x300, 0x315, 0x35c, 0x35d, 0x345,
];

let classMarks: readonly string[] = [];

/** So many marks in a row that the engine's normalization, which sorts them by insertion, would take long. */
const manyMarks = /\p{M}{64}/u;

/**
 * A normal form of a text, aligned as Hugging Face's tokenizers align it.
 *
 * Cost: linear, but for the sorting of long runs of marks.
 */
export function normalizeForm(from: AlignedText, form: NormalForm, tracked: boolean): AlignedText {
  const { text } = from;
  if (isAscii(text)) return from;
  if (!manyMarks.test(text)) {
    const whole = text.normalize(form);
    const newer = hasNewer(text) || hasNewer(whole);
    if (!newer && whole === text) return from;
    if (!newer && !tracked) return remapAligned(from, whole, undefined);
  }
  const compatible = form === 'NFKC' || form === 'NFKD';
  const decomposed = decompose(text, compatible);
  const result = form === 'NFC' || form === 'NFKC' ? compose(decomposed) : decomposed;
  return applyChanges(from, result, tracked);
}

const nonAscii = /[^\x00-\x7f]/;

function isAscii(text: string): boolean {
  return !nonAscii.test(text);
}

/**
 * Characters of a changed text. change: 0 takes the place of one character of the old text, 1 is new,
 * -n takes the place of one character and swallows n more.
 */
export interface Changed {
  character: string;
  change: number;
}

function decompose(text: string, compatible: boolean): Changed[] {
  const result: Changed[] = [];
  let pending = 0;
  for (const source of text) {
    let change = 0;
    for (const character of decomposition(source, compatible)) {
      if (combiningClass(character) === 0) {
        sortMarks(result, pending);
        pending = result.length + 1;
      }
      result.push({ character, change });
      change = 1;
    }
  }
  sortMarks(result, pending);
  return result;
}

/** Puts the marks from `start` on into the order of their classes; marks of one class stay in order. */
function sortMarks(list: Changed[], start: number): void {
  if (list.length - start < 2) return;
  const marks = list.splice(start);
  marks.sort((a, b) => combiningClass(a.character) - combiningClass(b.character));
  for (const mark of marks) list.push(mark);
}

/** Source: UAX 15, in the steps of unicode-normalization-alignments' recompose.rs, whose changes decide the spans. */
function compose(decomposed: Changed[]): Changed[] {
  const result: Changed[] = [];
  let starter: Changed | undefined;
  let marks: Changed[] = [];
  let lastClass = -1;
  const flush = (): void => {
    if (starter !== undefined) result.push(starter);
    for (const mark of marks) result.push(mark);
    marks = [];
    lastClass = -1;
  };
  for (const next of decomposed) {
    const nextClass = combiningClass(next.character);
    if (starter === undefined) {
      if (nextClass !== 0) result.push(next);
      else starter = { ...next };
      continue;
    }
    const blocked = lastClass >= 0 && lastClass >= nextClass;
    const composed = blocked ? undefined : composition(starter.character, next.character);
    if (composed !== undefined) {
      starter = { character: composed, change: starter.change + next.change - 1 };
    } else if (nextClass === 0) {
      flush();
      starter = { ...next };
    } else {
      marks.push(next);
      lastClass = nextClass;
    }
  }
  flush();
  return result;
}

/** What characters and their changes make of a text. Source: transform of Hugging Face's normalizer.rs. */
export function applyChanges(from: AlignedText, changed: readonly Changed[], tracked: boolean): AlignedText {
  if (!tracked) return remapAligned(from, changed.map((each) => each.character).join(''), undefined);
  const { text: old } = from;
  const sources: number[] = [];
  let text = '';
  let at = 0;
  for (const { character, change } of changed) {
    // A new character shares the place of the one before it.
    const source = change > 0 ? Math.max(at - 1, 0) : Math.min(at, old.length - 1);
    for (let i = 0; i < character.length; i++) sources.push(source);
    text += character;
    for (let eaten = change > 0 ? 0 : 1 - change; eaten > 0 && at < old.length; eaten--) {
      at += (old.codePointAt(at) as number) > 0xffff ? 2 : 1;
    }
  }
  return remapAligned(from, text, sources);
}

const classes = new Map<string, number>();

/** 0 for a starter, otherwise a number that orders marks as their canonical combining class does. */
function combiningClass(character: string): number {
  if (character < '\u0300') return 0;
  let known = classes.get(character);
  if (known === undefined) {
    known = findClass(character);
    classes.set(character, known);
  }
  return known;
}

function findClass(character: string): number {
  if (classMarks.length === 0) classMarks = classMarkPoints.map((point) => String.fromCodePoint(point));
  if (hasNewer(character)) return 0;
  const highest = classMarks[classMarks.length - 1];
  // A mark swaps with the lowest class after it or with the highest before it; a starter with none.
  if (isOrdered(character, classMarks[0]) && isOrdered(highest, character)) return 0;
  let from = 0;
  let to = classMarks.length;
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    if (isOrdered(classMarks[middle], character)) from = middle;
    else to = middle;
  }
  return from + 1;
}

function isOrdered(first: string, second: string): boolean {
  return (first + second).normalize('NFD') === first + second;
}

const decompositions = new Map<string, readonly string[]>();

function decomposition(character: string, compatible: boolean): readonly string[] {
  if (character < '\u0080') return [character];
  const key = compatible ? `k${character}` : character;
  let known = decompositions.get(key);
  if (known === undefined) {
    known = hasNewer(character) ? [character] : [...character.normalize(compatible ? 'NFKD' : 'NFD')];
    decompositions.set(key, known);
  }
  return known;
}

/** The character that two compose to. */
function composition(first: string, second: string): string | undefined {
  if (second < '\u0300') return undefined;
  const composed = (first + second).normalize('NFC');
  const single = composed.length === ((composed.codePointAt(0) as number) > 0xffff ? 2 : 1);
  if (!single || hasNewer(first + second + composed)) return undefined;
  return composed;
}
