/** A pattern that emb does not translate; `construct` is the part that it stumbles over. */
export class UntranslatedPattern extends Error {
  readonly construct: string;

  constructor(construct: string) {
    super(construct);
    this.construct = construct;
  }
}

/** What Oniguruma's shorthands mean in UTF-8, as parts of a class in the v flag's syntax. */
export const shorthands: Readonly<Record<string, string>> = {
  d: '\\p{Nd}',
  D: '\\P{Nd}',
  s: '\\p{White_Space}',
  S: '\\P{White_Space}',
  w: '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]',
  W: '[^\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]',
  h: '[0-9A-Fa-f]',
  H: '[^0-9A-Fa-f]',
};

/**
 * \w and \W when they stand alone: Oniguruma then takes the superscripts and fractions of Latin-1 for word characters, which
 * inside of a class it does not.
 */
export const wordAlone = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u{b2}\\u{b3}\\u{b9}\\u{bc}-\\u{be}]';
export const noWordAlone = wordAlone.replace('[', '[^');

/** POSIX brackets, which are also names of properties. Source: Oniguruma doc/RE, section 6, Unicode case. */
const posixClasses: Readonly<Record<string, string>> = {
  alnum: '\\p{Alphabetic}\\p{Nd}',
  alpha: '\\p{Alphabetic}',
  ascii: '\\u{0}-\\u{7f}',
  blank: '\\p{Zs}\\u{9}',
  cntrl: '\\p{Cc}',
  digit: '\\p{Nd}',
  lower: '\\p{Lowercase}',
  punct: '\\p{P}',
  space: '\\p{White_Space}',
  upper: '\\p{Uppercase}',
  word: '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}',
  xdigit: '0-9A-Fa-f',
};

/** A class by the name in a POSIX bracket. @throws UntranslatedPattern for an unknown name */
export function bracketClass(name: string, foldCase: boolean): string {
  const plain = name.replace('^', '');
  // The property of this name lacks the symbols.
  if (plain === 'punct') return name === plain ? '[\\p{P}\\p{S}]' : '[^\\p{P}\\p{S}]';
  if (posixClasses[plain] === undefined) throw new UntranslatedPattern(`[:${name}:]`);
  return namedClass(name, foldCase);
}

/** Classes that differ between upper and lower case, which case-insensitive groups would have to widen. */
const casedNames = new Set([
  'lu',
  'll',
  'lt',
  'uppercaseletter',
  'lowercaseletter',
  'titlecaseletter',
  'upper',
  'lower',
]);

/** A class by the name in `\p{...}` or `[:...:]`. @throws UntranslatedPattern for an unknown name */
export function namedClass(name: string, foldCase: boolean): string {
  const negated = name.startsWith('^');
  const plain = negated ? name.slice(1) : name;
  const key = plain.toLowerCase().replace(/[ _-]/g, '');
  if (foldCase && casedNames.has(key)) throw new UntranslatedPattern(`\\p{${name}} without case`);
  const posix = posixClasses[key];
  if (posix !== undefined) return `[${negated ? '^' : ''}${posix}]`;
  const sign = negated ? 'P' : 'p';
  const capitalized = plain.charAt(0).toUpperCase() + plain.slice(1).toLowerCase();
  for (const candidate of [plain, capitalized, `Script=${plain}`, `Script=${capitalized}`]) {
    const source = `\\${sign}{${candidate}}`;
    if (compiles(source)) return source;
  }
  throw new UntranslatedPattern(`\\p{${name}}`);
}

function compiles(source: string): boolean {
  try {
    new RegExp(source, 'v');
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** One character, safe inside and outside a class. */
export function characterSource(character: string): string {
  if (/^[A-Za-z0-9]$/.test(character)) return character;
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
}

/** Characters that simple case folding makes equal to others and that toLowerCase and toUpperCase do not lead to. */
const foldingStrays =
  '\u017f\u212a\u212b\u1e9e\u03d0\u03d1\u03d5\u03d6\u03f0\u03f1\u03f5\u03c2\u1fbe\u00b5\u1e9b\u2126\u1c80\u1c81\u1c82\u1c83\u1c84\u1c85\u1c86\u1c87\u1c88';

/** All characters that equal this one when case does not count, itself first. */
export function caseVariants(character: string): string[] {
  if (hasLongFold(character)) throw new UntranslatedPattern(`${character} without case`);
  const same = new RegExp(`^${characterSource(character)}$`, 'iu');
  const candidates = new Set([character, character.toLowerCase(), character.toUpperCase(), ...foldingStrays]);
  return [...candidates].filter((candidate) => same.test(candidate));
}

/** True when the character equals a text of several characters when case does not count (ß and ss, ŉ and ʼn). */
function hasLongFold(character: string): boolean {
  return (
    [...character.toUpperCase()].length > 1 || [...character.toLowerCase()].length > 1 || character === 'ẞ'
  );
}

/** Pairs of letters that a single character equals when case does not count. */
export const pairFolds: ReadonlyMap<string, string> = new Map([
  ['ss', 'ßẞ'],
  ['st', 'ﬅﬆ'],
  ['ff', 'ﬀ'],
  ['fi', 'ﬁ'],
  ['fl', 'ﬂ'],
]);

/** Widest range whose letters are folded one by one. */
const widestFoldedRange = 4096;

/** A range as part of a class. */
export function rangeSource(first: string, last: string, foldCase: boolean): string {
  const from = first.codePointAt(0) as number;
  const to = last.codePointAt(0) as number;
  if (from > to) throw new UntranslatedPattern(`${first}-${last}`);
  const source = `${characterSource(first)}-${characterSource(last)}`;
  if (!foldCase) return source;
  if (to - from > widestFoldedRange) throw new UntranslatedPattern(`${first}-${last} without case`);
  let variants = '';
  for (let point = from; point <= to; point++) {
    for (const variant of caseVariants(String.fromCodePoint(point))) variants += characterSource(variant);
  }
  return source + variants;
}
